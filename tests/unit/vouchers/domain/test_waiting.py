"""States of an entry on a waiting list, and the fold of a voucher's history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.history import Happening, Kind, told
from services.vouchers.domain.states import ApplicationState, VoucherState
from services.vouchers.domain.waiting import Entry, WaitingState, may_wait

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OFFERED = Entry(WaitingState.WAITING).offer(100, LATER)
MOVES: dict[str, Callable[[Entry], Entry]] = {
    "offer": lambda entry: entry.offer(1, LATER),
    "accept": lambda entry: entry.accept(NOW),
    "lapse": lambda entry: entry.lapse(LATER),
    "leave": lambda entry: entry.leave(),
    "close": lambda entry: entry.close(),
    "back": lambda entry: entry.back(),
}
ALLOWED = {
    WaitingState.WAITING: {"offer", "leave", "close"},
    WaitingState.OFFERED: {"accept", "lapse", "leave", "close", "back"},
}


@pytest.mark.parametrize("state", WaitingState)
@pytest.mark.parametrize("move", MOVES)
def test_only_what_is_allowed_happens(state: WaitingState, move: str) -> None:
    held = 100 if state is WaitingState.OFFERED else 0
    entry = Entry(state, held, LATER if held else None)
    if move in ALLOWED.get(state, set()):
        after = MOVES[move](entry)
        assert (after.state is WaitingState.OFFERED) == (after.held > 0)
    else:
        with pytest.raises(Refusal) as raised:
            MOVES[move](entry)
        assert raised.value.reason == reason_pb2.REASON_WRONG_STATE


def test_an_offer_ends_at_its_limit_and_not_before() -> None:
    with pytest.raises(Refusal) as raised:
        OFFERED.accept(LATER)
    assert raised.value.reason == reason_pb2.REASON_OFFER_EXPIRED
    with pytest.raises(Refusal):
        OFFERED.lapse(NOW)
    assert OFFERED.accept(NOW).state is WaitingState.ACCEPTED


def test_only_who_lacks_money_alone_may_wait() -> None:
    refused, lacking = ApplicationState.REFUSED, ["BUDGET_EXHAUSTED"]
    assert may_wait(refused, lacking)
    assert not may_wait(refused, [*lacking, "GRANTED_BEFORE"])
    assert not may_wait(refused, ["CASEWORKER"])
    assert not may_wait(ApplicationState.GRANTED, [])


def test_a_history_is_told_with_states_and_amounts() -> None:
    def happened(kind: Kind, available: int = 0, reserved: int = 0, returned: int = 0) -> Happening:
        return Happening(kind, NOW, available, reserved, returned)

    items = told(
        [
            happened(Kind.ISSUED, 100),
            happened(Kind.CODE_ISSUED),
            happened(Kind.RESERVED, -80, 80),
            happened(Kind.ACCEPTED, 10, -80),
            happened(Kind.RESERVED, -30, 30),
            happened(Kind.ACCEPTED, 0, -30),
            happened(Kind.CLAWED_BACK, returned=70),
            happened(Kind.CLAWED_BACK, 30),
            happened(Kind.EXPIRED, -30),
        ]
    )
    states = [item.state.name for item in items]
    assert states == [
        "ISSUED",
        "ISSUED",
        "ACTIVE",
        "PARTLY_USED",
        "PARTLY_USED",
        "EXHAUSTED",
        "EXHAUSTED",  # what was clawed back went to the programme
        "ISSUED",
        "EXPIRED",
    ]
    assert items[-1].state is VoucherState.EXPIRED
    assert (items[-1].available, items[-1].reserved) == (0, 0)
