"""The index of labels: what concepts are called, in every language of the taxonomies in use.

It lies beside the index of courses and is made whole whenever a taxonomy or a label is added.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import tantivy
from tantivy import Occur, Order, Query

from services.catalogue.domain.labels import normal, stems
from services.catalogue.search import schema as courses
from services.catalogue.search.damage import guarded, told
from services.catalogue.search.directory import Directory
from services.catalogue.search.schema import PLAIN, RAW, Design, field_language
from services.catalogue.store.taxonomies import SKILLS, LabelRow

OCCUPATION, SKILL = "occupation", "skill"
LONGEST = 8  # words of a label that are looked for in a search
MOST = 128  # labels looked up at a time
MOST_OF_CONCEPT = 400
KEPT = 4096  # concepts whose labels are remembered
SHORTEST_SIMILAR = 5  # letters; shorter labels are similar to far too much


@cache
def schema() -> tantivy.Schema:
    """Returns the schema."""
    builder = tantivy.SchemaBuilder()
    for name in ("key", "stems", "uri", "kind"):  # `key`: see `domain.labels.normal`
        builder.add_text_field(name, tokenizer_name=RAW, index_option="basic")
    builder.add_text_field("word", tokenizer_name=PLAIN, index_option="basic")
    builder.add_text_field("about", tokenizer_name=PLAIN, index_option="freq")
    builder.add_unsigned_field("length", fast=True)
    builder.add_bytes_field("label", stored=True)
    return builder.build()


def register(index: tantivy.Index) -> None:
    """Registers the analyzers with an index."""
    index.register_tokenizer(PLAIN, courses.analyzer(PLAIN))


LABELS = Design("1", schema, register)


def documents(rows: Iterable[LabelRow], descriptions: Mapping[str, str]) -> Iterator[tantivy.Document]:
    """Yields the index documents of the labels of one language: each of them, and each concept as a whole.

    `descriptions`: URI → what the concept is, in that language.
    """
    concepts: defaultdict[str, list[LabelRow]] = defaultdict(list)
    for row in rows:
        concepts[row.uri].append(row)
        yield _label(row)
    for uri, of_concept in concepts.items():
        name = next((row for row in of_concept if row.preferred), of_concept[0])
        texts = [*(row.label for row in of_concept), descriptions.get(uri, "")]
        made = tantivy.Document()
        made.add_text("about", " ".join(about(" ".join(texts), name.language)))
        made.add_bytes("label", _kept(name))
        yield made


def about(text: str, language: str) -> list[str]:
    """Returns the terms of a text on concepts."""
    return courses.tokens(text, field_language(language))


def _label(row: LabelRow) -> tantivy.Document:
    made = tantivy.Document()
    key = normal(row.label)
    made.add_text("key", key)
    made.add_text("stems", stemmed(row.label, row.language))
    made.add_text("uri", row.uri)
    made.add_text("kind", SKILL if row.scheme == SKILLS else OCCUPATION)
    made.add_text("word", key)
    made.add_unsigned("length", 2 * len(key) + (not row.preferred))  # of two as long, the preferred first
    made.add_bytes("label", _kept(row))
    return made


def _kept(row: LabelRow) -> bytes:
    return json.dumps(row[1:], ensure_ascii=False).encode()


def stemmed(text: str, language: str) -> str:
    """Returns the term of the stems of a label."""
    return f"{language}:{stems(text, language)}"


def labels_directory(index_dir: Path) -> Directory:
    """Returns the folder of the index, within that of courses."""
    return Directory(index_dir / "labels", LABELS)


class Labels:
    """One view of the index. Threads may share it."""

    def __init__(self, searcher: tantivy.Searcher, _before: Labels | None = None) -> None:
        self._searcher = guarded(searcher)
        self._names: dict[str, tuple[LabelRow, ...]] = {}  # of concepts asked for lately

    def named(self, keys: Sequence[str], stems: Sequence[str]) -> list[LabelRow]:
        """Returns the labels that are one of `keys`, or whose stems are one of `stems`."""
        return self._read(_any(("key", keys), ("stems", stems)), MOST)

    def similar(self, key: str) -> list[LabelRow]:
        """Returns the labels with a letter wrong, missing, added or swapped."""
        if len(key) < SHORTEST_SIMILAR:
            return []
        return self._read(Query.fuzzy_term_query(schema(), "key", key, distance=1), MOST)

    def described(self, words: Collection[str], most: int) -> list[tuple[LabelRow, float]]:
        """Returns the concepts whose labels and description have at least half of the words, as of `about`,
        with a score (BM25), the best first; each by its preferred label."""
        terms = [(Occur.Should, Query.term_query(schema(), "about", word, "freq")) for word in sorted(words)]
        if not terms:
            return []
        query = Query.boolean_query(terms, (len(terms) + 1) // 2)
        found = self._searcher.search(query, most, count=False).hits
        return [(self._row(address), score) for score, address in found]

    def of(self, uris: Collection[str]) -> dict[str, tuple[LabelRow, ...]]:
        """Returns URI → its labels in all languages, preferred ones first, then the shorter first."""
        if len(self._names) >= KEPT:
            self._names = {}  # not emptied: another thread may read it
        names = self._names
        missing = [uri for uri in uris if uri not in names]
        if missing:
            read: defaultdict[str, list[LabelRow]] = defaultdict(list)
            for row in self._read(_any(("uri", missing)), MOST_OF_CONCEPT * len(missing)):
                read[row.uri].append(row)
            names.update({uri: tuple(sorted(rows, key=_order)) for uri, rows in read.items()})
        return {uri: names[uri] for uri in uris if uri in names}

    def beginning(self, text: str, kind: str, most: int, *, similar: bool = False) -> list[LabelRow]:
        """Returns labels of a kind with the words of `text`, of which the last may be unfinished.

        Those that begin with the text come first, the shorter before the longer. `similar`: each longer word
        may have an error in typing.
        """
        words = normal(text).split()
        if not words:
            return []
        of_kind = (Occur.Must, _any(("kind", [kind])))
        whole = _begins("key", " ".join(words), similar=similar)
        found = self._read(Query.boolean_query([of_kind, (Occur.Must, whole)]), most, shortest=True)
        if len(found) >= most:
            return found
        each = [(Occur.Must, _begins("word", words[-1], similar=similar))]
        each += [(Occur.Must, _word(word, similar=similar)) for word in words[:-1]]
        others = self._read(Query.boolean_query([of_kind, *each]), most, shortest=True)
        return found + [row for row in others if row not in found]

    def _read(self, query: Query, most: int, *, shortest: bool = False) -> list[LabelRow]:
        if shortest:
            found = self._searcher.search(query, most, count=False, order_by_field="length", order=Order.Asc)
        else:
            found = self._searcher.search(query, most, count=False)
        return [self._row(address) for _, address in found.hits]

    def _row(self, address: tantivy.DocAddress) -> LabelRow:
        return LabelRow("", *told(json.loads)(self._searcher.doc(address).get_first("label") or b""))


def _order(row: LabelRow) -> tuple[bool, int, str, str]:
    return not row.preferred, len(row.label), row.label, row.language


def _any(*wanted: tuple[str, Iterable[str]]) -> Query:
    terms = [
        (Occur.Should, Query.term_query(schema(), field, value, "basic"))
        for field, values in wanted
        for value in values
    ]
    return Query.const_score_query(Query.boolean_query(terms), 1.0) if terms else Query.empty_query()


def _begins(field: str, text: str, *, similar: bool) -> Query:
    distance = 1 if similar and len(text) >= SHORTEST_SIMILAR else 0
    return Query.fuzzy_term_query(schema(), field, text, distance=distance, prefix=True)


def _word(text: str, *, similar: bool) -> Query:
    if similar and len(text) >= SHORTEST_SIMILAR:
        return Query.fuzzy_term_query(schema(), "word", text, distance=1)
    return Query.term_query(schema(), "word", text, "basic")
