"""Giving a debt up takes a proposal and a second person, whoever the debtor is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.write_offs import Debt

NOW = datetime(2026, 11, 28, tzinfo=UTC)
OPEN = Debt("OPEN", "OPEN", "", 700, 300)
PROPOSED = Debt("WRITE_OFF_PROPOSED", "OPEN", "anna", 700, 300)


def test_what_is_free_is_given_up_beside_what_was_before() -> None:
    assert OPEN.propose("anna", b"sealed") == {"proposed_by": "anna", "sealed_reason": b"sealed"}
    assert PROPOSED.approve("bert", NOW) == {
        "written_off_cents": 1000,
        "proposed_by": "",
        "write_off_by": "anna",
        "written_off_by": "bert",
        "written_off_at": NOW,
    }
    assert PROPOSED.decline() == {"proposed_by": "", "sealed_reason": None}


@pytest.mark.parametrize(
    ("debt", "step", "metadata"),
    [
        (PROPOSED, "propose", {"state": "WRITE_OFF_PROPOSED", "needed": "OPEN"}),
        (OPEN._replace(free=0, state="SETTLED"), "propose", {"state": "SETTLED", "needed": "OPEN"}),
        (OPEN, "approve", {"state": "OPEN", "needed": "WRITE_OFF_PROPOSED"}),
        (PROPOSED._replace(free=0), "approve", {"state": "SETTLED", "needed": "WRITE_OFF_PROPOSED"}),
        (OPEN, "decline", {"state": "OPEN", "needed": "WRITE_OFF_PROPOSED"}),
    ],
)
def test_a_step_out_of_order_says_what_it_needs(debt: Debt, step: str, metadata: dict[str, str]) -> None:
    steps = {
        "propose": lambda: debt.propose("bert", b""),
        "approve": lambda: debt.approve("bert", NOW),
        "decline": debt.decline,
    }
    with pytest.raises(Refusal) as refused:
        steps[step]()
    assert refused.value.reason == reason_pb2.REASON_WRONG_STATE
    assert refused.value.metadata == metadata


def test_who_proposed_does_not_approve() -> None:
    with pytest.raises(Refusal) as refused:
        PROPOSED.approve("anna", NOW)
    assert refused.value.reason == reason_pb2.REASON_SAME_PERSON
