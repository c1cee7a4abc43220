"""Appeals: once, in time, by the learner; decided by another person than decided first."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2, voucher_pb2

from services.platform.db.transaction import transaction
from services.vouchers.api import appeals as appeals_api
from services.vouchers.store import applications
from tests.integration.vouchers import desks
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_simulation import simulated
from tests.support.refusals import detail_of
from tests.support.vouchers import NO_EVIDENCE, World, cents, request_id

State, Outcome = pb.Application, pb.Appeal


def replays(world: World, name: str) -> bool:
    """Whether the decision comes out the same when computed again."""
    request = pb.ReplayApplicationRequest(name=name)
    return bool(world.auditor.applications.ReplayApplication(request).agrees)


def test_an_appeal_against_rules_is_granted_by_any_caseworker(world: World) -> None:
    person, refusal = desks.refused_by_rules(world)
    last = desks.tomorrow(world, 30)
    until = refusal.appeal_until_date
    assert (until.year, until.month, until.day) == (last.year, last.month, last.day)
    appealed = desks.appeal(person, refusal.name, request_id=request_id())
    assert (appealed.state, appealed.assignee) == (State.STATE_APPEALED, "")
    assert appealed.appeal.grounds == "the register is wrong"
    assert not appealed.HasField("appeal_until_date")
    assert replays(world, refusal.name)
    queue = pb.ListApplicationsRequest(queued=True)
    assert [a.name for a in world.caseworker.applications.ListApplications(queue).applications] == [
        refusal.name
    ]
    still = violations_of(lambda: desks.decide_appeal(world.caseworker, refusal.name, grant=True))
    assert still == {"grant": "clauses failed: NOT_A_JOBSEEKER"}
    world.push(person, {"employment_status": "unemployed"})
    before = world.balances()
    granted = desks.decide_appeal(world.caseworker, refusal.name, grant=True)
    assert (granted.state, granted.automatic) == (State.STATE_GRANTED, False)
    assert (granted.appeal.outcome, list(granted.reason_codes)) == (Outcome.OUTCOME_GRANTED, [])
    assert granted.appeal.decision_reason == "looked at it again"
    wallet = voucher_pb2.ListVouchersRequest(learner=person.learner)
    (voucher,) = person.vouchers.ListVouchers(wallet).vouchers
    assert (voucher.name, cents(voucher.value)) == (granted.voucher, 100_000)
    moved = {kind: now - before.get(kind, 0) for kind, now in world.balances().items()}
    assert sorted(change for change in moved.values() if change) == [-100_000, 100_000]
    assert world.verify().intact
    assert replays(world, refusal.name)
    kept = kept_earlier(world, refusal.name)
    assert (kept["reason_codes"], kept["state"]) == (["NOT_A_JOBSEEKER"], State.STATE_APPEALED)
    assert "sealed_grounds" not in kept
    assert (desks.told(world, "ApplicationAppealed"), desks.told(world, "ApplicationDecided")) == (1, 2)


def kept_earlier(world: World, name: str) -> dict[str, Any]:
    with transaction(world.app) as tx:
        kept = applications.earlier(tx, name.rpartition("/")[2])
    assert kept is not None
    return kept


def test_a_refused_appeal_is_the_end_of_it(world: World) -> None:
    person, refusal = desks.refused_by_rules(world)
    desks.appeal(person, refusal.name)
    assert refused(lambda: desks.appeal(person, refusal.name)) == "APPEALED_BEFORE"
    stands = desks.decide_appeal(world.caseworker, refusal.name)
    assert (stands.state, list(stands.reason_codes)) == (State.STATE_REFUSED, ["NOT_A_JOBSEEKER"])
    assert stands.appeal.outcome == Outcome.OUTCOME_REFUSED
    assert not stands.HasField("appeal_until_date")
    assert refused(lambda: desks.appeal(person, refusal.name)) == "APPEALED_BEFORE"
    assert refused(lambda: desks.decide_appeal(world.caseworker, refusal.name)) == "WRONG_STATE"
    assert replays(world, refusal.name)


def test_an_appeal_that_is_taken_back_leaves_the_refusal(world: World) -> None:
    person, refusal = desks.refused_by_rules(world)
    desks.appeal(person, refusal.name)
    withdraw = pb.WithdrawApplicationRequest(name=refusal.name)
    stands = person.applications.WithdrawApplication(withdraw)
    assert (stands.state, list(stands.reason_codes)) == (State.STATE_REFUSED, ["NOT_A_JOBSEEKER"])
    assert stands.appeal.outcome == Outcome.OUTCOME_WITHDRAWN
    assert stands.appeal.HasField("decide_time")
    assert refused(lambda: desks.decide_appeal(world.caseworker, refusal.name)) == "WRONG_STATE"
    assert refused(lambda: desks.appeal(person, refusal.name)) == "APPEALED_BEFORE"
    assert refused(lambda: person.applications.WithdrawApplication(withdraw)) == "WRONG_STATE"
    assert replays(world, refusal.name)


def test_the_last_day_is_in_time_and_the_day_after_is_not(world: World) -> None:
    programme = desks.programme(world)
    (in_time, first), (late, second) = (desks.refused_by_rules(world, programme) for _ in range(2))
    desks.let_days_pass(world, 30)
    assert desks.appeal(in_time, first.name).state == State.STATE_APPEALED
    desks.let_days_pass(world, 1)
    with pytest.raises(grpc.RpcError) as raised:
        desks.appeal(late, second.name)
    info = detail_of(raised.value, error_details_pb2.ErrorInfo)
    yesterday = desks.tomorrow(world, -1).isoformat()
    assert (info.reason, dict(info.metadata)["last_day"]) == ("APPEAL_TOO_LATE", yesterday)


def test_no_appeal_where_the_rules_foresee_none(world: World) -> None:
    person, refusal = desks.refused_by_rules(world, world.programme(**NO_EVIDENCE))
    assert not refusal.HasField("appeal_until_date")
    assert refused(lambda: desks.appeal(person, refusal.name)) == "APPEAL_NOT_FORESEEN"
    granted = world.apply(world.learner(), desks.programme(world))
    owner = world.person("learner", subject=granted.learner.removeprefix("learners/"))
    assert refused(lambda: desks.appeal(owner, granted.name)) == "WRONG_STATE"


def test_only_the_learner_appeals(world: World) -> None:
    _, refusal = desks.refused_by_rules(world)
    assert refused(lambda: desks.appeal(world.learner(), refusal.name)) == "NOT_FOUND"
    assert refused(lambda: desks.appeal(world.caseworker, refusal.name)) == "PERMISSION_DENIED"


def refused_by_person(world: World) -> tuple[Any, Any]:
    """Returns a learner and an application that the world's caseworker has refused and that is appealed."""
    person = world.person("learner")
    name = desks.waiting(world, person=person).name
    desks.decide(world.caseworker, name, reason_codes=["NOT_A_JOBSEEKER"])
    return person, desks.appeal(person, name)


