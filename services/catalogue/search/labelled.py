"""Which labels of concepts stand in courses, and which of their words: the others are not asked for.

Tantivy goes through all courses that have the words of a label as soon as it is asked for it, whether they
ever stand together or not; and a search asks three times: for what it finds, to count that and to say why.
Most labels, above all those of languages without courses, stand nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tantivy import Occur, Query, Searcher

from services.catalogue.search import schema, weights
from services.catalogue.search.schema import field_language
from services.catalogue.store.taxonomies import LabelRow

MOST_NAMES = 8  # labels of a concept, by language, that are looked for in texts
MOST_RELATED = 6  # words, by language
KEPT = 2048  # concepts


class Labelled:
    """What is known of one view of the index, by concept. Threads may share it."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._kept: dict[tuple[LabelRow, ...], tuple[Query, ...]] = {}
        self._related: dict[tuple[LabelRow, ...], Query | None] = {}

    def queries(self, rows: tuple[LabelRow, ...]) -> tuple[Query, ...]:
        """Returns what finds courses by the labels of a concept: all words of one in the title, or it as it
        stands in the text; but those of which people say that they do not teach it. `rows`: its labels."""
        kept = self._kept.get(rows)
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept = {}  # not emptied: another thread may read it
            kept = self._kept[rows] = tuple(self._made(rows))
        return kept

    def related(self, rows: tuple[LabelRow, ...]) -> Query | None:
        """Returns what finds courses by words that several labels of a concept share, by how many do; None
        where no course has any. `rows`: its labels."""
        kept = self._related
        if rows not in kept:
            if len(kept) >= KEPT:
                kept = self._related = {}  # not emptied, as above
            options = [(Occur.Should, option) for option in self._sharing(rows)]
            kept[rows] = Query.boolean_query(options) if options else None
        return kept[rows]

    def _sharing(self, rows: tuple[LabelRow, ...]) -> Iterator[Query]:
        for language, token, share in shared(rows):
            for field, boost in ((f"title_{language}", weights.TITLE), (f"text_{language}", 1.0)):
                if self._searcher.doc_freq(field, token):
                    term = Query.term_query(schema.schema(), field, token, "freq")
                    yield Query.boost_query(term, boost * share)

    def _made(self, rows: Sequence[LabelRow]) -> Iterator[Query]:
        taken: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        refused = bool(rows) and self._searcher.doc_freq("refused", rows[0].uri) > 0
        for row in rows:
            language = field_language(row.language)
            tokens = tuple(schema.tokens(row.label, language))
            if not tokens or tokens in taken[language] or len(taken[language]) >= MOST_NAMES:
                continue
            taken[language].add(tokens)
            for query in self._standing(language, tokens):
                yield unless_refused(query, row.uri) if refused else query

    def _standing(self, language: str, tokens: Sequence[str]) -> Iterator[Query]:
        """Yields the queries for a label that find something."""
        for field, boost, made in (
            (f"title_{language}", weights.TITLE, _all),
            (f"text_{language}", 1.0, _together),
        ):
            if not all(self._searcher.doc_freq(field, token) for token in tokens):
                continue
            query = made(field, tokens)
            if len(tokens) == 1 or self._searcher.search(query, 1, count=False).hits:
                yield Query.boost_query(query, boost)


@lru_cache(KEPT)
def shared(rows: tuple[LabelRow, ...]) -> Sequence[tuple[str, str, float]]:
    """Returns the words that most of the labels share, some of each language: language, word and share."""
    of_language: defaultdict[str, list[dict[str, None]]] = defaultdict(list)
    for row in rows:
        language = field_language(row.language)
        # In the order of the labels, which decides between words that as many share, in every process alike.
        of_language[language].append(dict.fromkeys(schema.tokens(row.label, language)))
    return [
        (language, token, count / len(labels))
        for language, labels in of_language.items()
        for token, count in Counter(token for tokens in labels for token in tokens).most_common(MOST_RELATED)
        if count > 1
    ]


def unless_refused(query: Query, uri: str) -> Query:
    """Returns the query without courses of which people say that they do not teach a skill."""
    refused = Query.term_query(schema.schema(), "refused", uri, "basic")
    return Query.boolean_query([(Occur.Must, query), (Occur.MustNot, refused)])


def _all(field: str, tokens: Sequence[str]) -> Query:
    terms = [Query.term_query(schema.schema(), field, token, "freq") for token in tokens]
    return terms[0] if len(terms) == 1 else Query.boolean_query([(Occur.Must, term) for term in terms])


def _together(field: str, tokens: Sequence[str]) -> Query:
    if len(tokens) == 1:
        return Query.term_query(schema.schema(), field, tokens[0], "freq")
    return Query.phrase_query(schema.schema(), field, list(tokens))
