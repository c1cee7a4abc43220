"""What chains hold is compared with rounds, however either is cut into parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.vouchers.domain.findings import Report
from services.vouchers.domain.rounds import START, Mark, Round
from services.vouchers.verifying_rounds import Marks

CHAINS, LENGTH = (0, 3), 40
HASHES = {(shard, n): bytes([shard, n] * 16) for shard in CHAINS for n in range(1, LENGTH + 1)}


def made(number: int, *places: tuple[int, int]) -> Round:
    """Returns a round that names places."""
    marks = tuple(Mark(*place, HASHES[place]) for place in places)
    return Round(number, START, marks, datetime(2026, 1, 1, tzinfo=UTC))


ROUNDS = [
    made(1, (0, 1), (3, 2)),
    made(2, (0, 17)),
    made(3, (0, 17), (3, 20)),  # a chain that did not move
    made(4, (3, LENGTH)),
    made(5, (0, LENGTH), (3, LENGTH)),
]


def parts(size: int, *, beside: bool) -> Iterator[Any]:
    """Yields the places of all rounds as the database does, in parts of up to `size`; with some `beside` that
    nobody signed, of chains that are not there, of no entry and of numbers that no round can have."""
    strange = [(-1, 5, 1), (1, 5, 1), (3, LENGTH + 1, 1), (7, 1, 1), (0, 3, -1), (0, 3, 0), (0, 3, 10**9)]
    named = [(mark.shard, mark.sequence, each.number) for each in ROUNDS for mark in each.marks]
    every = sorted(named + strange * beside)
    for shard in sorted({place[0] for place in every}):
        own = [place for place in every if place[0] == shard]
        for start in range(0, len(own), size):
            _, sequences, numbers = zip(*own[start : start + size], strict=True)
            yield SimpleNamespace(shard=shard, sequences=list(sequences), numbers=list(numbers))


def held(marks: Marks, hashes: dict[tuple[int, int], bytes], size: int) -> list[bool]:
    """Returns for each round whether chains, read in blocks of up to `size`, hold what it signed."""
    for shard in CHAINS:
        for start in range(1, LENGTH + 1, size):
            places = range(start, min(start + size, LENGTH + 1))
            marks.take(Report(1), shard, places[-1], {n: hashes[shard, n] for n in places})
    return [marks.says(each) for each in ROUNDS]


@pytest.mark.parametrize("part", [1, 2, 100])
@pytest.mark.parametrize("block", [1, 7, LENGTH])
@pytest.mark.parametrize("beside", [False, True])
def test_chains_hold_what_rounds_signed(part: int, block: int, beside: bool) -> None:
    def marks() -> Marks:
        return Marks(parts(part, beside=beside), len(ROUNDS), [])

    assert held(marks(), HASHES, block) == [True] * 5
    changed = HASHES | {(0, 17): bytes(32), (3, LENGTH): bytes(32)}  # the control
    assert held(marks(), changed, block) == [True, False, False, False, False]