def test_who_decided_first_neither_takes_nor_decides_the_appeal(world: World) -> None:
    person, appealed = refused_by_person(world)
    first, second = world.caseworker, world.person("caseworker")
    chief = world.person("supervisor", "caseworker", subject=first.subject)  # the same person, promoted
    due = desks.tomorrow(world)
    for who in (first, chief):
        assert refused(lambda who=who: desks.decide_appeal(who, appealed.name)) == "SAME_PERSON"
        assert refused(lambda who=who: desks.assign(who, appealed.name)) == "SAME_PERSON"
        assert refused(lambda who=who: desks.ask(who, appealed.name, due)) == "SAME_PERSON"
    assert refused(
        lambda: desks.assign(world.person("supervisor"), appealed.name, assignee=first.subject)
    ) == ("SAME_PERSON")
    itself = world.person("caseworker", subject=person.subject)
    assert refused(lambda: desks.decide_appeal(itself, appealed.name, grant=True)) == "SAME_PERSON"
    assert refused(lambda: desks.decide(second, appealed.name)) == "WRONG_STATE"
    granted = desks.decide_appeal(second, appealed.name, grant=True)
    assert granted.state == State.STATE_GRANTED
    assert replays(world, appealed.name)


def test_the_database_holds_it_when_the_code_does_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, appealed = refused_by_person(world)

    def forgetful(tx: Any, name: str) -> Any:
        return Blind(applications.get(tx, name.rpartition("/")[2], locked=True))

    monkeypatch.setattr(appeals_api, "lock", forgetful)
    assert refused(lambda: desks.decide_appeal(world.caseworker, appealed.name)) == "INTERNAL"
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE applications DROP CONSTRAINT applications_appeal_second_person"))
    world.app.engine.dispose()
    # Control: without the check one person decides twice.
    assert desks.decide_appeal(world.caseworker, appealed.name).state == State.STATE_REFUSED


