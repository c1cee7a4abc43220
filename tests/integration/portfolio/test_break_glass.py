"""Looks without leave are loud, short and reviewed; and nobody looks at everybody."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.portfolio.v1 import access_log_pb2, entry_pb2, events_pb2, pathway_pb2, skill_claim_pb2
from waymark.portfolio.v1 import break_glass_pb2 as pb
from waymark.portfolio.v1 import holder_pb2 as holders
from waymark.portfolio.v1 import rights_request_pb2 as rights

from services.platform.db.transaction import transaction
from services.portfolio import access, jobs, requests
from services.portfolio.store import rights_tables
from tests.integration.portfolio.test_erasure import erase_request
from tests.integration.portfolio.test_rights import delivered, told
from tests.support.portfolio import Caller, Portfolio, entry, mandate, reason_of, refused

Access = pb.BreakGlassAccess
JUSTIFIED = pb.BREAK_GLASS_VERDICT_JUSTIFIED


def opening(person: Caller, **fields: Any) -> pb.CreateBreakGlassAccessRequest:
    look = Access(ground=Access.GROUND_DANGER, reason="found unconscious at the quay")
    return pb.CreateBreakGlassAccessRequest(parent=person.holder, break_glass_access=look, **fields)


def reads(person: Caller) -> holders.GetHolderRequest:
    return holders.GetHolderRequest(name=person.holder)


def log_of(person: Caller) -> list[tuple[str, str]]:
    request = access_log_pb2.ListAccessRecordsRequest(parent=person.holder)
    return [(each.action, each.grant) for each in person.ListAccessRecords(request).access_records]


def over(portfolio: Portfolio, look: Access) -> None:
    """Lets the hour of a look be over."""
    table = rights_tables.break_glass_accesses
    ago = text("now() - interval '1 second'")
    with transaction(portfolio.app) as tx:
        tx.execute(table.update().where(table.c.id == look.name[-36:]).values(expires_at=ago))


@pytest.mark.parametrize("role", ["counsellor", "caseworker"])
def test_a_look_is_told_at_once_and_ends_by_itself(portfolio: Portfolio, role: str) -> None:
    person, staff = portfolio.person(given_name="Ada"), portfolio.staff(role, "organisations/pes")
    entry(person)
    assert reason_of(staff.GetHolder, reads(person)) == "NOT_FOUND"
    look = staff.CreateBreakGlassAccess(opening(person))
    assert look.expire_time.seconds - look.create_time.seconds == 3600
    (alarm,) = told(portfolio, person.holder, events_pb2.BreakGlassOpened)
    assert (alarm.break_glass_access, alarm.ground) == (look.name, "DANGER")
    assert staff.GetHolder(reads(person)).given_name == "Ada"
    assert staff.ListEntries(entry_pb2.ListEntriesRequest(parent=person.holder)).entries
    staff.ListPathways(pathway_pb2.ListPathwaysRequest(parent=person.holder))
    changed = holders.UpdateHolderRequest(holder=holders.Holder(name=person.holder, given_name="Eve"))
    assert reason_of(staff.UpdateHolder, changed) == "PERMISSION_DENIED"
    more = skill_claim_pb2.ListSkillClaimsRequest(parent=person.holder)
    assert reason_of(staff.ListSkillClaims, more) in {"NOT_FOUND", "PERMISSION_DENIED"}
    # To nobody else, and at nobody else.
    assert reason_of(portfolio.staff(role, "organisations/pes").GetHolder, reads(person)) == "NOT_FOUND"
    elsewhere = portfolio.staff(role, "organisations/other", staff.subject)
    assert reason_of(elsewhere.GetHolder, reads(person)) == "NOT_FOUND"
    assert reason_of(staff.GetHolder, reads(portfolio.person())) == "NOT_FOUND"
    assert log_of(person) == [
        ("ListPathways", look.name),
        ("ListEntries", look.name),
        ("GetHolder", look.name),
        ("CreateBreakGlassAccess", person.holder),
    ]
    over(portfolio, look)
    assert reason_of(staff.GetHolder, reads(person)) == "NOT_FOUND"
    shown = person.ListBreakGlassAccesses(pb.ListBreakGlassAccessesRequest(parent=person.holder))
    (seen,) = shown.break_glass_accesses
    assert (seen.reason, seen.opener, seen.state) == (look.reason, staff.subject, Access.STATE_ENDED)


def test_without_an_end_the_look_would_stay_open(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: when who once had a look open is let in, the time that is over stops nobody."""
    person, staff = portfolio.person(), portfolio.counsellor()
    look = staff.CreateBreakGlassAccess(opening(person))
    over(portfolio, look)
    monkeypatch.setattr(requests.break_glass, "in_force", lambda *_: look.name)
    assert staff.GetHolder(reads(person)).name == person.holder


