"""Journal, goals and plans: order, undo, trash, reminders, and who reads them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2, events_pb2, on_behalf_pb2
from waymark.portfolio.v1 import goal_pb2 as goals
from waymark.portfolio.v1 import journal_entry_pb2 as journal
from waymark.portfolio.v1 import mandate_pb2 as mandates
from waymark.portfolio.v1 import plan_pb2 as pb

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.store import reminders, trash
from tests.support.portfolio import Caller, Portfolio, reason_of, refused, soon

ANY_DAY = Date(year=2040, month=6, day=30)


def goal(person: Caller, title: str = "Weld", **fields: Any) -> goals.Goal:
    request = goals.CreateGoalRequest(parent=person.holder, goal=goals.Goal(title=title, **fields))
    answer: goals.Goal = person.CreateGoal(request)
    return answer


def plan(person: Caller, title: str = "Become a welder", **fields: Any) -> pb.Plan:
    request = pb.CreatePlanRequest(parent=person.holder, plan=pb.Plan(title=title, **fields))
    answer: pb.Plan = person.CreatePlan(request)
    return answer


def titles(caller: Caller, holder: str, **fields: Any) -> list[str]:
    listed = caller.ListGoals(goals.ListGoalsRequest(parent=holder, **fields)).goals
    return [each.title for each in listed]


def in_days(days: int, zone: str = "Europe/Brussels", before: tuple[int, ...] = (0,)) -> goals.Deadline:
    day = soon(days=days).ToDatetime()
    return goals.Deadline(
        date=Date(year=day.year, month=day.month, day=day.day), time_zone=zone, remind_days_before=before
    )


def test_a_goal_comes_back_as_it_was_given_and_is_changed(portfolio: Portfolio) -> None:
    person = portfolio.person()
    made = goal(person, "Weld", description="For a living", kind=goals.Goal.KIND_CAREER, deadline=in_days(9))
    assert made.state == goals.Goal.STATE_OPEN
    assert person.GetGoal(goals.GetGoalRequest(name=made.name)) == made
    reached = goals.Goal(name=made.name, state=goals.Goal.STATE_REACHED, etag=made.etag)
    changed = person.UpdateGoal(goals.UpdateGoalRequest(goal=reached))
    assert (changed.title, changed.state) == ("Weld", goals.Goal.STATE_REACHED)
    assert reason_of(person.UpdateGoal, goals.UpdateGoalRequest(goal=reached)) == "ETAG_STALE"
    for wrong in (
        goals.Goal(),
        goals.Goal(title="x", deadline=goals.Deadline(date=Date(year=2027))),
        goals.Goal(title="x", deadline=goals.Deadline(date=ANY_DAY, time_zone="Mars/Olympus")),
        goals.Goal(title="x", deadline=goals.Deadline(date=ANY_DAY, remind_time="24:00")),
    ):
        request = goals.CreateGoalRequest(parent=person.holder, goal=wrong)
        assert reason_of(person.CreateGoal, request) == "INVALID_ARGUMENT"


def test_order_is_as_it_was_put_and_what_is_new_comes_last(portfolio: Portfolio) -> None:
    person = portfolio.person()
    a, b, c = (goal(person, title) for title in "abc")
    assert titles(person, person.holder) == ["a", "b", "c"]
    arranging = goals.ArrangeGoalsRequest(parent=person.holder, names=[c.name, a.name])
    person.ArrangeGoals(arranging)
    assert titles(person, person.holder) == ["c", "a", "b"]
    person.ArrangeGoals(goals.ArrangeGoalsRequest(parent=person.holder, names=[b.name]))
    goal(person, "d")
    assert titles(person, person.holder) == ["b", "c", "a", "d"]
    first = person.ListGoals(goals.ListGoalsRequest(parent=person.holder, page_size=3))
    assert titles(person, person.holder, page_size=3, page_token=first.next_page_token) == ["d"]
    other = goal(portfolio.person())
    arranging.names.append(other.name)
    assert reason_of(person.ArrangeGoals, arranging) == "INVALID_ARGUMENT"
    one, two = plan(person, "one"), plan(person, "two")
    person.ArrangePlans(pb.ArrangePlansRequest(parent=person.holder, names=[two.name]))
    listed = person.ListPlans(pb.ListPlansRequest(parent=person.holder)).plans
    assert [each.name for each in listed] == [two.name, one.name]


def test_a_plan_keeps_the_order_and_the_ids_of_its_tasks(portfolio: Portfolio) -> None:
    person = portfolio.person()
    aim = goal(person)
    made = plan(person, goal=aim.name, tasks=[pb.Task(title="Ask"), pb.Task(title="Learn")])
    ask, learn = made.tasks
    assert ask.id
    assert ask.id != learn.id
    turned = pb.Plan(name=made.name, tasks=[learn, pb.Task(title="Practise"), ask], etag=made.etag)
    changed = person.UpdatePlan(pb.UpdatePlanRequest(plan=turned))
    assert [task.title for task in changed.tasks] == ["Learn", "Practise", "Ask"]
    assert (changed.tasks[0].id, changed.tasks[2].id) == (learn.id, ask.id)
    for wrong in ([ask, ask], [pb.Task(id="made-up", title="x")]):
        request = pb.UpdatePlanRequest(plan=pb.Plan(name=made.name, tasks=wrong))
        assert reason_of(person.UpdatePlan, request) == "INVALID_ARGUMENT"
    foreign = pb.Plan(title="x", goal=goal(portfolio.person()).name)
    creating = pb.CreatePlanRequest(parent=person.holder, plan=foreign)
    assert reason_of(person.CreatePlan, creating) == "INVALID_ARGUMENT"


def test_the_last_change_is_taken_back_and_brought_again(portfolio: Portfolio) -> None:
    person = portfolio.person()
    made = plan(person, tasks=[pb.Task(title="Ask"), pb.Task(title="Learn")])
    undo = pb.UndoPlanRequest(name=made.name)
    assert refused(person.UndoPlan, undo).metadata["state"] == "NEVER_CHANGED"
    emptied = pb.UpdatePlanRequest(plan=pb.Plan(name=made.name), update_mask=FieldMask(paths=["tasks"]))
    assert not person.UpdatePlan(emptied).tasks
    assert [task.id for task in person.UndoPlan(undo).tasks] == [task.id for task in made.tasks]
    again = person.UndoPlan(undo)
    assert not again.tasks
    undo.etag = made.etag
    assert reason_of(person.UndoPlan, undo) == "ETAG_STALE"


def test_what_is_in_the_trash_comes_back_or_goes_for_good(
    lonely_portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = lonely_portfolio.person()
    counsellor = lonely_portfolio.mandated(person)
    made, other = goal(person, "a"), goal(person, "b")
    looking = goals.GetGoalRequest(name=made.name)
    gone = person.DeleteGoal(goals.DeleteGoalRequest(name=made.name, etag=made.etag))
    assert gone.purge_time.ToDatetime() - gone.delete_time.ToDatetime() == timedelta(days=30)
    assert titles(person, person.holder) == titles(counsellor, person.holder) == ["b"]
    assert titles(person, person.holder, show_deleted=True) == ["a", "b"]
    assert person.GetGoal(looking) == gone
    assert reason_of(counsellor.GetGoal, looking) == "NOT_FOUND"
    listing = goals.ListGoalsRequest(parent=person.holder, show_deleted=True)
    assert reason_of(counsellor.ListGoals, listing) == "INVALID_ARGUMENT"
    changing = goals.UpdateGoalRequest(goal=goals.Goal(name=made.name, title="x"))
    assert reason_of(person.UpdateGoal, changing) == "NOT_FOUND"
    assert reason_of(person.DeleteGoal, goals.DeleteGoalRequest(name=made.name)) == "NOT_FOUND"
    back = person.UndeleteGoal(goals.UndeleteGoalRequest(name=made.name))
    assert (back.title, back.HasField("delete_time")) == ("a", False)
    assert person.UndeleteGoal(goals.UndeleteGoalRequest(name=made.name)) == back
    person.DeleteGoal(goals.DeleteGoalRequest(name=made.name))
    jobs.empty_trash(lonely_portfolio.app)  # control: what has not been there for long stays
    assert titles(person, person.holder, show_deleted=True) == ["a", "b"]
    monkeypatch.setattr(trash, "IN_TRASH", timedelta(seconds=-1))
    jobs.empty_trash(lonely_portfolio.app)
    assert titles(person, person.holder, show_deleted=True) == ["b"]
    assert person.GetGoal(goals.GetGoalRequest(name=other.name)).title == "b"


def pass_by(portfolio: Portfolio, seconds: int = 0) -> list[events_pb2.ReminderDue]:
    """Lets so many seconds pass for reminders, and returns what was told of them so far."""
    with transaction(portfolio.app) as tx:
        tx.execute(
            text("UPDATE reminders SET remind_at = remind_at - interval '1 second' * :s"), {"s": seconds}
        )
    jobs.tell_reminders(portfolio.app)
    rows = "SELECT payload FROM outbox WHERE type LIKE '%ReminderDue' ORDER BY seq"
    with transaction(portfolio.app, read_only=True) as tx:
        return [events_pb2.ReminderDue.FromString(each) for each in tx.execute(text(rows)).scalars()]


DAY = 86_400


def test_reminders_are_told_once_by_opaque_ids(lonely_portfolio: Portfolio) -> None:
    person = lonely_portfolio.person()
    aim = goal(person, deadline=in_days(20, before=(0, 7)))
    todo = plan(person, tasks=[pb.Task(title="Ask", deadline=in_days(25)), pb.Task(title="Rest")])
    assert pass_by(lonely_portfolio) == []  # control: none is due yet
    (first,) = pass_by(lonely_portfolio, 14 * DAY)
    assert (first.holder, first.resource, first.task) == (person.holder, aim.name, "")
    assert first.remind_time.seconds
    assert len(pass_by(lonely_portfolio)) == 1
    told = pass_by(lonely_portfolio, 15 * DAY)
    assert [(each.resource, each.task) for each in told[1:]] == [
        (aim.name, ""),
        (todo.name, todo.tasks[0].id),
    ]


def test_what_is_due_is_listed_alone(portfolio: Portfolio) -> None:
    """What a reminder has come for, what is for today and what is overdue; nothing done or trashed."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person)
    goal(person, "undated")
    goal(person, "later", deadline=in_days(20, before=(0, 7)))
    goal(person, "reminded", deadline=in_days(5, before=(0, 7)))
    goal(person, "overdue", deadline=in_days(-3, before=()))
    goal(person, "reached", deadline=in_days(-3), state=goals.Goal.STATE_REACHED)
    gone = goal(person, "gone", deadline=in_days(-3))
    person.DeleteGoal(goals.DeleteGoalRequest(name=gone.name))
    assert len(titles(person, person.holder)) == 5  # control: without the filter all are there
    for caller in (person, counsellor):
        assert titles(caller, person.holder, due=True) == ["reminded", "overdue"]
    assert titles(person, person.holder, due=True, show_deleted=True) == ["reminded", "overdue"]
    first = person.ListGoals(goals.ListGoalsRequest(parent=person.holder, due=True, page_size=2))
    assert not first.goals  # a page may have fewer, and goes on
    rest = titles(person, person.holder, due=True, page_token=first.next_page_token)
    assert rest == ["reminded", "overdue"]
    done = pb.Task(title="Done", deadline=in_days(-3), state=pb.Task.STATE_DONE)
    plan(person, "all done", tasks=[done])
    plan(person, "one due", tasks=[done, pb.Task(title="Ask", deadline=in_days(-1))])
    listed = person.ListPlans(pb.ListPlansRequest(parent=person.holder, due=True)).plans
    assert [each.title for each in listed] == ["one due"]


