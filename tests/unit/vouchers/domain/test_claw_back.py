"""Where a claw-back takes from, and how what is owed back is spread over what is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.platform.errors import Refusal
from services.vouchers.domain.clawback import Owed, Taken, set_off, spread
from services.vouchers.domain.states import RedemptionState

CENTS = st.integers(1, 1000)


def names(prefix: str, amounts: list[int]) -> list[tuple[str, int]]:
    """Returns amounts with names."""
    return [(f"{prefix}{place}", cents) for place, cents in enumerate(amounts)]


def test_it_takes_from_held_then_cleared_then_the_provider_owes() -> None:
    owed = Owed(RedemptionState.ACCEPTED, accepted=100, held=30, cleared=20, clawed=10)
    assert owed.take(0) == Taken(30, 20, 40)
    assert owed.take(35) == Taken(30, 5, 0)
    after = owed.after(Taken(30, 5, 0))
    assert (after.state, after.held, after.cleared, after.clawed) == (RedemptionState.ACCEPTED, 0, 15, 45)
    assert owed.after(owed.take(0)).state is RedemptionState.CLAWED_BACK
    with pytest.raises(Refusal, match="AMOUNT_TOO_HIGH"):
        owed.take(91)


@pytest.mark.parametrize("state", RedemptionState)
def test_only_what_was_accepted_and_is_in_no_batch_can_be_taken_back(state: RedemptionState) -> None:
    owed = Owed(state, 100, 0, 0, 0)
    if state in (RedemptionState.ACCEPTED, RedemptionState.PAID):
        assert owed.take(100).receivable == 100
        return
    with pytest.raises(Refusal, match="WRONG_STATE"):
        owed.take(100)


@given(st.lists(CENTS, max_size=6), st.lists(CENTS, max_size=6))
def test_every_cent_goes_somewhere_once(due: list[int], owed: list[int]) -> None:
    against = set_off(sum(due), names("v", owed))
    assert sum(cents for _, cents in against) == min(sum(due), sum(owed))
    paid = list(spread(names("r", due), against))
    for (_, cents, parts), amount in zip(paid, due, strict=True):
        assert cents >= 0
        assert cents + sum(part for _, part in parts) == amount
    used: dict[str, int] = {}
    for _, _, parts in paid:
        for receivable, part in parts:
            used[receivable] = used.get(receivable, 0) + part
    assert used == dict(against)
