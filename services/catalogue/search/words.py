"""Makes a ranked query of the words a person typed.

All words must be found; title counts three times the rest. The last word may be the beginning of one. Quoted
words must stand together. When nothing matches, `similar` allows a typing error per word of four letters or
more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import tantivy
from tantivy import Occur, Query

from services.catalogue.domain.labels import written
from services.catalogue.search import schema, weights
from services.catalogue.search.schema import LANGUAGES, PLAIN, field_language

MAX_WORDS = 16
SHORTEST_BEGINNING = 2  # letters
FEW = 128  # terms; a set of more is faster as one automaton than one by one
SHORTEST_SIMILAR = 4  # letters; shorter words are similar to far too much
_PART = re.compile(r'"([^"]+)"|(\S+)')


class Unit(NamedTuple):
    """A word between blanks, or several between quotes; `unfinished`: the last word, while it is typed."""

    text: str
    quoted: bool
    unfinished: bool


def units(query: str) -> list[Unit]:
    """Splits what was typed; at most MAX_WORDS."""
    parts = [(m[1] or m[2], bool(m[1])) for m in _PART.finditer(query)][:MAX_WORDS]
    typing = query[-1:].isalnum()
    return [
        Unit(text, quoted, unfinished=typing and not quoted and position == len(parts) - 1)
        for position, (text, quoted) in enumerate(parts)
    ]


def fields_of(language: str) -> list[str]:
    """Returns the languages whose fields are looked at for words of a language, of any when it is empty."""
    return [field_language(language)] if language else list(LANGUAGES)


def exact(query: str, language: str) -> Query | None:
    """Returns the query for the words as written; None when they hold nothing to search for."""
    return best(every(units(query), fields_of(language)))


def every(wanted: Sequence[Unit], languages: Sequence[str]) -> list[Query]:
    """Returns queries of which each finds all of the units in a way of its own; none for mere stop words."""
    each = [
        found
        for unit in wanted
        for word in ([unit.text] if unit.quoted else written(unit.text))
        if (found := _word(word, languages, quoted=unit.quoted, beginning=unit.unfinished))
    ]
    if len(each) <= 1:
        return each[0] if each else []
    return [
        Query.boolean_query([(Occur.Must, Query.disjunction_max_query(one, weights.TIE)) for one in each])
    ]


def best(options: Sequence[Query]) -> Query | None:
    """Returns what scores by the best of the options, and a little by the others; None when there is none."""
    if len(options) <= 1:
        return options[0] if options else None
    return Query.disjunction_max_query(list(options), weights.TIE)


def _word(text: str, languages: Sequence[str], *, quoted: bool, beginning: bool) -> list[Query]:
    """Returns the queries of one word or phrase in the fields of the languages; none for a mere stop word."""
    options: list[Query] = []
    for language in languages:
        # By place, since words that say nothing leave a gap in the index.
        tokens = [
            (place, token)
            for place, word in enumerate(written(text))
            for token in schema.tokens(word, language)
        ]
        if not tokens:
            continue
        for name, boost in ((f"title_{language}", weights.TITLE), (f"text_{language}", 1.0)):
            if quoted and len(tokens) > 1:
                query = Query.phrase_query(schema.schema(), name, list(tokens))
            else:
                query = Query.term_query(schema.schema(), name, tokens[0][1], "freq")
            options.append(Query.boost_query(query, boost))
    folded = schema.analyzer(PLAIN).analyze(text)
    if options and not quoted and folded:
        for name, boost in ((schema.TITLE, weights.TITLE), (PLAIN, 1.0)):
            query = _unstemmed(name, folded[-1], beginning=beginning)
            options.append(Query.boost_query(query, boost * weights.BEGINNING))
    return options


def _unstemmed(field: str, word: str, *, beginning: bool) -> Query:
    """Returns the query for a word as it stands, so that it is found without its accents too."""
    if beginning and len(word) >= SHORTEST_BEGINNING:
        return Query.fuzzy_term_query(schema.schema(), field, word, distance=0, prefix=True)
    return Query.term_query(schema.schema(), field, word, "freq")


def beginning(text: str, *, mistaken: bool) -> Query | None:
    """Returns the query for titles with these words, of which the last may be unfinished; None without words.

    `mistaken`: each longer word may have one letter wrong.
    """
    *whole, last = schema.analyzer(PLAIN).analyze(text)[:MAX_WORDS] or [""]
    if not last:
        return None

    def one(word: str, *, prefix: bool) -> Query:
        distance = int(mistaken and len(word) >= SHORTEST_SIMILAR)
        return Query.fuzzy_term_query(schema.schema(), schema.TITLE, word, distance=distance, prefix=prefix)

    musts = [*(one(word, prefix=False) for word in whole), one(last, prefix=True)]
    return Query.boolean_query([(Occur.Must, must) for must in musts])


def anything(text: str, language: str) -> Query | None:
    """Returns the query for any of the words of a text of a language; None when it has none."""
    words = [best(_word(word, fields_of(language), quoted=False, beginning=False)) for word in written(text)]
    found = [(Occur.Should, word) for word in words if word is not None]
    return Query.boolean_query(found) if found else None


def similar(query: str) -> Query | None:
    """Returns the query that allows a letter wrong, missing, added or swapped in each longer word."""
    musts = []
    for word in schema.analyzer(PLAIN).analyze(query.replace('"', " "))[:MAX_WORDS]:
        if len(word) >= SHORTEST_SIMILAR:
            musts.append((Occur.Must, Query.fuzzy_term_query(schema.schema(), PLAIN, word, distance=1)))
        else:
            musts.append((Occur.Should, Query.term_query(schema.schema(), PLAIN, word, "freq")))
    if not any(occur == Occur.Must for occur, _ in musts):
        return None
    return Query.boolean_query(musts)


def filtered(wanted: Sequence[Query], filters: Sequence[Query], excluded: Sequence[Query] = ()) -> Query:
    """Returns all that is wanted, filters and what is excluded together; only what is wanted ranks."""
    clauses = [(Occur.Must, each) for each in wanted]
    if filters or not clauses:
        clauses.append((Occur.Must, Query.const_score_query(all_of(filters), 0.0)))
    clauses += [(Occur.MustNot, each) for each in excluded]
    return Query.boolean_query(clauses)


def all_of(queries: Sequence[Query]) -> Query:
    """Returns what matches all of the queries; everything when there is none."""
    if not queries:
        return Query.all_query()
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, each) for each in queries])


def any_of(field: str, values: Sequence[object]) -> Query:
    """Returns the filter for documents that have one of the values."""
    return any_in((field, values))


def any_in(*wanted: tuple[str, Sequence[object]]) -> Query:
    """Returns the filter for documents that have one of the values of one of the fields; nothing without any.

    As terms beside each other: Tantivy takes longer where some of them stand in a query of their own.
    """
    options: list[Query] = []
    for field, values in wanted:
        if len(values) > FEW:
            options.append(Query.term_set_query(schema.schema(), field, list(values)))
        else:
            options += [Query.term_query(schema.schema(), field, value, "basic") for value in values]
    return either(options)


def either(options: Sequence[Query]) -> Query:
    """Returns what matches any of the options; nothing when there is none."""
    if not options:
        return Query.empty_query()
    return options[0] if len(options) == 1 else Query.boolean_query([(Occur.Should, q) for q in options])


def between(field: str, kind: tantivy.FieldType, low: int | None, high: int | None) -> Query:
    """Returns the filter for a number within bounds, both inclusive."""
    return Query.range_query(schema.schema(), field, kind, low, high)
