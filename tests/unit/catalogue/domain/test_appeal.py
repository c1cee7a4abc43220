"""Who may decide an appeal."""

from __future__ import annotations

import pytest
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.appeal import State, check_decision
from services.platform.errors import Refusal


@pytest.mark.parametrize(
    ("state", "caller", "reason"),
    [
        (State.OPEN, "who decided before", "REASON_SAME_PERSON"),
        (State.OPEN, "who appeals", "REASON_SAME_PERSON"),
        (State.UPHELD, "another", "REASON_WRONG_STATE"),
        (State.DISMISSED, "another", "REASON_WRONG_STATE"),
    ],
)
def test_an_open_appeal_is_decided_by_another_person(state: State, caller: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_decision(state, "who decided before", "who appeals", caller)
    assert refused.value.reason == getattr(reason_pb2, reason)
    check_decision(State.OPEN, "who decided before", "who appeals", "another")
    check_decision(State.OPEN, "", "who appeals", "another")  # who decided before was not kept
