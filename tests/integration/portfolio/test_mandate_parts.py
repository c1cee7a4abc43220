"""What a mandate opens beside its purpose: some parts of the portfolio alone, on so many days."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import consent_receipt_pb2, entry_pb2, goal_pb2, guidance_case_pb2, holder_pb2
from waymark.portfolio.v1 import guidance_note_pb2 as notes
from waymark.portfolio.v1 import handover_pb2 as hand
from waymark.portfolio.v1 import mandate_pb2 as pb
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest, ListStalledPathwaysRequest, Pathway

from services.platform.db.transaction import transaction
from services.portfolio import requests
from services.portfolio.domain.mandate_parts import PARTS
from services.portfolio.store import mandates
from tests.integration.portfolio.test_strangers import asked
from tests.support.owned import CALLS, Owned, calling
from tests.support.portfolio import Caller, Portfolio, mandate, pathway, reason_of
from tests.support.refusals import fields_refused

EVERY = [part for part in pb.MandatePart.values() if part]
# A call of each part that a mandate opens and that finds something.
READS = {
    pb.MANDATE_PART_HOLDER: "GetHolder",
    pb.MANDATE_PART_ENTRIES: "GetEntry",
    pb.MANDATE_PART_SKILLS: "GetSkillClaim",
    pb.MANDATE_PART_EVIDENCE: "ListEvidence",
    pb.MANDATE_PART_CREDENTIALS: "GetCredential",
    pb.MANDATE_PART_GOALS_AND_PLANS: "GetPlan",
    pb.MANDATE_PART_PATHWAYS: "GetPathway",
    pb.MANDATE_PART_VALIDATION: "GetValidationCase",
    pb.MANDATE_PART_MENTORING: "ListMentoringMatches",
    pb.MANDATE_PART_QUESTIONNAIRES: "GetQuestionnaire",
    pb.MANDATE_PART_PAGES: "GetPage",
    pb.MANDATE_PART_DOCUMENTS: "GetCv",
    pb.MANDATE_PART_CASE: "GetGuidanceCase",
}


def given(person: Caller) -> pb.Mandate:
    """The newest mandate of a person."""
    newest: pb.Mandate = person.ListMandates(pb.ListMandatesRequest(parent=person.holder)).mandates[0]
    return newest


def look(person: Caller) -> holder_pb2.GetHolderRequest:
    return holder_pb2.GetHolderRequest(name=person.holder)


def say(portfolio: Portfolio, person: Caller, change: str) -> None:
    """Changes the mandates of a person in the database."""
    with transaction(portfolio.app) as tx:
        tx.execute(text(f"UPDATE mandates SET {change} WHERE holder_id = :h"), {"h": person.subject})


def by_mandate() -> dict[str, list[str]]:
    """The calls that a mandate opens, by service."""
    found: dict[str, list[str]] = {}
    for name, method in CALLS.items():
        allowed = method.GetOptions().Extensions[options_pb2.policy].allow
        if any(each.relationship.startswith("mandate.") for each in allowed):
            found.setdefault(method.containing_service.name, []).append(name)
    return found


def test_each_call_that_a_mandate_opens_is_of_a_part() -> None:
    assert by_mandate().keys() == PARTS.keys()
    assert {part for part in PARTS.values() if part is not None} == set(EVERY) == READS.keys()
    assert requests.opened_by(pb.MANDATE_PURPOSE_GUIDANCE) == set(EVERY)
    with pytest.raises(KeyError):  # what is not named is opened by none
        requests.part_of(pb.CreateMandateRequest.DESCRIPTOR)


@pytest.mark.parametrize("part", EVERY, ids=pb.MandatePart.Name)
def test_a_part_that_is_not_named_stays_closed(portfolio: Portfolio, part: pb.MandatePart.ValueType) -> None:
    owned = Owned(portfolio)
    others = [each for each in EVERY if each != part]
    without = portfolio.mandated(owned.person, act_on_behalf=True, parts=others)
    closed = [
        name
        for service, names in by_mandate().items()
        for name in names
        if PARTS[service] == part and name != "GetSpecialCategoryPart"
    ]
    assert READS[part] in closed
    for name in closed:
        assert reason_of(calling(without, name), owned.requests[name]) == "NOT_FOUND", name
    alone = portfolio.mandated(owned.person, parts=[part])
    getattr(alone, READS[part])(owned.requests[READS[part]])
    for other in others:
        assert reason_of(getattr(alone, READS[other]), owned.requests[READS[other]]) == "NOT_FOUND", other
    alone.ListHandovers(hand.ListHandoversRequest(parent=owned.person.holder))  # of the mandate itself


def test_control_without_parts_all_of_the_purpose_is_open(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person, parts=[pb.MANDATE_PART_SKILLS])
    assert reason_of(counsellor.GetHolder, look(person)) == "NOT_FOUND"
    monkeypatch.setattr(requests, "part_of", lambda _: None)
    counsellor.GetHolder(look(person))


def test_what_is_written_on_behalf_keeps_to_the_parts(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person, act_on_behalf=True, parts=[pb.MANDATE_PART_ENTRIES])
    job = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK, title="Welder")
    counsellor.CreateEntry(entry_pb2.CreateEntryRequest(parent=person.holder, entry=job))
    aim = goal_pb2.CreateGoalRequest(parent=person.holder, goal=goal_pb2.Goal(title="Weld"))
    assert reason_of(counsellor.CreateGoal, aim) == "NOT_FOUND"


def test_whose_case_is_not_opened_is_in_no_caseload(portfolio: Portfolio) -> None:
    closed, opened = portfolio.person(), portfolio.person()
    counsellor = portfolio.mandated(closed, parts=[pb.MANDATE_PART_ENTRIES])
    wanted = mandate(opened, counsellor, portfolio.organisation, pb.MANDATE_PURPOSE_GUIDANCE)
    wanted.mandate.parts.append(pb.MANDATE_PART_CASE)
    opened.CreateMandate(wanted)
    answer = counsellor.ListCaseload(guidance_case_pb2.ListCaseloadRequest())
    assert [each.holder for each in answer.caseload] == [opened.holder]


def test_who_leads_a_case_is_whom_it_is_opened_to(portfolio: Portfolio) -> None:
    person, office = portfolio.person(), "organisations/other"
    words = notes.GuidanceNote(visibility=notes.GuidanceNote.VISIBILITY_PROFESSIONAL, text="x")
    writing = notes.CreateGuidanceNoteRequest(parent=person.holder, guidance_note=words)
    portfolio.mandated(person).CreateGuidanceNote(writing)
    for part, seen in ((pb.MANDATE_PART_ENTRIES, 0), (pb.MANDATE_PART_CASE, 1)):
        other = portfolio.mandated(person, organisation=office, parts=[part])
        person.CreateMandate(mandate(person, other, office, pb.MANDATE_PURPOSE_CASE))
        answer = other.ListGuidanceNotes(notes.ListGuidanceNotesRequest(parent=person.holder))
        assert len(answer.guidance_notes) == seen


def test_a_stalled_pathway_is_told_to_whom_pathways_are_open(portfolio: Portfolio) -> None:
    person = portfolio.person()
    way = pathway(person)
    with transaction(portfolio.app) as tx:
        stalls = text("UPDATE pathways SET state = :active, stalled_at = now() WHERE holder_id = :h")
        tx.execute(stalls, {"active": Pathway.STATE_ACTIVE, "h": person.subject})
    for part, told in ((pb.MANDATE_PART_ENTRIES, []), (pb.MANDATE_PART_PATHWAYS, [way.name])):
        answer = portfolio.mandated(person, parts=[part]).ListStalledPathways(ListStalledPathwaysRequest())
        assert [each.pathway for each in answer.stalled_pathways] == told


def test_only_what_the_purpose_opens_can_be_named(portfolio: Portfolio) -> None:
    person, to = portfolio.person(), (portfolio.counsellor(), portfolio.organisation)
    request = mandate(person, *to, pb.MANDATE_PURPOSE_PATHWAY)
    request.mandate.parts.extend([pb.MANDATE_PART_PATHWAYS, pb.MANDATE_PART_ENTRIES])
    assert fields_refused(person.CreateMandate, request) == ["mandate.parts[1]"]
    request.mandate.parts.remove(pb.MANDATE_PART_ENTRIES)
    assert list(person.CreateMandate(request).parts) == [pb.MANDATE_PART_PATHWAYS]
    to[0].ListPathways(ListPathwaysRequest(parent=person.holder))
    (receipt,) = person.ListConsentReceipts(
        consent_receipt_pb2.ListConsentReceiptsRequest(parent=person.holder)
    ).consent_receipts
    assert list(receipt.parts) == [pb.MANDATE_PART_PATHWAYS]


def test_a_mandate_is_used_on_so_many_days(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person, max_uses=2, uses=2)  # how often is not the person's to say
    assert given(person).uses == 0
    for _ in range(3):
        counsellor.GetHolder(look(person))
    assert (given(person).uses, given(person).state) == (1, pb.Mandate.STATE_ACTIVE)
    say(portfolio, person, "used_on = used_on - 1")
    counsellor.GetHolder(look(person))
    assert (given(person).uses, given(person).state) == (2, pb.Mandate.STATE_ACTIVE)
    say(portfolio, person, "used_on = used_on - 1")
    assert reason_of(counsellor.GetHolder, look(person)) == "NOT_FOUND"
    assert (given(person).uses, given(person).state) == (2, pb.Mandate.STATE_EXHAUSTED)
    say(portfolio, person, "max_uses = 0")  # control
    counsellor.GetHolder(look(person))
    assert (given(person).uses, given(person).state) == (3, pb.Mandate.STATE_ACTIVE)


def test_what_is_refused_is_no_use(portfolio: Portfolio) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person, parts=[pb.MANDATE_PART_SKILLS])
    assert reason_of(counsellor.GetHolder, look(person)) == "NOT_FOUND"
    assert given(person).uses == 0


def test_the_first_look_of_a_day_alone_writes_to_the_mandate(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portfolio.person()
    counsellor = portfolio.mandated(person)

    def written() -> int:
        with asked(portfolio) as said:
            counsellor.GetHolder(look(person))
        return sum("UPDATE mandates" in statement for statement in said)

    assert [written(), written()] == [1, 0]


def test_looks_at_once_are_one_day(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    person = portfolio.person()
    counsellor, together = portfolio.mandated(person), threading.Barrier(3)
    use = mandates.use

    def all_at_once(*what: Any) -> None:
        together.wait(10)
        use(*what)

    monkeypatch.setattr(mandates, "use", all_at_once)
    looks = [threading.Thread(target=counsellor.GetHolder, args=(look(person),)) for _ in range(3)]
    for each in looks:
        each.start()
    for each in looks:
        each.join()
    assert given(person).uses == 1


def test_who_takes_over_gets_the_same_parts_and_the_days_that_are_left(portfolio: Portfolio) -> None:
    person = portfolio.person()
    former = portfolio.mandated(person, parts=[pb.MANDATE_PART_HOLDER], max_uses=2)
    former.GetHolder(look(person))
    heir = portfolio.counsellor()

    def offer(caller: Caller, to: str) -> hand.AcceptHandoverRequest:
        wanted = hand.Handover(mandate=given(person).name, counsellor=to, organisation=portfolio.organisation)
        made = caller.CreateHandover(hand.CreateHandoverRequest(parent=person.holder, handover=wanted))
        return hand.AcceptHandoverRequest(name=made.name)

    person.AcceptHandover(offer(former, heir.subject))
    fresh = given(person)
    assert (list(fresh.parts), fresh.max_uses, fresh.uses) == ([pb.MANDATE_PART_HOLDER], 2, 1)
    heir.GetHolder(look(person))
    assert reason_of(person.AcceptHandover, offer(heir, "another")) == "WRONG_STATE"  # none is left
    heir.GetHolder(look(person))