def test_its_opener_ends_it_and_a_second_person_looks_at_it(portfolio: Portfolio) -> None:
    person, staff = portfolio.person(), portfolio.counsellor()
    look = staff.CreateBreakGlassAccess(opening(person, request_id=str(uuid.uuid4())))
    end = pb.EndBreakGlassAccessRequest(name=look.name)
    assert reason_of(portfolio.counsellor().EndBreakGlassAccess, end) == "NOT_FOUND"
    ended = staff.EndBreakGlassAccess(end)
    assert staff.EndBreakGlassAccess(end) == ended
    assert reason_of(staff.GetHolder, reads(person)) == "NOT_FOUND"
    review = pb.ReviewBreakGlassAccessRequest(name=look.name, verdict=JUSTIFIED, note="an ambulance came")
    themselves = portfolio.staff("supervisor", subject=staff.subject)
    assert reason_of(themselves.ReviewBreakGlassAccess, review) == "SAME_PERSON"
    of_their_own = portfolio.staff("supervisor", subject=person.subject)
    assert reason_of(of_their_own.ReviewBreakGlassAccess, review) == "SAME_PERSON"
    second = portfolio.staff("supervisor")
    asked = pb.ListUnreviewedBreakGlassAccessesRequest(page_size=500)

    def waiting() -> dict[str, str]:
        found = second.ListUnreviewedBreakGlassAccesses(asked).break_glass_accesses
        return {each.name: each.reason for each in found}

    assert waiting()[look.name] == ""  # a list is no look at a person
    read = second.GetBreakGlassAccess(pb.GetBreakGlassAccessRequest(name=look.name))
    assert read.reason == look.reason
    reviewed = second.ReviewBreakGlassAccess(review)
    assert (reviewed.state, reviewed.reviewer) == (Access.STATE_REVIEWED, second.subject)
    assert reason_of(portfolio.staff("supervisor").ReviewBreakGlassAccess, review) == "WRONG_STATE"
    assert look.name not in waiting()
    (event,) = told(portfolio, person.holder, events_pb2.BreakGlassReviewed)
    assert event.verdict == "JUSTIFIED"
    shown = person.GetBreakGlassAccess(pb.GetBreakGlassAccessRequest(name=look.name))
    assert (shown.review_note, shown.reason) == ("an ambulance came", look.reason)
    # A review stops what is open; the row outlives the person, and says nothing any more.
    again = staff.CreateBreakGlassAccess(opening(person))
    verdict = pb.BREAK_GLASS_VERDICT_UNJUSTIFIED
    second.ReviewBreakGlassAccess(
        pb.ReviewBreakGlassAccessRequest(name=again.name, verdict=verdict, note="no reason for it")
    )
    assert reason_of(staff.GetHolder, reads(person)) == "NOT_FOUND"
    person.EraseHolder(erase_request(person))
    left = person.ListBreakGlassAccesses(pb.ListBreakGlassAccessesRequest(parent=person.holder))
    assert [(each.verdict, each.reason) for each in left.break_glass_accesses] == [
        (verdict, ""),
        (JUSTIFIED, ""),
    ]


def test_what_is_restricted_or_not_there_stays_closed(portfolio: Portfolio) -> None:
    person, staff = portfolio.person(), portfolio.counsellor()
    staff.CreateBreakGlassAccess(opening(person))
    delivered(portfolio, person, rights.RightsRequest.KIND_RESTRICTION)
    assert reason_of(staff.GetHolder, reads(person)) == "PROCESSING_RESTRICTED"
    assert reason_of(staff.CreateBreakGlassAccess, opening(person)) == "PROCESSING_RESTRICTED"
    assert reason_of(staff.CreateBreakGlassAccess, opening(portfolio.learner())) == "NOT_FOUND"
    own = portfolio.counsellor(subject=person.subject)
    assert reason_of(own.CreateBreakGlassAccess, opening(person)) == "SAME_PERSON"
    short = opening(person)
    short.break_glass_access.reason = "because"
    assert reason_of(staff.CreateBreakGlassAccess, short) == "INVALID_ARGUMENT"


@pytest.fixture
def three_a_day(portfolio: Portfolio) -> Any:
    """A portfolio service that lets three people be looked at in a day."""
    settings = portfolio.app.settings
    before = settings.daily_people
    object.__setattr__(settings, "daily_people", 3)
    yield portfolio
    object.__setattr__(settings, "daily_people", before)