def test_only_what_is_open_is_reminded_of(lonely_portfolio: Portfolio) -> None:
    person = lonely_portfolio.person()
    reached, trashed, moved = (goal(person, deadline=in_days(20)) for _ in range(3))
    todo = plan(person, tasks=[pb.Task(title="Ask", deadline=in_days(20))])
    done = goals.Goal(name=reached.name, state=goals.Goal.STATE_REACHED)
    person.UpdateGoal(goals.UpdateGoalRequest(goal=done))
    person.DeleteGoal(goals.DeleteGoalRequest(name=trashed.name))
    later = goals.Goal(name=moved.name, deadline=in_days(60))
    person.UpdateGoal(goals.UpdateGoalRequest(goal=later))
    todo.tasks[0].state = pb.Task.STATE_DONE
    person.UpdatePlan(pb.UpdatePlanRequest(plan=todo))
    assert pass_by(lonely_portfolio, 30 * DAY) == []
    person.UndoGoal(goals.UndoGoalRequest(name=reached.name))  # control: open again, and out of the trash
    person.UndeleteGoal(goals.UndeleteGoalRequest(name=trashed.name))
    # Days end at midnight, so two more than up to then.
    assert {each.resource for each in pass_by(lonely_portfolio, 32 * DAY)} == {
        reached.name,
        trashed.name,
        moved.name,
    }


