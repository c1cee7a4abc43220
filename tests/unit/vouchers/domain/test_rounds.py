"""Rounds of checkpoints: what each names, and what its signature covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from services.vouchers.domain.ledger import Head
from services.vouchers.domain.rounds import EVERY, START, Mark, Round, first_of, marks_of

HEADS = [Head(2, "EUR", 5, b"two"), Head(1, "EUR", 3, b"one"), Head(3, "EUR", 0, b"")]


def test_a_round_names_what_moved_and_one_of_many_names_every_chain() -> None:
    one, two = Mark(1, 3, b"one"), Mark(2, 5, b"two")
    assert marks_of(HEADS, {}, 1) == (one, two)
    assert marks_of(HEADS, {1: 3, 2: 4}, 2) == (two,)
    assert marks_of(HEADS, {1: 3, 2: 4}, EVERY + 1) == (one, two)
    for number in (2, EVERY + 1):
        assert marks_of(HEADS, {1: 3, 2: 5}, number) == ()  # nothing moved: no round
    assert [first_of(number) for number in (1, EVERY, EVERY + 1)] == [1, 1, EVERY + 1]


def test_what_is_signed_covers_every_field() -> None:
    made = Round(1, START, (Mark(1, 3, b"one"),), datetime(2026, 1, 1, tzinfo=UTC))
    others = [
        replace(made, number=2),
        replace(made, previous=made.digest),
        replace(made, moment=datetime(2026, 1, 2, tzinfo=UTC)),
        replace(made, marks=()),
        *(replace(made, marks=(mark,)) for mark in (Mark(2, 3, b"one"), Mark(1, 4, b"one"), Mark(1, 3, b""))),
        replace(made, marks=(*made.marks, Mark(7, None, None))),  # type: ignore[arg-type]  # tampered with
    ]
    assert len({each.digest for each in [made, *others]}) == 1 + len(others)
