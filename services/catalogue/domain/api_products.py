"""API products: who may have one, and which calls it covers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from services.platform.errors import Violation

NOBODY_NAMED = {"en": "No rule of this product lets organisations of this kind have it."}


class Effect(IntEnum):
    """What becomes of a request, as in the contract."""

    ALLOW = 1
    REFUSE = 2


class Rule(NamedTuple):
    """Decides over organisations of a sector and a role, 0 for any. `reasons`: why not, by language."""

    sector: int
    role: int
    effect: int
    reasons: Mapping[str, str]

    def fits(self, sector: int, roles: Collection[int]) -> bool:
        """True when the rule speaks of an organisation of this sector with these roles."""
        return self.sector in (0, sector) and (not self.role or self.role in roles)


def rule_faults(rules: Sequence[Rule]) -> list[Violation]:
    """Returns what is wrong with rules: each that refuses says why."""
    return [
        Violation(f"eligibility[{index}].reasons", "must say why, where the rule refuses")
        for index, rule in enumerate(rules)
        if rule.effect == Effect.REFUSE and not rule.reasons
    ]


def refusal(rules: Iterable[Rule], sector: int, roles: Collection[int]) -> Mapping[str, str]:
    """Returns why an organisation may not have a product, by language; empty when it may.

    The first rule that fits decides; where none does, nobody may.
    """
    found = next((rule for rule in rules if rule.fits(sector, roles)), None)
    if found is None:
        return NOBODY_NAMED
    return {} if found.effect == Effect.ALLOW else found.reasons


def covers(methods: Collection[str], path: str) -> bool:
    """True when the methods of a product (`catalogue.v1.SearchService[/SearchCourses]`) name the RPC at a
    path (`/waymark.catalogue.v1.SearchService/SearchCourses`) or its service."""
    name = path.removeprefix("/waymark.")
    return name in methods or name.rpartition("/")[0] in methods