def test_two_processes_tell_a_reminder_once(lonely_portfolio: Portfolio) -> None:
    """While one has taken a reminder, another passes it by; what was taken in vain is there again."""
    person = lonely_portfolio.person()
    goal(person, deadline=in_days(20))
    app = lonely_portfolio.app
    with transaction(app) as tx:
        tx.execute(text("UPDATE reminders SET remind_at = now() - interval '1 hour'"))

    def stop_on_the_way() -> None:
        with transaction(app) as first:
            assert len(reminders.take_due(first)) == 1
            with transaction(app) as second:
                assert reminders.take_due(second) == []
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_on_the_way()
    with transaction(app) as again:
        assert len(reminders.take_due(again)) == 1


def test_counsellors_read_plans_and_never_the_journal(portfolio: Portfolio) -> None:
    person = portfolio.person()
    aim, todo = goal(person), plan(person)
    written = person.CreateJournalEntry(
        journal.CreateJournalEntryRequest(
            parent=person.holder, journal_entry=journal.JournalEntry(text="Afraid of the height")
        )
    )
    assert written.entry_date.year >= 2026
    counsellor = portfolio.mandated(person)
    assert counsellor.GetGoal(goals.GetGoalRequest(name=aim.name)) == aim
    assert counsellor.GetPlan(pb.GetPlanRequest(name=todo.name)) == todo
    reading = journal.GetJournalEntryRequest(name=written.name)
    assert reason_of(counsellor.GetJournalEntry, reading) == "PERMISSION_DENIED"
    changing = pb.UpdatePlanRequest(plan=pb.Plan(name=todo.name, title="x"))
    assert reason_of(counsellor.UpdatePlan, changing) == "NOT_FOUND"
    partner = portfolio.mandated(person, mandates.MANDATE_PURPOSE_CASE)
    assert reason_of(partner.GetPlan, pb.GetPlanRequest(name=todo.name)) == "NOT_FOUND"
    log = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert [each.action for each in log.access_records] == ["GetPlan", "GetGoal"]
    helper = portfolio.mandated(person, act_on_behalf=True)
    creating = goals.CreateGoalRequest(parent=person.holder, goal=goals.Goal(title="Rent a flat"))
    made = helper.CreateGoal(creating)
    helper.UpdatePlan(changing)
    records = person.ListOnBehalfRecords(
        on_behalf_pb2.ListOnBehalfRecordsRequest(parent=person.holder)
    ).on_behalf_records
    assert [(each.action, each.resource) for each in reversed(records)] == [
        ("CreateGoal", made.name),
        ("UpdatePlan", todo.name),
    ]


