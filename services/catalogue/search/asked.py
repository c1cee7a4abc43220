"""What a person asked for, in parts: words, and what they mean.

Each part must be found, by its words or by a concept they name. When nothing is, one letter may be wrong;
when that does not help either, some of the parts are enough, and courses with more of them come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from tantivy import Occur, Query

from services.catalogue.domain.labels import normal
from services.catalogue.search import meaning, weights, words
from services.catalogue.search.label_index import Labels
from services.catalogue.search.meaning import Meaning, Way
from services.catalogue.search.words import Unit


class How(Enum):
    """How words were taken: all as they are, all but for a letter each, or some of them."""

    AS_WRITTEN = "as written"
    SIMILAR = "similar"
    SOME = "some"


@dataclass(frozen=True)
class Part:
    """Words that mean something together, or one. `words`: the query for themselves, None for a mere stop
    word; `ways`: those of the concepts they name."""

    words: Query | None
    ways: Sequence[Way]

    @property
    def query(self) -> Query:
        """Either the words or what they mean."""
        options = [way.query for way in self.ways]
        if self.words is not None:
            options.append(self.words)
        return options[0] if len(options) == 1 else Query.disjunction_max_query(options, weights.TIE)


@dataclass(frozen=True)
class Asked:
    """A search for words."""

    parts: Sequence[Part]

    @property
    def every(self) -> Query | None:
        """All parts; None when there is nothing to search for."""
        return _together(self.parts, Occur.Must)

    @property
    def some(self) -> Query | None:
        """Any of several parts; None when there is but one."""
        return _together(self.parts, Occur.Should) if len(self.parts) > 1 else None

    @property
    def words(self) -> Query | None:
        """All words as written; None when part of them is nowhere."""
        found = [(Occur.Must, part.words) for part in self.parts if part.words is not None]
        return Query.boolean_query(found) if len(found) == len(self.parts) and found else None

    @property
    def ways(self) -> list[Way]:
        """The ways of all parts."""
        return [way for part in self.parts for way in part.ways]


def understand(query: str, language: str, labels: Labels | None) -> Asked:
    """Splits what was typed into parts: the longest words that name a concept, else word by word."""
    units = words.units(query)
    languages = words.fields_of(language)
    runs = list(_runs(units))
    plain = [[unit.text for unit in run] for run in runs if not run[0].quoted]
    known = meaning.find(labels, plain, language) if labels else {}
    parts = []
    for run in runs:
        for piece, meant in _pieces(run, known):
            ways = meaning.ways(labels, meant) if labels else []
            part = Part(words.every(piece, languages), ways)
            if part.words is not None or ways:
                parts.append(part)
    return Asked(parts)


class Attempt(NamedTuple):
    """A way to take a search, with the query for it."""

    how: How
    asked: Asked
    query: Query


def attempts(query: str, language: str, labels: Labels | None) -> Iterator[Attempt]:
    """Yields how a search is taken, the next one for when nothing was found; none when it holds no word."""
    asked = understand(query, language, labels)
    if asked.every is not None:
        yield Attempt(How.AS_WRITTEN, asked, asked.every)
    if '"' not in query:
        like = similar(query, language, labels)
        if like.every is not None:
            yield Attempt(How.SIMILAR, like, like.every)
    if asked.some is not None:
        yield Attempt(How.SOME, asked, asked.some)


def similar(query: str, language: str, labels: Labels | None) -> Asked:
    """Takes what was typed for something like it."""
    plain = query.replace('"', " ")
    meant = meaning.similar(labels, plain, language) if labels else []
    part = Part(words.similar(query), meaning.ways(labels, meant) if labels else [])
    return Asked([part] if part.words is not None or part.ways else [])


def _runs(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Yields the units that stand beside each other; quoted ones are taken as they are, alone."""
    run: list[Unit] = []
    for unit in units:
        if not unit.quoted:
            run.append(unit)
            continue
        if run:
            yield run
        yield [unit]
        run = []
    if run:
        yield run


def _pieces(run: list[Unit], known: dict[str, list[Meaning]]) -> Iterator[tuple[list[Unit], list[Meaning]]]:
    start = 0
    while start < len(run):
        for end in range(len(run), start, -1):
            piece = run[start:end]
            meant = known.get(normal(" ".join(unit.text for unit in piece)), [])
            if meant or len(piece) == 1:
                yield piece, meant
                start = end
                break


def _together(parts: Sequence[Part], occur: Occur) -> Query | None:
    if len(parts) <= 1:
        return parts[0].query if parts else None
    return Query.boolean_query([(occur, part.query) for part in parts])
