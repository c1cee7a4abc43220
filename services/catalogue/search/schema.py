"""Schema of the index, and how text becomes terms, per language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import NamedTuple

import tantivy

from services.catalogue.domain.labels import STEMMERS, stem, written

# Any change here needs a new number: indexes of another one are rebuilt.
REVISION = "11"

OTHER = "xx"  # fields of texts in a language without word stems, words as they are
LANGUAGES = (*STEMMERS, OTHER)
# Languages that Tantivy has neither stems nor stop words for: texts are stemmed before it sees them.
STOP_WORDS = {
    "et": "aga ei et ja ka kas kui kuid ma me ning nii oma on see ta te või",
    "pl": "a albo ale bez co czy dla do i ich jak jest lub na nie o od oraz po pod przez przy się są to u w"
    " we z za ze że",
}
CURRENCIES = ("EUR", "GBP", "USD", "CHF", "SEK", "DKK", "NOK", "PLN", "CZK", "HUF", "RON", "BGN", "ISK")
RAW = "raw"
PLAIN = "plain"
TITLE = "title"
MAX_WORD = 40  # characters
# What mostly has one value in a course is counted in two columns, and a course stands in one of them: Tantivy
# counts a column that never holds more than one ten times as fast as one that may.
SPLIT = ("isco4", "mode", "language", "nuts")


class Design(NamedTuple):
    """What an index consists of; `register` gives its analyzers to an index just opened."""

    revision: str
    schema: Callable[[], tantivy.Schema]
    register: Callable[[tantivy.Index], None]


def columns(name: str) -> tuple[str, str]:
    """Returns where a field of SPLIT is counted: courses with one value (none is empty), and with several.

    The regions of a course count as one where they lie in each other; the smallest stands for them.
    """
    return f"{name}_one", f"{name}_several"


def field_language(language: str) -> str:
    """Returns the language whose fields hold texts of `language`."""
    return language if language in STEMMERS else OTHER


@cache
def schema() -> tantivy.Schema:
    """Returns the schema."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name=RAW, index_option="basic")
    for language in LANGUAGES:
        builder.add_text_field(f"title_{language}", tokenizer_name=f"words_{language}")
        builder.add_text_field(f"text_{language}", tokenizer_name=f"words_{language}")
    # Words without stems, for beginnings and typing errors: of titles; of titles, subjects, occupations.
    for name in (TITLE, PLAIN):
        builder.add_text_field(name, tokenizer_name=PLAIN, index_option="freq")
    for name in (
        *("organisation", "kind", "start_month", "target_group", "territory"),
        *chain.from_iterable(map(columns, SPLIT)),
    ):
        builder.add_text_field(name, tokenizer_name=RAW, fast=True, index_option="basic")
    for name in (
        "isco",
        "uri",
        "refused",
        "language",
        "nuts",
        "place",
        "cell",
        "stands_for",
        "town",
        "ways",
        "way",
    ):
        builder.add_text_field(name, tokenizer_name=RAW, index_option="basic")
    builder.add_unsigned_field("mode", indexed=True)
    builder.add_unsigned_field("eqf", indexed=True, fast=True)  # 0 where there is none
    for name in ("start", "bookable_until", "enter_until", "first_over"):  # days since 1970-01-01
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("way_start", "way_enter", "way_until"):  # see `ways`
        builder.add_integer_field(name, indexed=True)
    builder.add_unsigned_field("way_price", indexed=True)
    for currency in CURRENCIES:
        builder.add_unsigned_field(f"price_{currency}", indexed=True, fast=True)
    builder.add_bytes_field("hit", stored=True)
    builder.add_bytes_field("session", stored=True)
    return builder.build()


@cache
def analyzer(name: str) -> tantivy.TextAnalyzer:
    """Returns the analyzer registered as `name`; texts of a language go through `prepared` before it."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(MAX_WORD)).filter(tantivy.Filter.lowercase())
    language = name.removeprefix("words_")
    if language in STEMMERS and language not in STOP_WORDS:
        builder = builder.filter(tantivy.Filter.stopword(STEMMERS[language]))
        builder = builder.filter(tantivy.Filter.stemmer(STEMMERS[language]))
    return builder.filter(tantivy.Filter.ascii_fold()).build()


def prepared(text: str, language: str) -> str:
    """Returns the text as the fields of a language take it."""
    empty = STOP_WORDS.get(language)
    if empty is None:
        return text
    return " ".join(stem(word, language) for word in written(text) if word not in empty.split())


def tokens(text: str, language: str) -> list[str]:
    """Returns the terms of a text in the fields of a language."""
    return list(analyzer(f"words_{language}").analyze(prepared(text, language)))


def register(index: tantivy.Index) -> None:
    """Registers the analyzers with an index; each opened index needs it."""
    for name in (PLAIN, *(f"words_{language}" for language in LANGUAGES)):
        index.register_tokenizer(name, analyzer(name))


COURSES = Design(REVISION, schema, register)
