"""How payments are split over the funding sources that bear them. Integer cents.

Who pays which cent is a fixed sequence (R. Tijdeman, The chairman assignment problem, 1980): the t-th cent
goes to the source that would otherwise fall too far behind its share. So after any number of cents each
source is within a cent of its exact share (with two sources within half a cent, which is the largest
remainder), and no source gets less when the sum grows. Splitting each sum anew by largest remainders lacks
the second property: with three sources or more a further cent can take one away from a source, and a partial
payment would then ask for money back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import gcd
from typing import Protocol

from services.platform.errors import Violation

WHOLE = 10_000  # basis points of everything
Shares = tuple[tuple[str, int], ...]  # source and basis points


class Share(Protocol):
    """A share as the contract has it."""

    funding_source: str
    basis_points: int


def problems(shares: Sequence[Share]) -> list[Violation]:
    """Returns what is wrong with the shares of a version; none at all are right."""
    found = []
    named = [share.funding_source for share in shares]
    for index, name in enumerate(named):
        if name in named[:index]:
            found.append(Violation(f"version.co_funding[{index}].funding_source", f"{name!r} is used before"))
    total = sum(share.basis_points for share in shares)
    if shares and total != WHOLE:
        found.append(Violation("version.co_funding", f"sums to {total} basis points and must sum to {WHOLE}"))
    return found


def shares_of(kept: Iterable[Mapping[str, object]] | None, pot_source: str) -> Shares:
    """Returns the shares that the kept rules of a version declare, else the pot's source with everything.

    `kept`: `co_funding` in the stored form; `pot_source`: `fundingSources/{id}`.
    """
    declared = tuple((str(item["funding_source"]), int(str(item["basis_points"]))) for item in kept or ())
    return declared or ((pot_source, WHOLE),)


def split(shares: Shares, cents: int) -> dict[str, int]:
    """Returns what each source bears of `cents`; sums to exactly that. Below zero it is split like above."""
    parts, sequence = _sequence(tuple(points for _, points in shares))
    rounds, rest = divmod(abs(cents), len(sequence) - 1)
    sign = -1 if cents < 0 else 1
    return {
        source: sign * (rounds * part + so_far)
        for (source, _), part, so_far in zip(shares, parts, sequence[rest], strict=True)
    }


def part(shares: Shares, before: int, cents: int) -> dict[str, int]:
    """Returns what each source bears of `cents` (below zero: gets back) that come after `before` cents, so
    that all parts together are the split of their sum."""
    behind, ahead = split(shares, before), split(shares, before + cents)
    return {source: ahead[source] - behind[source] for source in ahead}


@lru_cache(maxsize=256)
def _sequence(points: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Returns the parts in lowest terms, and what each source has after 0, 1, … cents of one round."""
    common = gcd(*points)
    parts = tuple(each // common for each in points)
    whole, count = sum(parts), len(parts)
    # In units of 1 / (whole * slack), so that all is exact.
    slack = max(2 * count - 2, 1)
    given = [0] * count
    taken = [tuple(given)]
    for cent in range(1, whole + 1):
        owed = [(cent * part - whole * has) * slack for part, has in zip(parts, given, strict=True)]
        ready = [place for place in range(count) if owed[place] >= whole]
        # The time left before a source would be further behind than the bound allows.
        due = min(ready, key=lambda place: ((whole * (slack - 1) - owed[place]) / parts[place], place))
        given[due] += 1
        taken.append(tuple(given))
    return parts, tuple(taken)
