"""Schema of the index, and how text becomes terms, per language."""

from __future__ import annotations

from functools import cache

import tantivy

# Any change here needs a new number: indexes of another one are rebuilt.
REVISION = "4"

# Languages with word stems; texts of others go into the fields of OTHER, words as they are.
STEMMED = {"en": "english", "fr": "french", "de": "german", "nl": "dutch"}
OTHER = "xx"
LANGUAGES = (*STEMMED, OTHER)
CURRENCIES = ("EUR", "GBP", "USD", "CHF", "SEK", "DKK", "NOK", "PLN", "CZK", "HUF", "RON", "BGN", "ISK")
RAW = "raw"
PLAIN = "plain"
MAX_WORD = 40  # characters


def field_language(language: str) -> str:
    """Returns the language whose fields hold texts of `language`."""
    return language if language in STEMMED else OTHER


@cache
def schema() -> tantivy.Schema:
    """Returns the schema."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name=RAW, index_option="basic")
    for language in LANGUAGES:
        builder.add_text_field(f"title_{language}", tokenizer_name=f"words_{language}")
        builder.add_text_field(f"text_{language}", tokenizer_name=f"words_{language}")
    # Words of title, subjects and occupations without stems: for beginnings of words and typing errors.
    builder.add_text_field("plain", tokenizer_name=PLAIN, index_option="freq")
    for name in (
        *("organisation", "isco4", "language", "kind", "nuts", "start_month"),
        *("target_group", "territory"),
    ):
        builder.add_text_field(name, tokenizer_name=RAW, fast=True, index_option="basic")
    for name in ("isco", "uri", "place", "cell"):
        builder.add_text_field(name, tokenizer_name=RAW, index_option="basic")
    for name in ("mode", "eqf"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    for name in ("start", "bookable_until"):  # days since 1970-01-01
        builder.add_integer_field(name, indexed=True, fast=True)
    for currency in CURRENCIES:
        builder.add_unsigned_field(f"price_{currency}", indexed=True, fast=True)
    builder.add_bytes_field("hit", stored=True)
    builder.add_bytes_field("session", stored=True)
    return builder.build()


@cache
def analyzer(name: str) -> tantivy.TextAnalyzer:
    """Returns the analyzer registered as `name`."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(MAX_WORD)).filter(tantivy.Filter.lowercase())
    language = STEMMED.get(name.removeprefix("words_"))
    if language:
        builder = builder.filter(tantivy.Filter.stopword(language))
        builder = builder.filter(tantivy.Filter.stemmer(language))
    return builder.filter(tantivy.Filter.ascii_fold()).build()


def register(index: tantivy.Index) -> None:
    """Registers the analyzers with an index; each opened index needs it."""
    for name in (PLAIN, *(f"words_{language}" for language in LANGUAGES)):
        index.register_tokenizer(name, analyzer(name))
