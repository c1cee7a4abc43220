"""The journal and plans in documents: brought in once and whole, and taken along by nobody but the holder."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import journal_entry_pb2 as journal
from waymark.portfolio.v1 import plan_pb2 as plans
from waymark.portfolio.v1.entry_pb2 import Entry, ListEntriesRequest
from waymark.portfolio.v1.goal_pb2 import CreateGoalRequest, Deadline, Goal, ListGoalsRequest
from waymark.portfolio.v1.page_pb2 import CreatePageRequest, ListPagesRequest, Page, PageBlock

from services.platform.db.transaction import transaction
from services.portfolio import bringing_in
from services.portfolio.domain import quotas
from tests.integration.portfolio.test_documents import LEAP, RESUME, bring, export, wanted, without_import
from tests.integration.portfolio.test_erasure import upload
from tests.support.portfolio import PDF, Caller, Portfolio, entry, reason_of, refused, soon
from tests.support.real_data import real_data
from tests.support.refusals import fields_refused
from tests.unit.portfolio.formats.test_leap2a import packed

MAHARA = "portfolio/leap2a/2010-10-16_Mahara_v1-3_leap2a.xml"


def written(person: Caller) -> list[journal.JournalEntry]:
    """The journal, newest first, without what the service gives."""
    listed = person.ListJournalEntries(journal.ListJournalEntriesRequest(parent=person.holder))
    return [bare(each) for each in listed.journal_entries]


def planned(person: Caller) -> list[plans.Plan]:
    """Plans in their order, without what the service gives."""
    found = [bare(each) for each in person.ListPlans(plans.ListPlansRequest(parent=person.holder)).plans]
    for task in (task for plan in found for task in plan.tasks):
        assert task.id
        task.ClearField("id")
    return found


def shown(person: Caller) -> list[Page]:
    """Pages, newest first, without what the service gives."""
    listed = person.ListPages(ListPagesRequest(parent=person.holder))
    return [bare(each) for each in listed.pages]


def bare(message: Any) -> Any:
    for field in ("name", "etag", "create_time", "update_time"):
        message.ClearField(field)
    return message


def note(person: Caller, **fields: Any) -> journal.JournalEntry:
    request = journal.CreateJournalEntryRequest(
        parent=person.holder, journal_entry=journal.JournalEntry(**fields)
    )
    made: journal.JournalEntry = person.CreateJournalEntry(request)
    return made


def plan(person: Caller, **fields: Any) -> plans.Plan:
    made: plans.Plan = person.CreatePlan(
        plans.CreatePlanRequest(parent=person.holder, plan=plans.Plan(**fields))
    )
    return made


def goal(person: Caller) -> Goal:
    """The one goal of somebody."""
    listed = person.ListGoals(ListGoalsRequest(parent=person.holder)).goals
    if not listed:
        wanted = Goal(title="Be a welder", kind=Goal.KIND_CAREER)
        person.CreateGoal(CreateGoalRequest(parent=person.holder, goal=wanted))
        return goal(person)
    (made,) = listed
    return made


def entries_of(person: Caller) -> list[Entry]:
    listed = person.ListEntries(ListEntriesRequest(parent=person.holder))
    return list(listed.entries)


def busy(portfolio: Portfolio) -> Caller:
    """A person with a journal and two plans."""
    person = portfolio.person()
    day = soon(days=60).ToDatetime()
    deadline = Deadline(
        date=Date(year=day.year, month=day.month, day=day.day),
        time_zone="Europe/Brussels",
        remind_days_before=[7, 0],
        remind_time="08:30",
    )
    note(person, title="Up", text="Went up.\n\nAfraid & <glad>", entry_date=Date(year=2026, month=1, day=2))
    at = datetime(2026, 1, 3, 17, 5, tzinfo=UTC)
    note(person, text="Again", tags=["heights"], entry_time=at, draft=True)
    tasks = [
        plans.Task(title="Ask at the yard", deadline=deadline),
        plans.Task(title="Read", description="All of it", state=plans.Task.STATE_DONE),
        plans.Task(title="Leave", state=plans.Task.STATE_DROPPED),
    ]
    plan(person, title="Weld", description="For a living", tasks=tasks, goal=goal(person).name)
    plan(person, title="Rest")
    blocks = [PageBlock(text="# Me"), PageBlock(entry=entry(person, "Welder").name), PageBlock(text="Bye")]
    person.CreatePage(CreatePageRequest(parent=person.holder, page=Page(title="Me", blocks=blocks)))
    return person


def reminders(portfolio: Portfolio, person: Caller) -> int:
    with transaction(portfolio.app) as tx:
        count = text("SELECT count(*) FROM reminders WHERE holder_id = :h")
        return int(tx.execute(count, {"h": person.subject}).scalar_one())


def test_blogs_and_plans_of_a_real_file_come_in_once(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, content = portfolio.person(), real_data(MAHARA).read_bytes()
    dry = bring(person, content, LEAP, validate_only=True)
    assert (dry.journal_entries, list(dry.plan_titles)) == (2, ["Masterplan"])
    assert (written(person), planned(person)) == ([], [])
    assert without_import(bring(person, content, LEAP)) == dry
    assert [each.title for each in written(person)] == ["First post", "Visit to Google"]
    (made,) = planned(person)
    assert (made.title, [task.title for task in made.tasks]) == ("Masterplan", ["Overthrow all governments"])
    told = {each.field: each.count for each in dry.not_carried}
    assert (told["selection"], told["evidence.file"], told["evidence"]) == (9, 2, 1)
    assert [each.title for each in shown(person)] == list(dry.page_titles) == ["View one", "Resumé"]
    things = {
        name for page in shown(person) for block in page.blocks if (name := block.entry or block.skill_claim)
    }
    assert len(things) == 9
    assert all(name.startswith(person.holder) for name in things)
    again = bring(person, content, LEAP)
    assert (again.journal_entries, list(again.plan_titles), list(again.page_titles)) == (0, [], [])
    assert again.duplicates == len(dry.entry_titles) + len(dry.skill_labels) + 5
    monkeypatch.setattr(bringing_in, "journal_keys", lambda _: [object()])  # controls
    monkeypatch.setattr(bringing_in, "plan_keys", lambda _: [object()])
    bring(person, content, LEAP)
    assert (len(written(person)), len(planned(person))) == (4, 2)


def test_files_of_a_real_archive_are_linked_once_they_are_here(portfolio_with_files: Portfolio) -> None:
    feed = real_data(MAHARA).read_bytes()
    photo, place = PDF + b"photo", "2010-10-16mahara1-3/0-IMG_0883.JPG"
    files = {place: hashlib.sha256(photo).hexdigest()}

    def brought(person: Caller, content: bytes, **fields: Any) -> tuple[list[list[str]], dict[str, int]]:
        answer = bring(person, content, LEAP, **fields)
        told = {each.field: each.count for each in answer.not_carried}
        return [list(post.evidence) for post in written(person)], told

    for content, fields in ((packed({"leap2a.xml": feed, place: photo}), {}), (feed, {"files": files})):
        person = portfolio_with_files.person()
        there = f"{person.holder}/evidence/{upload(person, photo, file_name='IMG_0883.pdf')}"
        linked, told = brought(person, content, **fields)
        assert linked == [[], [there]]
        assert told["evidence.file"] == 1  # the other one
        assert "resource" not in told
    person = portfolio_with_files.person()
    upload(person, photo)
    unlinked, told = brought(person, feed)  # control: nobody says which it is
    assert (unlinked, told["evidence.file"], told["evidence"]) == ([[], []], 2, 1)
    unlinked, _ = brought(portfolio_with_files.person(), feed, files=files)  # of somebody else
    assert unlinked == [[], []]


def test_what_one_takes_along_is_the_same_elsewhere(portfolio: Portfolio) -> None:
    person, other = busy(portfolio), portfolio.person()
    plan(other, title="Mine")
    gone = note(person, text="Not this")
    person.DeleteJournalEntry(journal.DeleteJournalEntryRequest(name=gone.name))
    content = export(person, person, LEAP, journal_and_plans=True)
    assert not person.GetDocumentReport(wanted(person, LEAP, journal_and_plans=True)).not_carried
    answer = bring(other, content, LEAP)
    assert (answer.journal_entries, list(answer.plan_titles)) == (2, ["Weld", "Rest"])
    assert list(answer.goal_titles) == ["Be a welder"]
    assert written(other) == written(person)
    assert written(other)[0].draft
    theirs, own = planned(other)[1:], planned(person)  # behind what was there
    assert (theirs[0].goal, own[0].goal) == (goal(other).name, goal(person).name)
    theirs[0].goal = own[0].goal
    assert theirs == own
    assert bare(goal(other)) == bare(goal(person))
    (mine,), (moved,) = shown(person), shown(other)
    assert moved.blocks[1].entry == entries_of(other)[0].name
    moved.blocks[1].entry = mine.blocks[1].entry
    assert moved == mine
    assert reminders(portfolio, other) == reminders(portfolio, person) == 2
    assert bring(person, content, LEAP).duplicates == 7
    without = export(person, person, LEAP)
    assert bring(portfolio.person(), without, LEAP).journal_entries == 0


def test_what_has_moved_on_or_lies_in_the_trash(portfolio: Portfolio) -> None:
    person = busy(portfolio)
    content = export(person, person, LEAP, journal_and_plans=True)
    made = person.ListPlans(plans.ListPlansRequest(parent=person.holder)).plans[0]
    made.tasks[0].state = plans.Task.STATE_DONE
    person.UpdatePlan(plans.UpdatePlanRequest(plan=made))
    assert bring(person, content, LEAP).duplicates == 7
    assert planned(person)[0].tasks[0].state == plans.Task.STATE_DONE  # stays
    person.DeletePlan(plans.DeletePlanRequest(name=made.name))
    assert list(bring(person, content, LEAP).plan_titles) == ["Weld"]
    assert planned(person)[-1].goal == goal(person).name  # one that was there


def test_the_moment_of_an_entry_lies_on_its_day(portfolio: Portfolio) -> None:
    person, at = portfolio.person(), datetime(2026, 1, 3, 17, 5, tzinfo=UTC)
    made = note(person, text="x", entry_time=at)
    assert made.entry_date == Date(year=2026, month=1, day=3)
    made.entry_date.day = 4
    change = journal.UpdateJournalEntryRequest(journal_entry=made)
    assert fields_refused(person.UpdateJournalEntry, change) == ["journal_entry.entry_time"]
    change.journal_entry.entry_time.FromDatetime(at + timedelta(days=1))
    assert person.UpdateJournalEntry(change).entry_date.day == 4
    made.entry_time.seconds = 10**15
    wrong = journal.CreateJournalEntryRequest(parent=person.holder, journal_entry=made)
    wrong.journal_entry.ClearField("entry_date")
    assert reason_of(person.CreateJournalEntry, wrong) == "INVALID_ARGUMENT"


@pytest.mark.parametrize("what", ["journal_entries", "plans"])
def test_all_of_it_or_nothing(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    other, content = (
        portfolio.person(),
        export(person := busy(portfolio), person, LEAP, journal_and_plans=True),
    )
    monkeypatch.setitem(quotas.LIMITS, what, 1)
    request = pb.ImportDocumentRequest(parent=other.holder, format=LEAP, content=content)
    assert refused(other.ImportDocument, request).metadata["what"] == what
    assert (written(other), planned(other)) == ([], [])
    monkeypatch.setitem(quotas.LIMITS, what, 2)  # control
    assert bring(other, content, LEAP).journal_entries == 2


def test_they_are_for_the_holder_alone_and_in_one_format(portfolio: Portfolio) -> None:
    person = busy(portfolio)
    counsellor = portfolio.mandated(person)
    for who, format_, fields in (
        (counsellor, LEAP, {}),
        (person, RESUME, {}),
        (person, LEAP, {"anonymous": True}),
    ):
        request = wanted(person, format_, journal_and_plans=True, **fields)
        assert reason_of(who.GetDocumentReport, request) == "INVALID_ARGUMENT"
        with pytest.raises(grpc.RpcError) as caught:
            list(who.ExportDocument(request))
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert export(counsellor, person, LEAP)  # control