def test_nobody_looks_at_everybody(three_a_day: Portfolio) -> None:
    """The third person raises the alarm, the fourth stays closed, and who was open before stays open."""
    portfolio, staff = three_a_day, three_a_day.counsellor()
    people = [portfolio.person() for _ in range(4)]
    for person in people:
        staff_mandate(portfolio, person, staff)
    for person in people[:2] * 3:
        staff.GetHolder(reads(person))
    assert told(portfolio, staff.subject, events_pb2.ReadQuotaReached) == []
    staff.GetHolder(reads(people[2]))
    for _ in range(2):
        found = refused(staff.GetHolder, reads(people[3]))
        assert (found.reason, found.metadata["limit"]) == ("READ_QUOTA_EXCEEDED", "3")
        assert staff.GetHolder(reads(people[0])).name == people[0].holder
    # Without leave neither: the alarm there would be one more to look away from.
    assert reason_of(staff.CreateBreakGlassAccess, opening(people[3])) == "READ_QUOTA_EXCEEDED"
    (alarm,) = told(portfolio, staff.subject, events_pb2.ReadQuotaReached)
    assert (alarm.people, alarm.organisation) == (3, portfolio.organisation)
    (seen,) = alarms_of(portfolio, staff)
    assert (seen.people, seen.organisation) == (3, portfolio.organisation)
    assert portfolio.mandated(people[3]).GetHolder(reads(people[3])).name  # another's day is another
    assert not [each for each in log_of(people[3]) if each[0] == "GetHolder"][1:]
    with transaction(portfolio.app) as tx:  # a day later
        for table in (rights_tables.people_seen, rights_tables.people_counted):
            tx.execute(table.update().where(table.c.reader == staff.subject).values(day=table.c.day - 1))
    assert staff.GetHolder(reads(people[3])).name == people[3].holder
    jobs.forget_daily_looks(portfolio.app)
    assert alarms_of(portfolio, staff) == [seen]  # the day is over, and somebody is still to ask why
    with transaction(portfolio.app) as tx:
        theirs = rights_tables.read_alarms.c.reader == staff.subject
        long_ago = text("raised_at - interval '366 days'")
        tx.execute(rights_tables.read_alarms.update().where(theirs).values(raised_at=long_ago))
    jobs.forget_daily_looks(portfolio.app)
    assert alarms_of(portfolio, staff) == []
    with transaction(portfolio.app, read_only=True) as tx:
        table = rights_tables.people_seen.c
        seen = tx.execute(select(table.holder_id).where(table.reader == staff.subject)).scalars().all()
    assert list(seen) == [people[3].subject]
    people[3].EraseHolder(erase_request(people[3]))
    with transaction(portfolio.app, read_only=True) as tx:
        assert not tx.execute(select(table.holder_id).where(table.reader == staff.subject)).all()


def alarms_of(portfolio: Portfolio, staff: Caller) -> list[access_log_pb2.ReadAlarm]:
    """What a supervisor finds of somebody."""
    asked = access_log_pb2.ListReadAlarmsRequest(page_size=500)
    assert reason_of(staff.ListReadAlarms, asked) == "PERMISSION_DENIED"
    found = portfolio.staff("supervisor").ListReadAlarms(asked).read_alarms
    return [each for each in found if each.reader == staff.subject]


def test_without_the_count_everybody_could_be_looked_at(
    three_a_day: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    monkeypatch.setattr(access, "_count", lambda *_: None)
    staff = three_a_day.counsellor()
    for _ in range(5):
        person = three_a_day.person()
        staff_mandate(three_a_day, person, staff)
        assert staff.GetHolder(reads(person)).name == person.holder


def test_people_looked_at_together_are_each_counted(three_a_day: Portfolio) -> None:
    portfolio, staff = three_a_day, three_a_day.counsellor()
    people = [portfolio.person() for _ in range(6)]
    for person in people:
        staff_mandate(portfolio, person, staff)
    outcomes: list[bool] = []

    def look(person: Caller) -> None:
        try:
            staff.GetHolder(reads(person))
            outcomes.append(True)
        except Exception:
            outcomes.append(False)

    threads = [threading.Thread(target=look, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes) == 3
    assert len(told(portfolio, staff.subject, events_pb2.ReadQuotaReached)) == 1


def staff_mandate(portfolio: Portfolio, person: Caller, staff: Caller) -> None:
    """Lets somebody look at a person."""
    person.CreateMandate(mandate(person, staff, portfolio.organisation, 1))
