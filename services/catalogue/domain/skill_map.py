"""Which occupations need which skills, and how near somebody with some skills is to them.

Every weight stands here and in docs/ideas.md, held equal by a test. Of a person nothing is known but
concepts.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

ESSENTIAL = 1.0  # worth of an essential skill, times how rare it is
OPTIONAL = 0.25  # … of an optional one
LEAST_SHARED = 2  # skills shared with an occupation that is an idea
LEAST_ESSENTIAL = 1  # … of these essential ones
CLOSES_ESSENTIAL = 2.0  # worth of a course for an essential skill that no course before it is for
CLOSES_OPTIONAL = 1.0  # … for an optional one

Key = TypeVar("Key")


class Needs(NamedTuple):
    """An occupation and the skills it needs, by URI. `version`: of the taxonomy that says so."""

    uri: str
    isco_code: str
    version: str
    essential: Sequence[str]
    optional: Sequence[str]

    @property
    def is_group(self) -> bool:
        """True for an ISCO-08 group instead of an occupation."""
        return self.version.startswith("taxonomies/isco-08/")


class Near(NamedTuple):
    """An occupation near some skills; `nearness`: 0 to 1."""

    needs: Needs
    nearness: float


class SkillMap:
    """All occupations whose skills are known. Threads may share it."""

    def __init__(self, occupations: Iterable[Needs]) -> None:
        self._all = sorted(occupations, key=lambda each: each.uri)
        self._by_uri = {each.uri: each for each in self._all}
        self._groups = {each.isco_code: each for each in self._all if each.is_group}
        needed = Counter(skill for each in self._all for skill in (*each.essential, *each.optional))
        # A skill that most occupations need says little about which of them is near.
        self._rarity = {skill: math.log(1 + len(self._all) / count) for skill, count in needed.items()}
        self._essential: defaultdict[str, list[int]] = defaultdict(list)  # skill → places of who needs it
        self._optional: defaultdict[str, list[int]] = defaultdict(list)
        self._worth = [0.0] * len(self._all)
        for place, each in enumerate(self._all):
            for skill in each.essential:
                self._essential[skill].append(place)
                self._worth[place] += ESSENTIAL * self._rarity[skill]
            for skill in each.optional:
                self._optional[skill].append(place)
                self._worth[place] += OPTIONAL * self._rarity[skill]

    def find(self, name: str) -> Needs | None:
        """Returns the occupation of a URI or the group of an ISCO-08 code; None: nobody knows its skills."""
        return self._by_uri.get(name) or self._groups.get(name)

    def near(self, skills: Set[str], present: Collection[str]) -> Iterator[Near]:
        """Yields the occupations that share enough of the skills, the nearest first, none that is `present`
        (URIs, or ISCO-08 codes with all below them)."""
        size = len(self._all)
        worth, shared, essential = [0.0] * size, [0] * size, [0] * size
        for skill in skills & self._rarity.keys():
            rarity = self._rarity[skill]
            for place in self._essential.get(skill, ()):
                worth[place] += ESSENTIAL * rarity
                shared[place] += 1
                essential[place] += 1
            for place in self._optional.get(skill, ()):
                worth[place] += OPTIONAL * rarity
                shared[place] += 1
        found = sorted(
            (-worth[place] / self._worth[place], place)
            for place, count in enumerate(shared)
            if count >= LEAST_SHARED and essential[place] >= LEAST_ESSENTIAL
        )
        hidden = self._hidden(present)
        for negative, place in found:
            if not hidden.covers(self._all[place]):
                yield Near(self._all[place], -negative)

    def rarest(self, skills: Iterable[str]) -> list[str]:
        """Returns skills, the rarest first."""
        return sorted(skills, key=lambda skill: (-self._rarity.get(skill, 0.0), skill))

    def _hidden(self, present: Collection[str]) -> _Hidden:
        codes = {name for name in present if name.isascii() and name.isdecimal()}
        known = [each for name in present if (each := self.find(name)) is not None]
        return _Hidden(frozenset(present), frozenset(codes), frozenset(each.isco_code for each in known))


class _Hidden(NamedTuple):
    """What is no idea: occupations by URI, those of a code, and groups that one of them belongs to."""

    uris: frozenset[str]
    codes: frozenset[str]
    known: frozenset[str]

    def covers(self, needs: Needs) -> bool:
        """True for what is one of them."""
        code = needs.isco_code
        return (
            needs.uri in self.uris
            or any(code.startswith(each) for each in self.codes)
            or (needs.is_group and any(each.startswith(code) for each in self.known))
        )


@dataclass
class Option:
    """A course that could close part of a gap; `score`: how clearly it names the skills."""

    skills: set[str] = field(default_factory=set)
    score: float = 0.0


def closing(options: Mapping[Key, Option], missing: Mapping[str, float], most: int) -> list[Key]:
    """Returns at most so many options: each time the one that closes most of what is still open, by the worth
    of the `missing` skills; once nothing is open, the others by what they would have closed."""

    def worth(skills: Iterable[str]) -> float:
        return sum(missing[skill] for skill in skills)

    # What an option closes only shrinks, so that who stood first and still closes as much is the best.
    heap = [
        (-worth(each.skills), -each.score, place, key) for place, (key, each) in enumerate(options.items())
    ]
    heapq.heapify(heap)
    open_, chosen, others = set(missing), list[Key](), []
    while heap and len(chosen) < most:
        before, score, place, key = heapq.heappop(heap)
        now = -worth(options[key].skills & open_)
        if now == 0:
            others.append(key)
        elif now == before:
            chosen.append(key)
            open_ -= options[key].skills
        else:
            heapq.heappush(heap, (now, score, place, key))
    others.sort(key=lambda key: (-worth(options[key].skills), -options[key].score))
    return [*chosen, *others][:most]
