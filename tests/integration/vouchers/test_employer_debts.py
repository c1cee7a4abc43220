"""What an employer owes for its promise and will never pay is given up by two people, and stays a loss."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.vouchers.api import employer_obligations
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_employer_obligations import OWED, approve, assess, enrol, pay
from tests.support.canary import CANARY, everything
from tests.support.instruments import YARD, employer_of, obligation
from tests.support.quality import told
from tests.support.vouchers import World, cents

State = pb.EmployerObligation
LOSS = 9  # kind of account


@pytest.fixture
def debt(world: World) -> Any:
    """A world in which the yard owes 1 000 euro."""
    made: Any = world
    made.name = obligation(world).name
    approve(world, made.name, enrol(world, made.name, 1))
    assert cents(assess(world, made.name).owed) == 100_000
    return made


def propose(world: Any, reason: str = "insolvent") -> Any:
    """Proposes the write-off, as the payer."""
    request = pb.ProposeObligationWriteOffRequest(name=world.name, reason=reason)
    return world.payer.obligations.ProposeObligationWriteOff(request)


def give_up(world: Any, who: Any = None, etag: str = "") -> Any:
    """Approves it."""
    request = pb.ApproveObligationWriteOffRequest(name=world.name, etag=etag)
    return (who or world.approver).obligations.ApproveObligationWriteOff(request)


def read(world: Any, who: Any) -> Any:
    """Reads the obligation."""
    return who.obligations.GetEmployerObligation(pb.GetEmployerObligationRequest(name=world.name))


def test_what_is_left_is_given_up_by_two_people(debt: Any) -> None:
    pay(debt, debt.name, 30_000)
    proposed = propose(debt)
    assert (proposed.state, cents(proposed.outstanding)) == (State.STATE_WRITE_OFF_PROPOSED, 70_000)
    assert refused(lambda: propose(debt)) == "WRONG_STATE"
    assert refused(lambda: give_up(debt, debt.payer)) == "SAME_PERSON"
    assert refused(lambda: give_up(debt, etag='"0"')) == "ETAG_STALE"
    assert cents(pay(debt, debt.name, 20_000).outstanding) == 50_000  # it can still be paid
    assert refused(lambda: give_up(debt, etag=proposed.etag)) == "ETAG_STALE"
    done = give_up(debt, etag=read(debt, debt.approver).etag)
    assert (done.state, cents(done.written_off), cents(done.outstanding)) == (
        State.STATE_WRITTEN_OFF,
        50_000,
        0,
    )
    assert done.HasField("write_off_time")
    balances = debt.balances()
    assert (balances.get(OWED, 0), balances[LOSS]) == (0, -50_000)
    (event,) = told(debt, events_pb2.EmployerDebtWrittenOff)
    assert (event.employer_obligation, event.employer, cents(event.amount)) == (debt.name, YARD, 50_000)
    assert refused(lambda: give_up(debt)) == "WRONG_STATE"
    assert refused(lambda: pay(debt, debt.name, 1)) == "WRONG_STATE"
    assert debt.verify().intact


def test_a_debt_that_is_paid_meanwhile_is_settled_and_nothing_is_lost(debt: Any) -> None:
    propose(debt)
    assert pay(debt, debt.name, 100_000).state == State.STATE_SETTLED
    assert refused(lambda: give_up(debt)) == "WRONG_STATE"
    assert LOSS not in debt.balances()
    assert debt.verify().intact


def test_a_proposal_is_declined_and_made_anew(debt: Any) -> None:
    decline = pb.DeclineObligationWriteOffRequest(name=debt.name)
    assert refused(lambda: debt.approver.obligations.DeclineObligationWriteOff(decline)) == "WRONG_STATE"
    for who in (debt.payer, debt.approver):
        propose(debt)
        declined = who.obligations.DeclineObligationWriteOff(decline)
        assert (declined.state, declined.write_off_reason) == (State.STATE_OWED, "")
    assert refused(lambda: give_up(debt)) == "WRONG_STATE"
    propose(debt)
    assert give_up(debt).state == State.STATE_WRITTEN_OFF


def test_only_a_debt_can_be_given_up(world: World) -> None:
    made: Any = world
    made.name = obligation(world).name
    assert refused(lambda: propose(made)) == "WRONG_STATE"
    assert refused(lambda: give_up(made)) == "WRONG_STATE"


def test_the_reason_is_for_finance_and_auditors_and_nowhere_in_the_clear(debt: Any) -> None:
    propose(debt, f"{CANARY} went abroad")
    assert read(debt, debt.auditor).write_off_reason == f"{CANARY} went abroad"
    for who in (employer_of(debt), debt.maker):
        assert not read(debt, who).write_off_reason
    assert CANARY not in everything(debt.app.engine)


def test_verification_sees_a_loss_that_nobody_booked(debt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(debt)
    monkeypatch.setattr(employer_obligations.ledger, "post", lambda *_: None)
    give_up(debt)
    monkeypatch.undo()
    assert {finding.kind for finding in debt.verify().findings} == {"BALANCE"}
