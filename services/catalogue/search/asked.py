"""What a person asked for, in parts: words, and what they mean.

Each part must be found, by its words or by a concept they name. When nothing is, one letter of each word may
be wrong; when little is, courses with some of the parts follow those with all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

from tantivy import Occur, Query

from services.catalogue.domain.labels import normal
from services.catalogue.search import meaning, weights, words
from services.catalogue.search.meaning import Concepts, Meaning, Way
from services.catalogue.search.words import Unit

FEW = 10  # courses; where fewer are found, words are taken more freely


class How(Enum):
    """How words were taken: all as they are, all but for a letter each, or some of them."""

    AS_WRITTEN = "as written"
    SIMILAR = "similar"
    SOME = "some"


@dataclass(frozen=True)
class Part:
    """Words that mean something together, or one. `by_words`: queries for themselves, any of which will do,
    none for a mere stop word; `ways`: those of the concepts they name."""

    by_words: Sequence[Query]
    ways: Sequence[Way]

    @property
    def query(self) -> Query | None:
        """Either the words or what they mean."""
        return self._best(way for way in self.ways if not way.loose)

    @property
    def loose(self) -> Query | None:
        """Either the words or anything to do with what they mean."""
        return self._best(self.ways)

    @property
    def words(self) -> Query | None:
        """The words."""
        return words.best(self.by_words)

    def _best(self, ways: Iterable[Way]) -> Query | None:
        return words.best([*(way.query for way in ways), *self.by_words])


@dataclass(frozen=True)
class Asked:
    """A search for words. `about`: the ways of concepts that it may be about as a whole."""

    parts: Sequence[Part]
    about: Sequence[Way] = ()

    @property
    def every(self) -> list[Query]:
        """All parts; none when there is nothing to search for."""
        found = [query for query in (part.query for part in self.parts) if query is not None]
        return found if len(found) == len(self.parts) else []

    @property
    def some(self) -> Query | None:
        """At least half of the parts, or whatever they may mean; those with all of them come first."""
        queries = [part.loose for part in self.parts]
        found = [(Occur.Should, query) for query in queries if query is not None]
        options = [(Occur.Should, way.query) for way in self.about]
        if found:
            options.append((Occur.Should, Query.boolean_query(found, max(1, len(found) // 2))))
        if not options:
            return None
        if every := self.every:
            options.append((Occur.Should, Query.const_score_query(words.all_of(every), weights.ALL_PARTS)))
        return Query.boolean_query(options)

    @property
    def words(self) -> Query | None:
        """All words as written; None when part of them is nowhere."""
        found = [query for query in (part.words for part in self.parts) if query is not None]
        return words.all_of(found) if len(found) == len(self.parts) and found else None

    @property
    def ways(self) -> list[Way]:
        """The ways of all parts, and of the whole."""
        return [*(way for part in self.parts for way in part.ways), *self.about]


def understand(query: str, language: str, concepts: Concepts | None) -> Asked:
    """Splits what was typed into parts: the longest words that name a concept, else word by word."""
    units = words.units(query)
    languages = words.fields_of(language)
    runs = list(_runs(units))
    plain = [[unit.text for unit in run] for run in runs if not run[0].quoted]
    known = meaning.find(concepts.labels, plain, language) if concepts else {}
    parts = []
    for run in runs:
        for piece, meant in _pieces(run, known):
            ways = meaning.ways(concepts, meant) if concepts else []
            part = Part(words.every(piece, languages), ways)
            if part.by_words or ways:
                parts.append(part)
    return Asked(parts)


class Attempt(NamedTuple):
    """How a search was taken."""

    how: How
    asked: Asked


class Counted(Protocol):
    """What a query found; `total`: how much in all."""

    @property
    def total(self) -> int:
        """Number of courses."""


Found = TypeVar("Found", bound=Counted)


def take(
    query: str, language: str, concepts: Concepts | None, run: Callable[[Sequence[Query]], Found]
) -> tuple[Attempt, Found]:
    """Takes words as they are, and more freely where that finds little; those in quotes as they are.

    `run` answers for courses that all of some queries find.
    """
    asked = understand(query, language, concepts)
    whole = run(asked.every or [Query.empty_query()])
    if whole.total >= FEW or '"' in query:
        return Attempt(How.AS_WRITTEN, asked), whole
    if not whole.total:
        like = similar(query, language, concepts)
        if like.every and (found := run(like.every)).total:
            return Attempt(How.SIMILAR, like), found
    loose = replace(asked, about=_about(query, language, concepts) if concepts else ())
    if (some := loose.some) is not None and (found := run([some])).total > whole.total:
        return Attempt(How.SOME, loose), found
    return Attempt(How.AS_WRITTEN, asked), whole


def _about(query: str, language: str, concepts: Concepts) -> list[Way]:
    ways = meaning.ways(concepts, meaning.described(concepts.labels, query, language))
    return [way._replace(near=True) for way in ways]


def similar(query: str, language: str, concepts: Concepts | None) -> Asked:
    """Takes what was typed for something like it."""
    plain = query.replace('"', " ")
    meant = meaning.similar(concepts.labels, plain, language) if concepts else []
    alike = words.similar(query)
    part = Part([alike] if alike is not None else [], meaning.ways(concepts, meant) if concepts else [])
    return Asked([part] if part.by_words or part.ways else [])


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
