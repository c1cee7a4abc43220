"""The ways in which a course can be taken: what of its sessions goes together.

Sessions that are alike but for one thing are one way, as weekly starts in one town are. The sessions of most
courses come to one way: what some of them have and what others have is then found in one of them too, and it
is enough to ask the course. Of other courses each way is written down by itself, under its number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tantivy
from tantivy import FieldType, Query, Searcher

from services.catalogue.domain import courses
from services.catalogue.domain.distance import distance
from services.catalogue.search import places
from services.catalogue.search.schema import CURRENCIES
from services.catalogue.search.words import all_of, any_of, between, either

MOST = 32  # ways that are kept apart; what a course has beyond them is taken for one
ONE = "1"  # how many ways a course has, as the index says it
NEVER, FOREVER = -10_000_000, 10_000_000  # days; before and after every date
EDGE = 0.002  # kilometres that a place may be away from where the index has it
_SPAN = 100_000_000  # between the days of one way and of the next
_CENTS = 1 << 40  # more than a session costs


class SessionFacts(NamedTuple):
    """What a search asks of a session; days since 1970-01-01.

    `start`: FOREVER where one enters at any time; `until`: the last day to book it; a place unknown is not a
    number; `cents`: -1 where no price is known.
    """

    mode: int
    language: str
    nuts: str
    latitude: float
    longitude: float
    start: int
    until: int
    currency: str
    cents: int

    @property
    def place(self) -> str:
        """The term of its place; empty where that is not known."""
        return "" if math.isnan(self.latitude) else places.term(self.latitude, self.longitude)


class Way(NamedTuple):
    """By thing, what sessions have of it: any of one thing goes with any of another.

    `whens`: start and last day to book.
    """

    modes: frozenset[int]
    languages: frozenset[str]
    regions: frozenset[str]
    places: frozenset[str]
    whens: frozenset[tuple[int, int]]
    prices: frozenset[tuple[str, int]]


def ways(sessions: Iterable[SessionFacts]) -> list[Way]:
    """Returns the ways of a course."""
    found = list(dict.fromkeys(map(_alone, sessions)))
    before = 0
    while len(found) > 1 and len(found) != before:
        before = len(found)
        for thing in range(len(Way._fields)):
            found = _joined(found, thing)
    if len(found) > MOST:
        rest = found[MOST - 1 :]
        found = [*found[: MOST - 1], Way._make(frozenset().union(*each) for each in zip(*rest, strict=True))]
    return found


def _alone(session: SessionFacts) -> Way:
    return Way(
        frozenset((session.mode,)),
        frozenset((session.language,)),
        frozenset((session.nuts,)),
        frozenset((session.place,)),
        frozenset(((session.start, session.until),)),
        frozenset(((session.currency, session.cents),)),
    )


def _joined(found: Sequence[Way], thing: int) -> list[Way]:
    """Returns the ways with those that differ in one thing alone made one."""
    alike: defaultdict[tuple[Any, ...], set[Any]] = defaultdict(set)
    for way in found:
        alike[(*way[:thing], *way[thing + 1 :])].update(way[thing])
    return [Way._make((*rest[:thing], frozenset(values), *rest[thing:])) for rest, values in alike.items()]


def put(made: tantivy.Document, found: Sequence[Way]) -> None:
    """Writes the ways of a course into its document."""
    made.add_text("ways", str(max(len(found), 1)))
    for number, way in enumerate(found) if len(found) > 1 else ():
        for term in _terms(way):
            made.add_text("way", f"{number}{term}")
        for start, until in way.whens:
            dated = start != FOREVER
            made.add_integer(
                "way_start" if dated else "way_enter", number * _SPAN + (start if dated else until)
            )
            made.add_integer("way_until", number * _SPAN + until)
        for currency, cents in way.prices:
            if currency in CURRENCIES and cents >= 0:
                made.add_unsigned("way_price", _price(number, currency) + min(cents, _CENTS - 1))


def _terms(way: Way) -> set[str]:
    terms = {f"m{mode}" for mode in way.modes} | {f"l{language}" for language in way.languages}
    terms |= {f"n{code}" for code in courses.nuts_prefixes(way.regions)}
    for place in way.places - {""}:
        terms |= {f"p{place}", *(f"c{cell}" for cell in places.cells(place))}
    return terms


def _price(number: int, currency: str) -> int:
    return (number * len(CURRENCIES) + CURRENCIES.index(currency)) * _CENTS


def most(searcher: Searcher) -> int:
    """Returns how many ways a course of the index has at most."""
    return max((int(count) for count, _ in searcher.terms_with_prefix("ways", "")), default=1)


@dataclass(frozen=True)
class Fit:
    """What is asked of a session but for its days; what is empty is not asked.

    `circle`: latitude, longitude, kilometres; `within`: what lies in it of the index; `price`: currency, and
    the most cents.
    """

    modes: Sequence[int] = ()
    languages: Sequence[str] = ()
    nuts: str = ""
    circle: tuple[float, float, float] | None = None
    within: places.Found | None = None
    price: tuple[str, int] | None = None

    @property
    def asked(self) -> int:
        """How many things are."""
        return sum(map(bool, (self.modes, self.languages, self.nuts, self.circle, self.price)))

    def met_by(self, session: SessionFacts) -> bool:
        """True when the session is as asked."""
        currency, cents = self.price or (session.currency, session.cents)
        return (
            (not self.modes or session.mode in self.modes)
            and (not self.languages or session.language in self.languages)
            and session.nuts.startswith(self.nuts)
            and (session.currency == currency and session.cents <= cents)
            and (not self.price or session.cents >= 0)
            and (self.circle is None or _inside(self.circle, session))
        )


def _inside(circle: tuple[float, float, float], session: SessionFacts) -> bool:
    latitude, longitude, kilometres = circle
    away = distance(latitude, longitude, session.latitude, session.longitude)
    return away <= kilometres + EDGE  # never where the place is not known


@dataclass(frozen=True)
class Begin:
    """When a session must begin or, `enter`, may be entered; days since 1970-01-01, both inclusive."""

    first: int
    last: int | None
    enter: bool = True


def in_one(fit: Fit, begin: Begin | None, book_on: int | None, number: int) -> Query:
    """Returns what finds courses of which one session is as asked, among those that every one of these
    filters finds. `book_on`: day on which it can be booked, where that is later than today; `number`: `most`.
    """
    alone = [_way(fit, begin, book_on, each) for each in range(number)] if number > 1 else []
    return either([any_of("ways", [ONE]), *alone])


def _way(fit: Fit, begin: Begin | None, book_on: int | None, number: int) -> Query:
    musts = []
    for sign, values in (("m", fit.modes), ("l", fit.languages), ("n", [fit.nuts] if fit.nuts else [])):
        if values:
            musts.append(any_of("way", [f"{number}{sign}{value}" for value in values]))
    if fit.within is not None:
        where = [
            *(f"{number}c{cell}" for cell in fit.within.cells),
            *(f"{number}p{p}" for p in fit.within.places),
        ]
        musts.append(any_of("way", where))
    if begin is not None:
        musts.append(_beginning(begin, number))
    if book_on is not None:
        musts.append(_days("way_until", number, book_on, None))
    if fit.price is not None:
        currency, cents = fit.price
        free = _price(number, currency)
        musts.append(between("way_price", FieldType.Unsigned, free, free + min(cents, _CENTS - 1)))
    return all_of(musts)


def _beginning(begin: Begin, number: int) -> Query:
    started = _days("way_start", number, begin.first, begin.last)
    if not begin.enter:
        return started
    return either([started, _days("way_enter", number, begin.first, None)])


def _days(field: str, number: int, first: int, last: int | None) -> Query:
    base = number * _SPAN
    return between(field, FieldType.Integer, base + first, base + (FOREVER if last is None else last))
