"""The desk: one caseworker has an application, asks the applicant, decides; the learner takes it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import inquiry_pb2, learner_fact_pb2

from services.platform.db.transaction import Transaction
from services.vouchers.api import desk as desk_api
from services.vouchers.store import applications
from tests.integration.vouchers import desks
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.meetings import Meeting
from tests.support.refusals import reason_of
from tests.support.vouchers import World, request_id

State, Inquiry = pb.Application, inquiry_pb2.Inquiry


def listed(who: Any, **filters: Any) -> list[str]:
    """Returns names of a list, page by page, two to a page."""
    found, request = [], pb.ListApplicationsRequest(page_size=2, **filters)
    while True:
        page = who.applications.ListApplications(request)
        found += [each.name for each in page.applications]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def test_the_queue_is_listed_oldest_first_by_who_has_it(world: World) -> None:
    programme = desks.programme(world)
    queue = [desks.waiting(world, programme).name for _ in range(5)]
    elsewhere = desks.waiting(world).name
    world.voucher(programme)  # granted at once, and so in no queue
    me = world.caseworker
    for name in queue[1:4:2]:
        assert desks.assign(me, name).assignee == me.subject
    assert listed(me, queued=True, programme=programme) == queue
    assert listed(me, queued=True) == [*queue, elsewhere]
    assert listed(me, assignee=me.subject) == queue[1:4:2]
    assert listed(me, unassigned=True, queued=True) == [queue[0], queue[2], queue[4], elsewhere]
    assert listed(me, state=State.STATE_SUBMITTED, assignee=world.auditor.subject) == []
    clash = pb.ListApplicationsRequest(unassigned=True, assignee="x", queued=True, state=1)
    found = violations_of(lambda: me.applications.ListApplications(clash))
    assert found == {"unassigned": "does not go with assignee", "queued": "does not go with state"}
    page = me.applications.ListApplications(pb.ListApplicationsRequest(queued=True, page_size=2))
    other = pb.ListApplicationsRequest(unassigned=True, page_token=page.next_page_token)
    assert refused(lambda: me.applications.ListApplications(other)) == "PAGE_TOKEN_INVALID"


def test_another_takes_over_only_on_purpose_and_the_etag_counts(world: World) -> None:
    name = desks.waiting(world).name
    first, second = world.caseworker, world.person("caseworker")
    taken = desks.assign(first, name)
    assert desks.assign(first, name) == taken, "taking what one has changes nothing"
    assert refused(lambda: desks.assign(second, name)) == "APPLICATION_ASSIGNED"
    assert refused(lambda: desks.assign(second, name, take_over=True, etag='"1"')) == "ETAG_STALE"
    over = desks.assign(second, name, take_over=True, etag=taken.etag)
    assert over.assignee == second.subject
    assert refused(lambda: desks.decide(first, name)) == "APPLICATION_ASSIGNED"
    assert desks.decide(second, name).state == State.STATE_REFUSED
    assert refused(lambda: desks.assign(first, name, take_over=True)) == "WRONG_STATE"


def test_a_supervisor_gives_out_and_decides_what_another_has(world: World) -> None:
    programme, chief = desks.programme(world), world.person("supervisor")
    name, other = (desks.waiting(world, programme).name for _ in range(2))
    given = desks.assign(chief, name, assignee=world.caseworker.subject)
    assert given.assignee == world.caseworker.subject
    mine = {"assignee": chief.subject, "take_over": True}
    assert refused(lambda: desks.assign(world.caseworker, name, **mine)) == "PERMISSION_DENIED"
    assert desks.decide(chief, name).state == State.STATE_REFUSED
    assert desks.decide(world.caseworker, other).assignee == world.caseworker.subject


def test_nobody_handles_their_own(world: World) -> None:
    programme, chief = desks.programme(world), world.person("supervisor")
    both = world.person("learner", "caseworker", "supervisor")
    name = desks.waiting(world, programme, both).name
    assert refused(lambda: desks.assign(both, name)) == "SAME_PERSON"
    assert refused(lambda: desks.assign(chief, name, assignee=both.subject)) == "SAME_PERSON"
    assert refused(lambda: desks.decide(both, name, grant=True)) == "SAME_PERSON"
    assert refused(lambda: desks.ask(both, name, desks.tomorrow(world))) == "SAME_PERSON"
    assert desks.decide(chief, name, grant=True).state == State.STATE_GRANTED  # control: another may


def both_at_once(world: World, name: str, etag: str) -> list[str]:
    """Two caseworkers take the same application at the same moment; returns what each was told, sorted."""

    def take(who: Any) -> str:
        try:
            return str(desks.assign(who, name, etag=etag).assignee == who.subject)
        except grpc.RpcError as error:
            return reason_of(error)

    people = [world.caseworker, world.person("caseworker")]
    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(take, people))


def test_of_two_at_once_one_has_it(world: World) -> None:
    programme = desks.programme(world)
    for _ in range(5):
        found = desks.waiting(world, programme)
        assert both_at_once(world, found.name, found.etag) == ["ETAG_STALE", "True"]
        found = desks.waiting(world, programme)
        assert both_at_once(world, found.name, "") == ["APPLICATION_ASSIGNED", "True"]


def test_control_without_the_lock_both_believe_they_have_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, found = Meeting(2), desks.waiting(world)

    def read(tx: Transaction, name: str) -> Any:
        row = applications.get(tx, name.rpartition("/")[2])
        meeting()
        return row

    monkeypatch.setattr(desk_api, "lock", read)
    assert both_at_once(world, found.name, found.etag) == ["True", "True"]


def test_an_application_waits_for_what_was_asked(world: World) -> None:
    person = world.person("learner")
    name = desks.waiting(world, person=person).name
    due = desks.tomorrow(world, 10)
    note = "your diploma says something else"
    asked = desks.ask(world.caseworker, name, due, note=note)
    assert (asked.state, asked.note) == (Inquiry.STATE_OPEN, note)
    paper = desks.ask(world.caseworker, name, desks.tomorrow(world), kind=2, fact_key="")
    get = pb.GetApplicationRequest(name=name)
    read = person.applications.GetApplication(get)
    assert (read.answer_due_date.month, read.answer_due_date.day) == (due.month, due.day)
    assert read.assignee == world.caseworker.subject
    assert refused(lambda: desks.decide(world.caseworker, name)) == "INQUIRY_OPEN"
    answered = desks.answer(person, asked.name, fact=desks.level(3), note="see there")
    assert (answered.state, answered.answer_note) == (Inquiry.STATE_ANSWERED, "see there")
    facts = person.facts.ListLearnerFacts(learner_fact_pb2.ListLearnerFactsRequest(parent=person.learner))
    told = {fact.name: fact for fact in facts.facts}[answered.answered_fact]
    assert (told.number, told.source) == (3, learner_fact_pb2.FACT_SOURCE_SELF_DECLARED)
    file = f"holders/{person.subject}/evidence/diploma"
    assert list(desks.answer(person, paper.name, evidence=[file]).evidence) == [file]
    assert not person.applications.GetApplication(get).HasField("answer_due_date")
    everything = inquiry_pb2.ListInquiriesRequest(parent=name)
    for reader in (person, world.caseworker):
        found = reader.inquiries.ListInquiries(everything).inquiries
        assert [each.name for each in found] == [asked.name, paper.name]
    assert refused(lambda: desks.answer(person, paper.name, evidence=[file])) == "WRONG_STATE"
    assert desks.decide(world.caseworker, name, grant=True).state == State.STATE_GRANTED
    assert refused(lambda: desks.ask(world.caseworker, name, due)) == "WRONG_STATE"
    assert (desks.told(world, "InquiryOpened"), desks.told(world, "InquiryAnswered")) == (2, 2)


def test_who_does_not_answer_in_time_is_decided_without(world: World) -> None:
    person = world.person("learner")
    name = desks.waiting(world, person=person).name
    asked = desks.ask(world.caseworker, name, desks.tomorrow(world))
    desks.let_days_pass(world, 1)
    assert refused(lambda: desks.decide(world.caseworker, name)) == "INQUIRY_OPEN", "today is still in time"
    desks.let_days_pass(world, 1)
    assert refused(lambda: desks.answer(person, asked.name, fact=desks.level(3))) == "INQUIRY_OVERDUE"
    assert desks.decide(world.caseworker, name).state == State.STATE_REFUSED
    found = person.inquiries.ListInquiries(inquiry_pb2.ListInquiriesRequest(parent=name)).inquiries
    assert [each.state for each in found] == [Inquiry.STATE_WITHDRAWN]


def test_a_question_is_taken_back(world: World) -> None:
    name = desks.waiting(world).name
    asked = desks.ask(world.caseworker, name, desks.tomorrow(world))
    withdraw = inquiry_pb2.WithdrawInquiryRequest(name=asked.name)
    assert world.caseworker.inquiries.WithdrawInquiry(withdraw).state == Inquiry.STATE_WITHDRAWN
    assert refused(lambda: world.caseworker.inquiries.WithdrawInquiry(withdraw)) == "WRONG_STATE"
    assert desks.decide(world.caseworker, name).state == State.STATE_REFUSED
    elsewhere = asked.name.replace(name, desks.waiting(world).name)
    other = inquiry_pb2.WithdrawInquiryRequest(name=elsewhere)
    assert refused(lambda: world.caseworker.inquiries.WithdrawInquiry(other)) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"fact_key": "birth_year"}, "inquiry.fact_key"),  # only the register knows that
        ({"fact_key": "minority"}, "inquiry.fact_key"),  # told by choice
        ({"fact_key": ""}, "inquiry.fact_key"),
        ({"kind": Inquiry.KIND_PROOF_OF_WORK}, "inquiry.fact_key"),
        ({"kind": Inquiry.KIND_OTHER_DOCUMENT, "fact_key": ""}, "inquiry.note"),
        ({"days": 0}, "inquiry.due_date"),
        ({"days": 366}, "inquiry.due_date"),
    ],
)
def test_what_nobody_could_answer_is_not_asked(world: World, fields: dict[str, Any], place: str) -> None:
    name = desks.waiting(world).name
    due = desks.tomorrow(world, fields.pop("days", 5))
    assert list(violations_of(lambda: desks.ask(world.caseworker, name, due, **fields))) == [place]
    read = world.caseworker.applications.GetApplication(pb.GetApplicationRequest(name=name))
    assert (read.assignee, read.HasField("answer_due_date")) == ("", False), "half of it was written"


def test_an_answer_is_what_was_asked_for_and_ones_own(world: World) -> None:
    person, stranger = world.person("learner"), world.person("learner")
    name, due = desks.waiting(world, person=person).name, desks.tomorrow(world)
    fact = desks.ask(world.caseworker, name, due).name
    paper = desks.ask(world.caseworker, name, due, kind=Inquiry.KIND_PROOF_OF_EDUCATION, fact_key="").name
    mine, other = (f"holders/{each.subject}/evidence/e" for each in (person, stranger))

    def wrong(inquiry: str, **fields: Any) -> list[str]:
        return list(violations_of(lambda: desks.answer(person, inquiry, **fields)))

    assert wrong(fact) == ["fact.key"]
    assert wrong(fact, evidence=[mine], fact=desks.level(3)) == ["evidence"]
    assert wrong(fact, fact=desks.level(12)) == ["fact[0].value"]
    assert wrong(paper, fact=desks.level(3)) == ["fact", "evidence"]
    assert wrong(paper, evidence=[mine, other]) == ["evidence[1]"]
    assert refused(lambda: desks.answer(stranger, paper, evidence=[other])) == "NOT_FOUND"
    everything = inquiry_pb2.ListInquiriesRequest(parent=name)
    assert refused(lambda: stranger.inquiries.ListInquiries(everything)) == "NOT_FOUND"
    states = {each.state for each in person.inquiries.ListInquiries(everything).inquiries}
    assert states == {Inquiry.STATE_OPEN}
    assert desks.answer(person, paper, evidence=[mine]).state == Inquiry.STATE_ANSWERED  # control


def withdraw(who: Any, name: str, **fields: Any) -> Any:
    return who.applications.WithdrawApplication(
        pb.WithdrawApplicationRequest(name=name, request_id=request_id(), **fields)
    )


def test_a_learner_takes_an_application_back_and_can_apply_again(world: World) -> None:
    programme, person = desks.programme(world), world.person("learner")
    found = desks.waiting(world, programme, person)
    desks.ask(world.caseworker, found.name, desks.tomorrow(world))
    assert refused(lambda: withdraw(world.learner(), found.name)) == "NOT_FOUND"
    assert refused(lambda: withdraw(person, found.name, etag=found.etag)) == "ETAG_STALE"
    assert refused(lambda: desks.waiting(world, programme, person)) == "APPLICATION_OPEN"
    before = world.balances()
    gone = withdraw(person, found.name)
    assert (gone.state, gone.HasField("answer_due_date")) == (State.STATE_WITHDRAWN, False)
    assert world.balances() == before
    assert desks.told(world, "ApplicationWithdrawn") == 1
    assert refused(lambda: withdraw(person, found.name)) == "WRONG_STATE"
    assert refused(lambda: desks.decide(world.caseworker, found.name)) == "WRONG_STATE"
    replay = world.auditor.applications.ReplayApplication(pb.ReplayApplicationRequest(name=found.name))
    assert replay.agrees, replay
    again = desks.waiting(world, programme, person)
    assert desks.decide(world.caseworker, again.name, grant=True).state == State.STATE_GRANTED
    assert refused(lambda: withdraw(person, again.name)) == "WRONG_STATE"


def test_a_decision_that_takes_long_does_not_make_the_application_late(world: World) -> None:
    programme = desks.programme(world)
    session = world.offer(
        "courses/soon", start=world.today - desks.timedelta(days=14)
    )  # the last day to apply
    found = desks.waiting(world, programme, session=session)
    with desks.transaction(world.app) as tx:
        moved = (
            "UPDATE applications SET created_at = created_at - interval '3 days', applied_on = applied_on - 3"
        )
        tx.execute(desks.text(moved))
        tx.execute(desks.text("UPDATE sessions SET start_date = start_date - 3"))
    late = world.apply(world.learner(), programme, session)
    assert list(late.reason_codes) == ["APPLIED_TOO_LATE"]  # control: three days later is too late to apply
    granted = desks.decide(world.caseworker, found.name, grant=True)
    assert granted.state == State.STATE_GRANTED
    replay = world.auditor.applications.ReplayApplication(pb.ReplayApplicationRequest(name=found.name))
    assert replay.agrees, replay
