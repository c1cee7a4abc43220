"""Who erases their portfolio is let go here too: what was told and written goes, records of money stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.vouchers.v1 import application_pb2, inquiry_pb2, redemption_pb2

from services.platform.db.transaction import transaction
from services.vouchers import jobs
from tests.integration.vouchers import desks
from tests.integration.vouchers.test_appeals import replays
from tests.integration.vouchers.test_complaints import complain
from tests.support.vouchers import NO_EVIDENCE, Person, World

State = application_pb2.Application


def erase(world: World, person: Any, *, days: int = 0) -> None:
    """The learner erases their portfolio, so many days ago."""
    event = SubjectErased(holder=person.learner.replace("learners/", "holders/"))
    event.erase_time.FromDatetime(datetime.now(UTC) - timedelta(days=days))
    world.tell(event)


def facts(world: World, person: Person) -> int:
    with transaction(world.app) as tx:
        query = text("SELECT count(*) FROM learner_facts WHERE learner = :learner")
        return int(tx.execute(query, {"learner": person.learner}).scalar_one())


def words(world: World) -> int:
    """Counts what people wrote in applications, questions, complaints, vouchers and redemptions."""
    columns = {
        "applications": ("sealed_note", "sealed_grounds", "sealed_appeal_note"),
        "inquiries": ("sealed_note", "sealed_answer"),
        "complaints": ("sealed_note",),
        "vouchers": ("sealed_note",),
        "redemptions": ("sealed_note",),
    }
    with transaction(world.app) as tx:
        counts = [
            tx.execute(text(f"SELECT count({column}) FROM {table}")).scalar_one()
            for table, names in columns.items()
            for column in names
        ]
    return sum(counts)


def marked(world: World) -> int:
    with transaction(world.app) as tx:
        return int(tx.execute(text("SELECT count(erased_at) FROM learners")).scalar_one())


def everything_written(world: World) -> tuple[Person, Any]:
    """A learner whose refusal was asked about, contested and confirmed."""
    person, refusal = desks.refused_by_rules(world)
    desks.appeal(person, refusal.name)
    asked = desks.ask(world.caseworker, refusal.name, desks.tomorrow(world), note="how come?")
    desks.answer(person, asked.name, fact=desks.level(3), note="I left school early")
    return person, desks.decide_appeal(world.caseworker, refusal.name)


def test_what_was_told_and_written_goes_and_the_decision_stays(world: World) -> None:
    person, confirmed = everything_written(world)
    assert (facts(world, person), words(world)) == (3, 4)
    for _ in range(2):
        erase(world, person)
    assert (facts(world, person), words(world), marked(world)) == (0, 0, 0)
    read = world.auditor.applications.GetApplication(
        application_pb2.GetApplicationRequest(name=confirmed.name)
    )
    assert (read.state, list(read.reason_codes)) == (confirmed.state, list(confirmed.reason_codes))
    assert (read.appeal.grounds, read.appeal.decision_reason, read.decision_reason) == ("", "", "")
    questions = inquiry_pb2.ListInquiriesRequest(parent=confirmed.name)
    (question,) = person.inquiries.ListInquiries(questions).inquiries
    assert (question.note, question.answer_note) == ("", "")
    assert replays(world, confirmed.name)
    assert world.verify().intact


def test_nobody_else_is_let_go(world: World) -> None:
    everything_written(world)
    other, stranger = world.learner(), world.person("learner")
    erase(world, other)
    erase(world, stranger)
    assert (facts(world, other), words(world), marked(world)) == (0, 4, 0)
    with transaction(world.app) as tx:
        known = text("SELECT count(*) FROM learners WHERE id = :id")
        assert tx.execute(known, {"id": stranger.learner}).scalar_one() == 0


def test_what_may_be_contested_is_kept_until_it_may_no_longer(world: World) -> None:
    person, _ = desks.refused_by_rules(world)
    kept = facts(world, person)
    erase(world, person)
    jobs.forget_erased(world.app)
    assert (facts(world, person), marked(world)) == (kept, 1)
    desks.let_days_pass(world, 31)
    jobs.forget_erased(world.app)
    assert (facts(world, person), marked(world)) == (0, 0)


def test_an_application_under_way_is_decided_first(world: World) -> None:
    waiting = desks.waiting(world)
    erase(world, waiting)
    jobs.forget_erased(world.app)
    assert marked(world) == 1
    desks.decide(world.caseworker, waiting.name)
    erase(world, waiting)
    assert words(world) == 1
    desks.let_days_pass(world, 31)
    jobs.forget_erased(world.app)
    assert (words(world), marked(world)) == (0, 0)


def test_money_that_can_be_spent_or_is_not_paid_yet_keeps_the_case_open(world: World) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.accepted(person, voucher)
    complain(person, redemption.name, note="nobody was there")
    erase(world, person)
    # As if the voucher had ended, and then the bank had confirmed the payment.
    for statement in ("UPDATE vouchers SET state = 5", "UPDATE redemptions SET state = 7"):
        assert (facts(world, person) > 0, words(world), marked(world)) == (True, 1, 1)
        with transaction(world.app) as tx:
            tx.execute(text(statement))
        jobs.forget_erased(world.app)
    assert (facts(world, person), words(world), marked(world)) == (0, 0, 0)


# What keeps a case open though its money is paid, and how each comes to its end.
OPEN = {
    "a place on a waiting list": (
        """INSERT INTO waiting_list (id, application_id, learner, programme_id, currency, state)
        SELECT gen_random_uuid(), id, learner, programme_id, currency, 1 FROM applications""",
        "UPDATE waiting_list SET state = 5",
    ),
    "an alert about a payment": (
        """INSERT INTO alerts (id, kind, target, redemption_id, state, raised_by)
        SELECT gen_random_uuid(), 1, 'redemptions/' || id, id, 1, 'rule' FROM redemptions""",
        "UPDATE alerts SET state = 3, found_by = 'a', outcome = 1, evidence = 'list', closed_by = 'b'",
    ),
    "an outcome contract": (
        """WITH c AS (INSERT INTO outcome_contracts
          (id, state, currency, payer_id, start_date, repay_date, shard, created_by, activated_by)
          SELECT 'jobs', 2, 'EUR', id, '2030-01-01', '2031-01-01', 0, 'a', 'b' FROM funding_sources LIMIT 1
          RETURNING id)
        INSERT INTO outcome_participants (id, contract_id, learner)
        SELECT gen_random_uuid(), c.id, r.learner FROM c, redemptions r""",
        "UPDATE outcome_contracts SET state = 4, proposed_by = 'a', repaid_by = 'b'",
    ),
}


@pytest.mark.parametrize("kind", OPEN)
def test_what_else_keeps_a_case_open(world: World, kind: str) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.accepted(person, voucher)
    began, ended = OPEN[kind]
    with transaction(world.app) as tx:
        for statement in ("UPDATE vouchers SET state = 5", "UPDATE redemptions SET state = 7", began):
            tx.execute(text(statement))
    erase(world, person)
    assert (facts(world, person) > 0, marked(world)) == (True, 1)
    with transaction(world.app) as tx:
        tx.execute(text(ended))
    jobs.forget_erased(world.app)
    assert (facts(world, person), marked(world)) == (0, 0)


def test_why_money_was_taken_back_stays(world: World) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    request = redemption_pb2.ClawBackRedemptionRequest(
        name=world.accepted(person, voucher).name,
        reason_code=redemption_pb2.Redemption.END_REASON_NOT_ATTENDED,
        reason="the list was signed by others",
    )
    taken = world.payer.redemptions.ClawBackRedemption(request)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE vouchers SET state = 5"))
    erase(world, person)
    assert (facts(world, person), words(world), marked(world)) == (0, 1, 0)
    read = redemption_pb2.GetRedemptionRequest(name=taken.name)
    assert world.auditor.redemptions.GetRedemption(read).end_note == request.reason


@pytest.mark.parametrize("late", [True, False], ids=["told late", "control"])
def test_what_is_told_after_the_erasure_is_told_anew_and_stays(world: World, late: bool) -> None:
    person = world.learner()
    erase(world, person, days=1 if late else 0)
    assert (facts(world, person) > 0) is late
