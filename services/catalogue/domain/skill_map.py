"""Which occupations need which skills, and how near somebody with some skills is to them.

Every weight stands here and in docs/ideas.md, held equal by a test. Of a person nothing is known but
concepts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
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
        self._all = list(occupations)
        self._by_uri = {each.uri: each for each in self._all}
        self._groups = {each.isco_code: each for each in self._all if each.is_group}
        needed = Counter(skill for each in self._all for skill in (*each.essential, *each.optional))
        # A skill that most occupations need says little about which of them is near.
        self._rarity = {skill: math.log(1 + len(self._all) / count) for skill, count in needed.items()}
        self._needing: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._worth = [0.0] * len(self._all)
        for place, each in enumerate(self._all):
            for skills, share in ((each.essential, ESSENTIAL), (each.optional, OPTIONAL)):
                for skill in skills:
                    worth = share * self._rarity[skill]
                    self._needing[skill].append((place, worth))
                    self._worth[place] += worth

    def find(self, name: str) -> Needs | None:
        """Returns the occupation of a URI or the group of an ISCO-08 code; None: nobody knows its skills."""
        return self._by_uri.get(name) or self._groups.get(name)

    def near(self, skills: Set[str], present: Collection[str]) -> list[Near]:
        """Returns the occupations that share enough of the skills, the nearest first, none that is `present`
        (URIs, or ISCO-08 codes with all below them)."""
        shared: defaultdict[int, float] = defaultdict(float)
        for skill in skills & self._needing.keys():
            for place, worth in self._needing[skill]:
                shared[place] += worth
        hidden = self._hidden(present)
        found = [
            Near(each, worth / self._worth[place])
            for place, worth in shared.items()
            if not hidden.covers(each := self._all[place]) and _enough(each, skills)
        ]
        return sorted(found, key=lambda each: (-each.nearness, each.needs.uri))

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


def _enough(needs: Needs, skills: Set[str]) -> bool:
    essential = sum(skill in skills for skill in needs.essential)
    if essential < LEAST_ESSENTIAL:
        return False
    return essential + sum(skill in skills for skill in needs.optional) >= LEAST_SHARED


@dataclass
class Option:
    """A course that could close part of a gap; `score`: how clearly it names the skills."""

    skills: set[str] = field(default_factory=set)
    score: float = 0.0


def closing(options: Mapping[Key, Option], missing: Mapping[str, float], most: int) -> list[Key]:
    """Returns at most so many options: each time the one that closes most of what is still open, by the worth
    of the `missing` skills; once nothing is open, the others by what they would have closed."""
    left, open_, chosen = dict(options), set(missing), list[Key]()
    while left and len(chosen) < most:
        wanted = open_ if any(option.skills & open_ for option in left.values()) else set(missing)

        def worth(key: Key, among: Set[str] = wanted) -> tuple[float, float]:
            option = left[key]
            return sum(missing[skill] for skill in option.skills & among), option.score

        best = max(left, key=worth)
        open_ -= left.pop(best).skills
        chosen.append(best)
    return chosen
