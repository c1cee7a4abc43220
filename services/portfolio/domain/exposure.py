"""Counting by gender whom which occupations were suggested to: each person once a month for each group.

What was counted of a person is kept sealed beside their consent, so that nobody is counted twice and the
counts themselves need to know of nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

TERMS = "idea-exposure-1"  # what people agree to; the text is in docs/ideas.md
SMALLEST = 10  # people; fewer are not told of
ANY = ""  # instead of a code: some occupation or other


class Counted(NamedTuple):
    """ISCO-08 codes that a person was counted for in a month (its first day)."""

    month: date
    codes: frozenset[str]

    def encoded(self) -> bytes:
        """Returns it as bytes, to be sealed."""
        return json.dumps([self.month.isoformat(), sorted(self.codes)]).encode()

    @classmethod
    def decoded(cls, data: bytes) -> Counted:
        """Returns what `encoded` made."""
        month, codes = json.loads(data)
        return cls(date.fromisoformat(month), frozenset(codes))


NOTHING = Counted(date.min, frozenset())


def count(before: Counted, today: date, codes: Iterable[str]) -> tuple[Counted, list[str]]:
    """Returns what a person is counted for after some codes were shown `today`, and the codes that are new
    this month, in order, ANY with the first of them."""
    month = today.replace(day=1)
    known = before.codes if before.month == month else frozenset()
    fresh = {ANY, *codes} - known
    return Counted(month, known | fresh), sorted(fresh)


def told(people: int) -> int | None:
    """Returns a number as it may be told; None: too few people."""
    return people if people >= SMALLEST else None
