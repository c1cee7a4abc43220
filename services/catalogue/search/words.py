"""Makes a ranked query of the words a person typed.

All words must be found; title counts three times the rest. The last word may be the beginning of one. Quoted
words must stand together. When nothing matches, `similar` allows a typing error per word of four letters or
more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import tantivy
from tantivy import Occur, Query

from services.catalogue.search import schema
from services.catalogue.search.schema import LANGUAGES, PLAIN, field_language

MAX_WORDS = 16
TITLE = 3.0
BEGINNING = 0.5
SHORTEST_BEGINNING = 2  # letters
FEW = 128  # terms; a set of more is faster as one automaton than one by one
SHORTEST_SIMILAR = 4  # letters; shorter words are similar to far too much
_PART = re.compile(r'"([^"]+)"|(\S+)')


def exact(query: str, language: str) -> Query | None:
    """Returns the query for the words as written; None when they hold nothing to search for."""
    languages = [field_language(language)] if language else list(LANGUAGES)
    parts = [(m[1] or m[2], bool(m[1])) for m in _PART.finditer(query)][:MAX_WORDS]
    musts: list[Query] = []
    for position, (text, quoted) in enumerate(parts):
        last = position == len(parts) - 1 and not quoted and query[-1:].isalnum()
        for word in [text] if quoted else schema.analyzer(PLAIN).analyze(text):
            found = _word(word, languages, quoted=quoted, beginning=last)
            if found is not None:
                musts.append(found)
    if not musts:
        return None
    if len(musts) == 1:
        return musts[0]
    return Query.boolean_query([(Occur.Must, must) for must in musts])


def _word(text: str, languages: Sequence[str], *, quoted: bool, beginning: bool) -> Query | None:
    """Returns the query of one word or phrase over the fields of the languages; None for a mere stop word."""
    options: list[Query] = []
    for language in languages:
        tokens = schema.analyzer(f"words_{language}").analyze(text)
        if not tokens:
            continue
        for name, boost in ((f"title_{language}", TITLE), (f"text_{language}", 1.0)):
            if quoted and len(tokens) > 1:
                query = Query.phrase_query(schema.schema(), name, list(tokens))
            else:
                query = Query.term_query(schema.schema(), name, tokens[0], "freq")
            options.append(Query.boost_query(query, boost))
    if not options:
        return None
    folded = schema.analyzer(PLAIN).analyze(text)
    if beginning and folded and len(folded[-1]) >= SHORTEST_BEGINNING:
        begins = Query.fuzzy_term_query(schema.schema(), PLAIN, folded[-1], distance=0, prefix=True)
        options.append(Query.boost_query(begins, BEGINNING))
    return Query.disjunction_max_query(options, 0.1)


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


def filtered(words: Query | None, filters: Sequence[Query], excluded: Sequence[Query] = ()) -> Query:
    """Returns words and filters together; filters decide what is found and never how it ranks."""
    clauses = [(Occur.Must, words)] if words is not None else []
    clauses += [(Occur.Must, Query.const_score_query(each, 0.0)) for each in filters]
    if not clauses:
        clauses = [(Occur.Must, Query.const_score_query(Query.all_query(), 0.0))]
    clauses += [(Occur.MustNot, each) for each in excluded]
    return Query.boolean_query(clauses)


def any_of(field: str, values: Sequence[object]) -> Query:
    """Returns the filter for documents that have one of the values."""
    if len(values) > FEW:
        return Query.term_set_query(schema.schema(), field, list(values))
    terms = [Query.term_query(schema.schema(), field, value, "basic") for value in values]
    return terms[0] if len(terms) == 1 else Query.boolean_query([(Occur.Should, term) for term in terms])


def between(field: str, kind: tantivy.FieldType, low: int | None, high: int | None) -> Query:
    """Returns the filter for a number within bounds, both inclusive."""
    return Query.range_query(schema.schema(), field, kind, low, high)
