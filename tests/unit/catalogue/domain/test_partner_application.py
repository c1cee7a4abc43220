"""Applications to become a partner: decided once, by another person than applied."""

from __future__ import annotations

import pytest

from services.catalogue.domain.partner_application import State, check_decision
from services.platform.errors import Refusal


@pytest.mark.parametrize(
    ("state", "caller", "reason"),
    [
        (State.ADMITTED, "b", "WRONG_STATE"),
        (State.REFUSED, "b", "WRONG_STATE"),
        (State.OPEN, "a", "SAME_PERSON"),
    ],
)
def test_who_may_decide(state: State, caller: str, reason: str) -> None:
    check_decision(State.OPEN, "a", "b")
    with pytest.raises(Refusal, match=reason):
        check_decision(state, "a", caller)
