"""The month of a rights request, and where a request may come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from waymark.portfolio.v1 import rights_request_pb2 as pb

from services.platform.errors import Refusal
from services.portfolio.domain import rights

S = pb.RightsRequest
NO_IDENTITY, LAW = pb.REFUSAL_GROUND_IDENTITY_NOT_SHOWN, pb.REFUSAL_GROUND_LEGAL_OBLIGATION


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        ((2026, 3, 15, 9, 30), (2026, 4, 15, 9, 30), (2026, 6, 15, 9, 30)),
        ((2026, 1, 31), (2026, 2, 28), (2026, 4, 30)),
        ((2028, 1, 31), (2028, 2, 29), (2028, 4, 30)),
        ((2026, 12, 31), (2027, 1, 31), (2027, 3, 31)),
        ((2026, 11, 30), (2026, 12, 30), (2027, 2, 28)),
    ],
)
def test_a_month_ends_on_the_same_day_or_the_last(
    received: tuple[int, ...], due: tuple[int, ...], extended: tuple[int, ...]
) -> None:
    came = datetime(*received, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert rights.due(came) == datetime(*due, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert rights.due(came, extended=True) == datetime(*extended, tzinfo=UTC)  # type: ignore[misc,arg-type]


def allowed(state: int, to: int, ground: int) -> bool:
    try:
        rights.require(state, to, ground)  # type: ignore[arg-type]
    except Refusal:
        return False
    return True


def test_only_these_ways_lead_on() -> None:
    received, checked, preparing = rights.OPEN
    ways = {
        (received, S.STATE_IDENTITY_CHECKED, 0),
        (checked, S.STATE_PREPARING, 0),
        (preparing, S.STATE_DELIVERED, 0),
        (preparing, S.STATE_PARTLY_REFUSED, LAW),
        (received, S.STATE_PARTLY_REFUSED, NO_IDENTITY),
        *((state, S.STATE_WITHDRAWN, 0) for state in rights.OPEN),
    }
    targets = [(to, 0) for to in S.State.values() if to > received and to != S.STATE_PARTLY_REFUSED]
    targets += [(S.STATE_PARTLY_REFUSED, LAW), (S.STATE_PARTLY_REFUSED, NO_IDENTITY)]
    found = {
        (state, to, ground)
        for state in S.State.values()
        for to, ground in targets
        if allowed(state, to, ground)
    }
    assert found == ways


def test_a_request_is_extended_once_and_in_time() -> None:
    came = datetime(2026, 3, 15, tzinfo=UTC)
    request = S(state=S.STATE_RECEIVED)
    request.due_time.FromDatetime(rights.due(came))
    last = rights.due(came) - timedelta(seconds=1)
    rights.require_extendable(request, last)

    def found(request: S, now: datetime) -> str:
        with pytest.raises(Refusal) as refused:
            rights.require_extendable(request, now)
        return str(refused.value.metadata["state"])

    assert found(request, rights.due(came)) == "OVERDUE"
    request.extend_time.FromDatetime(came)
    assert found(request, last) == "EXTENDED"
    assert found(S(state=S.STATE_DELIVERED), came) == "DELIVERED"
