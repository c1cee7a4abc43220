"""`make bench-relevance`: how well search finds what people mean, beside plain BM25 in the same run.

Courses: the real feed of the Open University and a formation of ONISEP, read by the readers of the imports
and tagged as they tag. Concepts: real ESCO in English, with labels of our own in seven further languages.
Searches: `bench/relevance/judged.jsonl`, graded by hand from titles and descriptions before anything ranked
them: 3 what was asked for, 2 near to it, 1 might do. A grade is given by a pattern of titles, tried from 3
downwards, so that no text of the feeds is copied.

`held_out.jsonl` has more of them, graded when all weights stood, and used for nothing since but to be shown.

Measure: nDCG at 10, gain 2^grade - 1, mean over searches, whole and by kind. Plain BM25 is Tantivy with one
field of title, subjects and description, lower case, no stems, any of the words. `without_concepts`
is the service while it knows no label, `with_meaning` with the extra of that name, where it is installed; to
embed all courses takes minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain
from pathlib import Path
from statistics import mean, median
from types import SimpleNamespace
from typing import Any, BinaryIO, NamedTuple, cast

import tantivy
from tantivy import Occur, Query

from bench import meaning
from bench.report import Goal, report
from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import Findings
from services.catalogue.domain.tagging import Label, Tagger
from services.catalogue.imports import lheo, taxonomy_csv, xcri_cap
from services.catalogue.imports.feed import Bounded, Context, FeedReader
from services.catalogue.search import asked, label_index, schema
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.documents import document
from services.catalogue.search.label_index import Labels
from services.catalogue.search.meaning import Concepts
from services.catalogue.search.schema import Design
from services.catalogue.search.words import any_of, filtered
from services.catalogue.store.taxonomies import ESCO, ISCO, SKILLS, ConceptRow, LabelRow

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / ".." / "shared" / "data"
FEEDS: Sequence[tuple[str, FeedReader, str]] = (
    ("xcri-cap-1.2/ou-conversion.xml", xcri_cap.XcriCap(), "en"),
    ("lheo/exemple-bts-onisep.xml", lheo.Lheo(), "fr"),
)
COLLECTIONS = ("digitalSkills", "transversalSkills", "languageSkills")
NO_SOURCE = str(uuid.UUID(int=0))
FIRST = 10
GOALS = (
    Goal("ndcg", "≥", 0.7),
    Goal("ndcg_to_bm25", "≥", 1.5),
    Goal("without_concepts_ndcg_to_bm25", "≥", 1.0),
    Goal("language_ndcg", "≥", 0.6),
    Goal("p50_ms", "≤", 5, "ms"),
)


class Judged(NamedTuple):
    """A search and its grades: patterns of titles, the best first."""

    query: str
    language: str
    kind: str
    grades: Sequence[tuple[int, re.Pattern[str]]]

    def grade(self, title: str) -> int:
        """Returns 0 to 3."""
        return next((grade for grade, pattern in self.grades if pattern.search(title)), 0)


# Titles in order, the best first.
Ranking = Callable[[Judged], Sequence[str]]


class Titles(NamedTuple):
    """The first titles found, and how many there are in all."""

    first: list[str]
    total: int


@dataclass(frozen=True)
class World:
    """Courses and labels, indexed as the service does."""

    states: Sequence[Document]
    snapshot: Snapshot
    labels: Labels

    @property
    def all_titles(self) -> list[str]:
        """The titles of all courses."""
        return [_title(state) for state in self.states]

    def titles(self, wanted: Sequence[Query]) -> Titles:
        """Returns the titles of the first hits of the service's index."""
        searcher = self.snapshot.searcher
        found = searcher.search(filtered(wanted, []), FIRST, count=True)
        return Titles([self.title_at(address) for _, address in found.hits], int(found.count))  # type: ignore[attr-defined]

    def title_at(self, address: tantivy.DocAddress) -> str:
        """Returns the title of the course that stands there."""
        number = int(str(self.snapshot.searcher.doc(address).get_first("id")))
        return _title(self.states[number])

    def address(self, number: int) -> tantivy.DocAddress:
        """Returns where a course stands."""
        return self.snapshot.searcher.search(any_of("id", [str(number)]), 1, count=False).hits[0][1]

    def ours(self, judged: Judged) -> list[str]:
        """Ranks as the service does."""
        return self._ranked(judged, Concepts(self.labels, self.snapshot.labelled))

    def words_only(self, judged: Judged) -> list[str]:
        """Ranks as the service does while it knows no labels."""
        return self._ranked(judged, None)

    def _ranked(self, judged: Judged, concepts: Concepts | None) -> list[str]:
        return asked.take(judged.query, judged.language, concepts, self.titles)[1].first