class Blind:
    """A row that has forgotten who decided first."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return "" if name == "decided_by" else getattr(self._row, name)


def test_an_appeal_does_not_stand_beside_a_newer_application(world: World) -> None:
    programme = desks.programme(world)
    person, refusal = desks.refused_by_rules(world, programme)
    world.push(person, {"employment_status": "unemployed"})
    again = world.apply(person, programme)
    assert again.state == State.STATE_GRANTED
    assert refused(lambda: desks.appeal(person, refusal.name)) == "APPLICATION_OPEN"
    other, first = desks.refused_by_rules(world, programme)
    desks.appeal(other, first.name)
    world.push(other, {"employment_status": "unemployed"})
    assert refused(lambda: world.apply(other, programme)) == "APPLICATION_OPEN"


def test_an_appeal_takes_money_like_any_grant(world: World) -> None:
    programme = desks.programme(world, fund=150_000)
    person, refusal = desks.refused_by_rules(world, programme)
    desks.appeal(person, refusal.name)
    world.push(person, {"employment_status": "unemployed"})
    assert world.apply(world.learner(), programme).state == State.STATE_GRANTED
    grant = lambda: desks.decide_appeal(world.caseworker, refusal.name, grant=True)  # noqa: E731
    assert refused(grant) == "BUDGET_EXHAUSTED"
    world.fund(programme, 100_000, pot="more")
    assert grant().state == State.STATE_GRANTED
    assert world.verify().intact


def test_an_appeal_can_be_asked_about_and_has_one_in_hand(world: World) -> None:
    person, refusal = desks.refused_by_rules(world)
    appealed = desks.appeal(person, refusal.name)
    second = world.person("caseworker")
    asked = desks.ask(world.caseworker, appealed.name, desks.tomorrow(world))
    assert refused(lambda: desks.decide_appeal(second, appealed.name)) == "APPLICATION_ASSIGNED"
    assert refused(lambda: desks.decide_appeal(world.caseworker, appealed.name)) == "INQUIRY_OPEN"
    desks.answer(person, asked.name, fact=desks.level(3))
    etag = appealed.etag
    assert refused(lambda: desks.decide_appeal(world.caseworker, appealed.name, etag=etag)) == "ETAG_STALE"
    assert desks.decide_appeal(world.caseworker, appealed.name).state == State.STATE_REFUSED


def test_a_grant_on_appeal_counts_as_a_person_s_when_rules_are_tried_on_it(world: World) -> None:
    programme = desks.programme(world)
    person, refusal = desks.refused_by_rules(world, programme)
    appealed = desks.appeal(person, refusal.name)
    with transaction(world.app) as tx:  # the register takes back what it said
        tx.execute(text("DELETE FROM learner_facts WHERE learner = :learner"), {"learner": person.learner})
    asked = {"fact_key": "employment_status"}
    question = desks.ask(world.caseworker, appealed.name, desks.tomorrow(world), **asked)
    told = learner_fact_pb2.LearnerFact(key="employment_status", text="unemployed")
    desks.answer(person, question.name, fact=told)
    granted = desks.decide_appeal(world.caseworker, appealed.name, grant=True)
    assert granted.state == State.STATE_GRANTED, "on what is declared only a person grants"
    assert replays(world, granted.name)
    done = simulated(world, granted.programme_version)
    assert (done.done_count, done.simulation.unchanged_count) == (1, 1)