def test_the_journal_is_written_changed_undone_and_found_newest_first(portfolio: Portfolio) -> None:
    person = portfolio.person()

    def write(said: str, **fields: Any) -> Any:
        entry = journal.JournalEntry(text=said, **fields)
        request = journal.CreateJournalEntryRequest(parent=person.holder, journal_entry=entry)
        return person.CreateJournalEntry(request)

    first = write("First day", entry_date=Date(year=2026, month=9, day=1), tags=["yard"])
    write("Second day")
    listing = journal.ListJournalEntriesRequest(parent=person.holder)
    found = person.ListJournalEntries(listing).journal_entries
    assert [each.text for each in found] == ["Second day", "First day"]
    change = journal.JournalEntry(name=first.name, text="The first day")
    person.UpdateJournalEntry(journal.UpdateJournalEntryRequest(journal_entry=change))
    undone = person.UndoJournalEntry(journal.UndoJournalEntryRequest(name=first.name))
    assert (undone.text, list(undone.tags)) == ("First day", ["yard"])
    person.DeleteJournalEntry(journal.DeleteJournalEntryRequest(name=first.name))
    assert len(person.ListJournalEntries(listing).journal_entries) == 1
    person.UndeleteJournalEntry(journal.UndeleteJournalEntryRequest(name=first.name))
    assert len(person.ListJournalEntries(listing).journal_entries) == 2
    wrong = journal.JournalEntry(text="x", evidence=[f"{person.holder}/evidence/none"])
    request = journal.CreateJournalEntryRequest(parent=person.holder, journal_entry=wrong)
    assert reason_of(person.CreateJournalEntry, request) == "INVALID_ARGUMENT"