def build(data: Path, folder: Path) -> World:
    """Reads feeds and taxonomy below `data` and indexes them in `folder`."""
    concepts, descriptions = read_concepts(data)
    states = list(read_courses(data, concepts))
    rows = [
        SimpleNamespace(id=str(number), organisation_id="feed", same_as=None, skills={}, document=state)
        for number, state in enumerate(states)
    ]
    made = (document(row, date.min) for row in rows)  # whether it can be booked does not rank
    snapshot = Snapshot.of(_index(folder / "courses", schema.COURSES, made))
    others: defaultdict[str, list[LabelRow]] = defaultdict(list)
    for row in own_labels(concepts):
        others[row.language].append(row)
    parts = [label_index.documents(concepts, descriptions)]
    parts += [label_index.documents(of_language, {}) for of_language in others.values()]
    labels = Labels(_index(folder / "labels", label_index.LABELS, chain.from_iterable(parts)))
    return World(states, snapshot, labels)


def _index(folder: Path, design: Design, documents: Iterator[tantivy.Document]) -> tantivy.Searcher:
    folder.mkdir()
    index = tantivy.Index(design.schema(), str(folder))
    design.register(index)
    return _filled(index, documents)


def _filled(index: tantivy.Index, documents: Iterator[tantivy.Document]) -> tantivy.Searcher:
    writer = index.writer(heap_size=60_000_000, num_threads=1)
    for each in documents:
        writer.add_document(each)
    writer.commit()
    index.reload()
    return index.searcher()


def read_courses(data: Path, concepts: Sequence[LabelRow]) -> Iterator[Document]:
    """Reads the feeds, and tags as the imports do."""
    preferred = {row.uri: row.label for row in concepts if row.preferred}
    of_occupations = [
        Label(row.label, row.uri, row.isco_code, preferred[row.uri], row.preferred)
        for row in concepts
        if row.scheme == ESCO
    ]
    tagger = Tagger(of_occupations, "en")
    for name, reader, language in FEEDS:
        with (data / "feeds" / name).open("rb") as stream:
            for raw in reader.records(Bounded(stream)):
                context = Context(default_language=language)
                course = courses.course_id(NO_SOURCE, raw.external_id)
                state = reader.read(raw, course, context, Findings(raw.external_id, raw.line))
                title, rest = _title(state), " ".join(state["descriptions"].values())
                state["occupations"] = [
                    courses.tag(tag.uri, tag.isco_code, tag.label, 1, tag.confidence, "")
                    for tag in tagger.tag(title, state["subjects"], rest)
                ]
                yield state


def _title(state: Document) -> str:
    return str(next(iter(state["titles"].values())))


def read_concepts(data: Path) -> tuple[list[LabelRow], dict[str, str]]:
    """Reads the labels of occupations, groups and skills of ESCO, and URI → description.

    Skills have other labels than the preferred one where the shared files have them.
    """
    taxonomy = data / "taxonomy"
    found: list[LabelRow] = []
    descriptions: dict[str, str] = {}
    for scheme, path, read in (
        (ESCO, "esco-1.1.1/occupations_en.csv", taxonomy_csv.read_esco),
        (ISCO, "esco-1.1.1/ISCOGroups_en.csv", taxonomy_csv.read_isco),
        *((SKILLS, f"esco-1.1.1/{name}Collection_en.csv", taxonomy_csv.read_skills) for name in COLLECTIONS),
    ):
        with (taxonomy / path).open("rb") as stream:
            for row in read(cast(BinaryIO, stream), "en"):
                found += _rows(row, scheme)
                descriptions[row.uri] = row.description
    others = _other_skills(taxonomy, {row.uri for row in found}, descriptions)
    return found + others, descriptions


def _rows(row: ConceptRow, scheme: str) -> Iterator[LabelRow]:
    for language, label, preferred in row.labels:
        yield LabelRow("", label, language, preferred, row.uri, row.isco_code, scheme)


def _other_skills(taxonomy: Path, known: set[str], descriptions: dict[str, str]) -> list[LabelRow]:
    """Reads the skills that no collection has: a sample with all its labels, the rest with one."""
    found = []
    with (taxonomy / "esco-1.1.1-sample" / "skills.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["ESCOURI"] not in known:
                known.add(row["ESCOURI"])
                descriptions[row["ESCOURI"]] = row["DESCRIPTION"]
                found += _skill(row["ESCOURI"], row["PREFERREDLABEL"], row["ALTLABELS"].split("\n"))
    path = taxonomy / "esco-skills" / "skills_labels_2026-06.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["concept_uri"] not in known:
                found += _skill(row["concept_uri"], row["preferred_label"], [])
    return found


def _skill(uri: str, preferred: str, others: Sequence[str]) -> list[LabelRow]:
    labels = [preferred, *sorted(set(others) - {"", preferred})]
    return [LabelRow("", label, "en", label == preferred, uri, "", SKILLS) for label in labels]


def own_labels(concepts: Sequence[LabelRow]) -> list[LabelRow]:
    """Reads the labels in further languages."""
    known = {row.uri: row for row in concepts}
    with (HERE / "relevance" / "labels.csv").open(encoding="utf-8", newline="") as stream:
        return [
            known[row["concept"]]._replace(label=row["label"], language=row["language"], preferred=False)
            for row in csv.DictReader(stream)
        ]


class PlainBm25:
    """Tantivy as it comes: one field, lower case, any of the words."""

    def __init__(self, states: Sequence[Document]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", tokenizer_name="plain")
        builder.add_unsigned_field("number", stored=True)
        self._schema = builder.build()
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase()).build()
        )
        index = tantivy.Index(self._schema)
        index.register_tokenizer("plain", self._analyzer)
        self._searcher = _filled(index, map(self._document, range(len(states)), states))
        self._states = states

    def _document(self, number: int, state: Document) -> tantivy.Document:
        made = tantivy.Document()
        made.add_text("text", " ".join([_title(state), *state["subjects"], *state["descriptions"].values()]))
        made.add_unsigned("number", number)
        return made

    def rank(self, judged: Judged) -> list[str]:
        """Returns the titles of the first hits."""
        terms = [
            (Occur.Should, Query.term_query(self._schema, "text", word))
            for word in self._analyzer.analyze(judged.query)
        ]
        found = self._searcher.search(Query.boolean_query(terms), FIRST, count=False).hits
        numbers = (cast(int, self._searcher.doc(address).get_first("number")) for _, address in found)
        return [_title(self._states[number]) for number in numbers]


