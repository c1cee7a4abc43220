"""Promises to hire: several payers, hirings by two people, what is owed for those not hired, payment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.vouchers.v1 import employer_obligation_pb2 as pb
from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import transaction
from services.vouchers.jobs import watch_obligations
from services.vouchers.store import obligations as store
from services.vouchers.store.obligation_tables import employer_obligations
from tests.integration.vouchers.refusals import refused, tried
from tests.support.instruments import employer_of, obligation, source
from tests.support.meetings import Meanwhile
from tests.support.quality import told
from tests.support.vouchers import World, cents, day_message, eur, request_id

State = pb.EmployerObligation
FUNDER, BANK, OWED = 1, 7, 12


def intact(world: World) -> bool:
    """Verifies the ledger, which must sum to zero."""
    report = world.verify()
    assert report.intact, report.findings
    return sum(world.balances().values()) == 0


def enrol(world: World, name: str, count: int, cost: int = 600_000) -> list[Any]:
    """Enrols new people; returns the trainees."""
    learners = [world.person("learner").learner for _ in range(count)]
    request = pb.EnrolTraineesRequest(parent=name, learners=learners, cost=eur(cost), request_id=request_id())
    return list(world.caseworker.obligations.EnrolTrainees(request).trainees)


def approve(world: World, name: str, people: list[Any]) -> list[Any]:
    """Approves enrolments."""
    request = pb.ApproveTraineesRequest(parent=name, trainees=[each.name for each in people])
    return list(world.payer.obligations.ApproveTrainees(request).trainees)


def report(world: World, name: str, people: list[Any], *, by: Any = None, days_ago: int = 2) -> Any:
    """Reports hirings, by default as the employer."""
    request = pb.ReportHiringsRequest(
        parent=name,
        trainees=[each.name for each in people],
        date=day_message(world.today - timedelta(days=days_ago)),
        evidence_reference="contracts/1",
        request_id=request_id(),
    )
    return (by or employer_of(world)).obligations.ReportHirings(request)


def decide(world: World, name: str, people: list[Any], *, refute: bool = False) -> Any:
    """Decides on reported hirings."""
    request = pb.DecideHiringsRequest(
        parent=name, trainees=[each.name for each in people], refute=refute, request_id=request_id()
    )
    return world.caseworker.obligations.DecideHirings(request)


def assess(world: World, name: str) -> Any:
    """Books what is owed."""
    return world.payer.obligations.AssessObligation(pb.AssessObligationRequest(name=name))


def pay(world: World, name: str, amount: int) -> Any:
    """Notes a payment."""
    request = pb.RecordObligationPaymentRequest(name=name, amount=eur(amount), request_id=request_id())
    return world.payer.obligations.RecordObligationPayment(request)


def read(world: World, name: str) -> Any:
    """Reads an obligation."""
    return world.auditor.obligations.GetEmployerObligation(pb.GetEmployerObligationRequest(name=name))


def test_each_payer_pays_its_part_to_the_cent(world: World) -> None:
    name = obligation(world).name
    people = enrol(world, name, 2, cost=100_001)
    assert [cents(part.amount) for part in people[0].parts] == [33_341, 33_330, 33_330]
    assert people[0].state == pb.Trainee.STATE_PROPOSED
    assert read(world, name).trainee_count == 0
    again = pb.EnrolTraineesRequest(parent=name, learners=[people[0].learner], cost=eur(5))
    same = world.caseworker.obligations.EnrolTrainees(again).trainees
    assert list(same) == [people[0]]
    assert {each.state for each in approve(world, name, people)} == {pb.Trainee.STATE_APPROVED}
    approve(world, name, people)
    assert world.balances() == {FUNDER: -200_002, BANK: 200_002}
    found = read(world, name)
    assert (found.trainee_count, found.required_count, found.hired_count) == (2, 2, 0)
    assert intact(world)


def test_a_trainee_has_one_name_and_is_paid_for_once(world: World) -> None:
    name = obligation(world).name
    (trainee,) = enrol(world, name, 1, cost=1_000)
    head, _, key = trainee.name.rpartition("/")
    twice = [trainee, pb.Trainee(name=f"{head}/{key.replace('-', '')}")]
    assert refused(lambda: approve(world, name, twice)) == "NOT_FOUND"
    approve(world, name, [trainee])
    assert world.balances() == {FUNDER: -1_000, BANK: 1_000}


def test_whoever_enrols_does_not_approve(world: World) -> None:
    name = obligation(world).name
    both = world.person("caseworker", "finance")
    request = pb.EnrolTraineesRequest(parent=name, learners=["learners/l"], cost=eur(1))
    made = both.obligations.EnrolTrainees(request).trainees
    approval = pb.ApproveTraineesRequest(parent=name, trainees=[made[0].name])
    assert refused(lambda: both.obligations.ApproveTrainees(approval)) == "SAME_PERSON"


def test_what_is_owed_for_those_not_hired_is_booked_and_paid(world: World) -> None:
    name = obligation(world).name
    people = approve(world, name, enrol(world, name, 10))
    report(world, name, people[:7])
    assert read(world, name).hired_count == 0
    decide(world, name, people[:6])
    decide(world, name, people[6:7], refute=True)
    report(world, name, people[7:8], days_ago=0)  # after the last day
    decide(world, name, people[7:8])
    found = assess(world, name)
    assert (found.required_count, found.hired_count) == (8, 6)
    assert (found.state, cents(found.owed)) == (State.STATE_OWED, 200_000)
    assert refused(lambda: assess(world, name)) == "WRONG_STATE"
    assert refused(lambda: report(world, name, people[8:])) == "WRONG_STATE"
    balances = world.balances()
    assert (balances[OWED], balances[FUNDER]) == (-200_000, -6_000_000 + 200_000)
    assert intact(world)
    assert refused(lambda: pay(world, name, 200_001)) == "AMOUNT_TOO_HIGH"
    assert cents(pay(world, name, 50_000).paid) == 50_000
    assert pay(world, name, 150_000).state == State.STATE_SETTLED
    assert refused(lambda: pay(world, name, 1)) == "WRONG_STATE"
    balances = world.balances()
    assert (balances.get(OWED, 0), balances[BANK]) == (0, 6_000_000 - 200_000)
    assert intact(world)


def test_what_waits_for_a_decision_is_decided_before_it_counts_as_missing(world: World) -> None:
    name = obligation(world).name
    people = approve(world, name, enrol(world, name, 1))
    report(world, name, people)
    watch_obligations(world.app)
    watch_obligations(world.app)
    (due,) = told(world, events_pb2.EmployerObligationDue)
    assert (due.employer_obligation, due.undecided_count) == (name, 1)
    assert refused(lambda: assess(world, name)) == "HIRINGS_UNDECIDED"
    decide(world, name, people)
    assert cents(assess(world, name).owed) == 0


def test_an_enrolment_by_mistake_goes_until_it_is_approved(world: World) -> None:
    name = obligation(world).name
    kept, wrong = enrol(world, name, 2)
    approve(world, name, [kept])
    both = pb.RemoveTraineesRequest(parent=name, trainees=[kept.name, wrong.name])
    assert refused(lambda: world.caseworker.obligations.RemoveTrainees(both)) == "WRONG_STATE"
    alone = pb.RemoveTraineesRequest(parent=name, trainees=[wrong.name])
    assert world.caseworker.obligations.RemoveTrainees(alone).removed_count == 1
    listed = world.auditor.obligations.ListTrainees(pb.ListTraineesRequest(parent=name)).trainees
    assert [each.name for each in listed] == [kept.name]


def test_a_payment_noted_wrongly_is_undone_by_another_person(world: World) -> None:
    name = obligation(world).name
    approve(world, name, enrol(world, name, 1))
    owed = cents(assess(world, name).owed)
    settled = pay(world, name, owed)
    assert settled.state == State.STATE_SETTLED
    undo = pb.UndoObligationPaymentRequest(name=settled.payments[0].name)
    assert refused(lambda: world.payer.obligations.UndoObligationPayment(undo)) == "SAME_PERSON"
    again = world.approver.obligations.UndoObligationPayment(undo)
    assert (again.state, cents(again.paid), cents(again.outstanding)) == (State.STATE_OWED, 0, owed)
    assert again.payments[0].HasField("undo_time")
    assert refused(lambda: world.approver.obligations.UndoObligationPayment(undo)) == "WRONG_STATE"
    assert world.balances()[OWED] == -owed
    assert intact(world)


def test_an_employer_that_kept_its_promise_owes_nothing(world: World) -> None:
    name = obligation(world).name
    people = approve(world, name, enrol(world, name, 5))
    enrol(world, name, 5)  # never approved, so nobody's to hire
    report(world, name, people[:4])
    decide(world, name, people[:4])
    found = assess(world, name)
    assert (found.state, found.required_count, cents(found.owed)) == (State.STATE_SETTLED, 4, 0)
    assert intact(world)


def test_the_last_day_must_be_over(world: World) -> None:
    name = obligation(world, due_date=day_message(world.today)).name
    assert refused(lambda: assess(world, name)) == "OBLIGATION_NOT_DUE"


def test_a_hiring_needs_two_people_and_own_trainees(world: World) -> None:
    name, other = obligation(world).name, obligation(world).name
    people, theirs = approve(world, name, enrol(world, name, 2)), enrol(world, other, 1)
    assert refused(lambda: decide(world, name, people)) == "OUTCOME_NOT_REPORTED"
    report(world, name, people[:1], by=world.caseworker)
    assert refused(lambda: decide(world, name, people[:1])) == "SAME_PERSON"
    assert refused(lambda: report(world, name, people, days_ago=-1)) == "INVALID_ARGUMENT"
    assert refused(lambda: report(world, name, theirs)) == "NOT_FOUND"
    moved = [pb.Trainee(name=f"{name}/trainees/{theirs[0].name.rpartition('/')[2]}")]
    assert refused(lambda: report(world, name, moved)) == "NOT_FOUND"


def test_parts_of_payers_must_make_a_whole(world: World) -> None:
    half = pb.ObligationPayer(funding_source=source(world), share_basis_points=5_000)
    assert refused(lambda: obligation(world, payers=[half])) == "RULE_INVALID"
    other = eur(1)
    other.currency_code = "USD"
    assert refused(lambda: obligation(world, refund_per_trainee=other)) == "CURRENCY_MISMATCH"
    assert refused(lambda: obligation(world, creditor="fundingSources/none")) == "NOT_FOUND"


def test_an_employer_sees_its_own_promise_and_no_other(world: World) -> None:
    name = obligation(world).name
    obligation(world, employer="organisations/mill")
    people = enrol(world, name, 1)
    mill = world.person("employer", org="organisations/mill")
    mine = pb.ListEmployerObligationsRequest(employer="organisations/yard")
    calls: list[Callable[[Any], Any]] = [
        lambda who: who.obligations.GetEmployerObligation(pb.GetEmployerObligationRequest(name=name)),
        lambda who: who.obligations.ListEmployerObligations(mine),
        lambda who: who.obligations.ListTrainees(pb.ListTraineesRequest(parent=name)),
        lambda who: report(world, name, people, by=who),
    ]
    for call in calls:
        assert refused(lambda call=call: call(mill)) == "NOT_FOUND"
        assert call(employer_of(world)).ByteSize()
    assert len(employer_of(world).obligations.ListEmployerObligations(mine).employer_obligations) == 1
    everybody = pb.ListEmployerObligationsRequest()
    assert len(world.auditor.obligations.ListEmployerObligations(everybody).employer_obligations) == 2


def race(world: World, name: str, monkeypatch: pytest.MonkeyPatch, patience: float) -> list[str]:
    """Assesses twice, the second while the first stands between reading and writing; returns why each was
    refused, empty when it was not."""

    def take() -> str:
        return tried(lambda: assess(world, name))

    twin = Meanwhile(monkeypatch, store, "counts_of", take, patience)
    return [take(), twin.answer]


def test_two_assessments_at_once_book_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = obligation(world).name
    approve(world, name, enrol(world, name, 1))
    assert race(world, name, monkeypatch, 1) == ["", "WRONG_STATE"]
    assert world.balances()[OWED] == -100_000


def test_control_without_the_lock_the_debt_is_booked_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = obligation(world).name
    approve(world, name, enrol(world, name, 1))

    def read_only(tx: Any, key: str) -> Any:
        return tx.execute(select(employer_obligations).where(employer_obligations.c.id == key)).one()

    monkeypatch.setattr(store, "lock", read_only)
    assert race(world, name, monkeypatch, 30) == ["", ""]
    assert world.balances()[OWED] == -200_000
    assert {finding.kind for finding in world.verify().findings} >= {"BALANCE"}


def test_verification_sees_a_debt_that_somebody_changed(world: World) -> None:
    name = obligation(world).name
    approve(world, name, enrol(world, name, 1))
    assess(world, name)
    assert intact(world)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE employer_obligations SET owed_cents = owed_cents - 1"))
    assert {finding.kind for finding in world.verify().findings} >= {"BALANCE"}
