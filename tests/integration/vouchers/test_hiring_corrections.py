"""A hiring that was verified wrongly is refuted by two people, also after what is owed was booked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import transaction
from services.vouchers.api import hirings
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_employer_obligations import (
    OWED,
    approve,
    assess,
    decide,
    enrol,
    intact,
    pay,
    read,
    report,
)
from tests.support.instruments import obligation
from tests.support.quality import told
from tests.support.vouchers import World, cents, request_id

State, Trainee = pb.EmployerObligation, pb.Trainee


def refute(who: Any, name: str, people: list[Any]) -> Any:
    """Finds hirings wrong as `who`; returns the first trainee."""
    request = pb.DecideHiringsRequest(
        parent=name, trainees=[each.name for each in people], refute=True, request_id=request_id()
    )
    return who.obligations.DecideHirings(request).trainees[0]


def hired(world: World, count: int, verified: int) -> tuple[str, list[Any]]:
    """A promise with `count` trainees, of whom `verified` were hired; returns it and them."""
    name = obligation(world).name
    people = approve(world, name, enrol(world, name, count))
    report(world, name, people[:verified])
    decide(world, name, people[:verified])
    return name, people


def test_a_verified_hiring_is_refuted_by_two_people_and_can_be_reported_again(world: World) -> None:
    name, people = hired(world, 1, 1)
    first, second = world.person("caseworker"), world.person("caseworker")
    for _ in range(2):  # saying it twice changes nothing
        said = refute(first, name, people)
        assert (said.hiring, said.correction_proposed) == (Trainee.HIRING_VERIFIED, True)
    assert read(world, name).hired_count == 1
    assert not decide(world, name, people).trainees[0].correction_proposed  # it is true after all
    assert refute(second, name, people).correction_proposed
    gone = refute(first, name, people)
    assert (gone.hiring, gone.correction_proposed) == (Trainee.HIRING_REFUTED, False)
    assert read(world, name).hired_count == 0
    report(world, name, people)
    decide(world, name, people)
    assert cents(assess(world, name).owed) == 0


def test_after_the_assessment_the_difference_is_booked_both_ways(world: World) -> None:
    name, people = hired(world, 5, 4)
    assert assess(world, name).state == State.STATE_SETTLED
    first, second = world.person("caseworker"), world.person("caseworker")
    refute(first, name, people[:2])
    refute(second, name, people[:2])
    found = read(world, name)
    assert (found.state, cents(found.owed), found.hired_count) == (State.STATE_OWED, 200_000, 2)
    assert world.balances()[OWED] == -200_000
    assert intact(world)
    report(world, name, people[:1])
    assert refused(lambda: report(world, name, people[4:])) == "WRONG_STATE"  # too late for a first report
    decide(world, name, people[:1])
    assert cents(read(world, name).owed) == 100_000
    assert world.balances()[OWED] == -100_000
    assert intact(world)
    counted = [
        (event.missing_count, cents(event.owed))
        for event in told(world, events_pb2.EmployerObligationAssessed)
    ]
    assert counted == [(0, 0), (2, 200_000), (1, 100_000)]


def test_a_correction_never_leaves_an_employer_that_has_paid_too_much(world: World) -> None:
    name, people = hired(world, 2, 1)
    refute(world.person("caseworker"), name, people[:1])
    refute(world.person("caseworker"), name, people[:1])
    assert cents(assess(world, name).owed) == 200_000
    settled = pay(world, name, 200_000)
    report(world, name, people[:1])
    assert refused(lambda: decide(world, name, people[:1])) == "PAID_MORE_THAN_OWED"
    undo = pb.UndoObligationPaymentRequest(name=settled.payments[0].name)
    world.approver.obligations.UndoObligationPayment(undo)
    decide(world, name, people[:1])
    assert pay(world, name, 100_000).state == State.STATE_SETTLED
    assert intact(world)


def test_what_was_written_off_is_counted_no_more(world: World) -> None:
    name, people = hired(world, 2, 1)
    assess(world, name)
    proposal = pb.ProposeObligationWriteOffRequest(name=name, reason="insolvent")
    world.payer.obligations.ProposeObligationWriteOff(proposal)
    world.approver.obligations.ApproveObligationWriteOff(pb.ApproveObligationWriteOffRequest(name=name))
    assert refused(lambda: refute(world.caseworker, name, people[:1])) == "WRONG_STATE"


def test_control_without_the_guard_one_person_takes_a_hiring_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, people = hired(world, 1, 1)
    monkeypatch.setattr(hirings, "_proposes", lambda tx, trainee: False)
    assert refute(world.person("caseworker"), name, people).hiring == Trainee.HIRING_REFUTED


def test_the_database_refuses_whoever_proposed_a_correction(world: World) -> None:
    name, people = hired(world, 1, 1)
    refute(world.caseworker, name, people)
    with pytest.raises(Exception, match="hiring_corrected_by_another"), transaction(world.app) as tx:
        tx.execute(text("UPDATE obligation_trainees SET hiring = 3, decided_by = correction_by"))