def read_judged(name: str = "judged") -> list[Judged]:
    """Reads searches and their grades."""
    found = []
    for line in (HERE / "relevance" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        grades = [(int(grade), re.compile(row[grade], re.IGNORECASE)) for grade in "321" if grade in row]
        found.append(Judged(row["query"], row["language"], row["kind"], grades))
    return found


@dataclass
class Scale:
    """Measures rankings against what the best possible one would reach."""

    judged: Sequence[Judged]
    titles: Sequence[str]

    @cached_property
    def best(self) -> list[float]:
        """Gain of the best ranking, by search."""
        return [
            _gain(sorted((judged.grade(title) for title in self.titles), reverse=True))
            for judged in self.judged
        ]

    def ndcg(self, ranking: Ranking) -> list[float]:
        """Returns nDCG at FIRST, 0 to 1, by search."""
        return [
            _gain([judged.grade(title) for title in ranking(judged)]) / best
            for judged, best in zip(self.judged, self.best, strict=True)
        ]

    def by_kind(self, values: Sequence[float]) -> dict[str, float]:
        """Returns the mean of each kind of search."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for judged, value in zip(self.judged, values, strict=True):
            found[judged.kind].append(value)
        return {kind: mean(of_kind) for kind, of_kind in found.items()}


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:FIRST]))


def times(ranking: Ranking, judged: Sequence[Judged]) -> list[float]:
    """Returns the milliseconds that each search takes, in order of length."""
    taken = []
    for each in judged:
        began = time.perf_counter()
        ranking(each)
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)


def main() -> None:
    """Builds, ranks, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="show each search with its first hits")
    given = parser.parse_args()
    if not DATA.exists():
        raise SystemExit(f"{DATA} is missing; the feeds and the taxonomy are not part of the project")
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
        world = build(DATA, Path(folder))
        judged = read_judged()
        scale = Scale(judged, world.all_titles)
        ours = scale.ndcg(world.ours)
        plain, words = scale.ndcg(PlainBm25(world.states).rank), scale.ndcg(world.words_only)
        held_out = Scale(read_judged("held_out"), world.all_titles)
        unseen = mean(held_out.ndcg(world.ours)), mean(held_out.ndcg(PlainBm25(world.states).rank))
        if given.each:
            show(scale, world, ours, plain)
        taken = times(world.ours, judged)
        fused = meaning.figures(world, scale, held_out) if meaning.there() else {}
    figures = {
        "courses": len(world.states),
        "searches": len(judged),
        "ndcg": mean(ours),
        "bm25_ndcg": mean(plain),
        "without_concepts_ndcg": mean(words),
        "ndcg_to_bm25": mean(ours) / mean(plain),
        "held_out_searches": len(held_out.judged),
        "held_out_ndcg": unseen[0],
        "held_out_bm25_ndcg": unseen[1],
        "without_concepts_ndcg_to_bm25": mean(words) / mean(plain),
        **{f"{kind}_ndcg": value for kind, value in scale.by_kind(ours).items()},
        **{f"{kind}_bm25_ndcg": value for kind, value in scale.by_kind(plain).items()},
        **fused,
        "p50_ms": median(taken),
        "p99_ms": taken[int(len(taken) * 0.99)],
    }
    sys.exit(0 if report("relevance", figures, GOALS) else 1)


def show(scale: Scale, world: World, ours: Sequence[float], plain: Sequence[float]) -> None:
    """Prints each search: what both rankings reach, and the first hits with their grades."""
    for judged, value, other in zip(scale.judged, ours, plain, strict=True):
        print(f"{value:.2f} {other:.2f} {judged.kind} {judged.language} {judged.query}")
        for title in world.ours(judged)[:4]:
            print(f"       {judged.grade(title)} {title[:70]}")


if __name__ == "__main__":
    main()
