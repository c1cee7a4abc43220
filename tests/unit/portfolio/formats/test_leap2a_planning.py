"""Blogs and plans in Leap2A: a journal and plans with tasks are made of them, and come to be such again."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.type.date_pb2 import Date
from hypothesis import given, settings
from hypothesis import strategies as st
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.plan_pb2 import Plan, Task

from services.portfolio.formats import fitting, leap2a, leap2a_archive, leap2a_items, leap2a_reading, texts
from services.portfolio.formats.format import Cv, DocumentBrokenError, Read
from services.portfolio.formats.losses import losses
from tests.support.documents import cv, read, whole, written
from tests.support.real_data import real_data
from tests.unit.portfolio.formats.test_leap2a import entry, feed

LEAP = leap2a_archive.FORMAT
BLOG = '<category term="Blog" scheme="categories:selection_type#"/>'


def part(rel: str, href: str, order: int = 0) -> str:
    """A link to a part, or to the whole."""
    return f'<link rel="leap2:{rel}" href="{href}" leap2:display_order="{order}"/>'


def written_again(found: Read) -> Read:
    made = replace(cv(), journal=tuple(found.journal), plans=tuple(found.plans), goals=tuple(found.goals))
    return read(LEAP, written(LEAP, made))


def test_blogs_and_plans_of_mahara_become_a_journal_and_plans() -> None:
    found = read(LEAP, real_data("portfolio/leap2a/2010-10-16_Mahara_v1-3_leap2a.xml").read_bytes())
    first, second = found.journal
    assert (first.title, first.text) == (
        "First post",
        "Just created my first Mahara account and I love it!\nGreat work.",
    )
    assert first.entry_date == Date(year=2010, month=10, day=7)
    assert first.entry_time.ToJsonString() == "2010-10-07T20:41:40Z"  # 22:41:40+02:00
    assert (second.title, second.text) == ("Visit to Google", "Visited Google today:")
    (plan,) = found.plans
    assert (plan.title, plan.description) == ("Masterplan", "Become world dictator for life")
    (task,) = plan.tasks
    assert (task.title, task.state) == ("Overthrow all governments", Task.STATE_OPEN)
    assert task.deadline.date == Date(year=2010, month=12, day=31)
    told = {
        "selection": 9,  # blogs, whose posts are in one journal, among others
        "entry.content.markup": 1,  # a picture
        "entry": 5,
    }
    assert {key: found.left[key] for key in told} == told
    assert second.evidence == [found.portfolio.evidence[0].name]
    assert "plan" not in {key.partition(".")[0] for key in found.left}


def test_a_post_comes_with_its_day_in_utc_its_tags_and_as_a_draft() -> None:
    draft = entry(
        "entry",
        "<published>2020-01-01T00:30:00+02:00</published>",
        '<category term="steel"/><category term="x" label="On  deck"/><category term="steel"/>',
        '<category term="Unready" scheme="categories:readiness#"/>',
        part("is_part_of", "b"),
        id_="p",
    )
    found = read(LEAP, feed(draft, entry("selection", BLOG, id_="b", title="Mine")))
    (made,) = found.journal
    assert made.entry_date == Date(year=2019, month=12, day=31)
    assert made.entry_time.ToJsonString() == "2019-12-31T22:30:00Z"
    assert made.tags == ["steel", "On deck"]
    assert made.draft
    assert found.left == {"feed.author": 1, "selection": 1}
    ready = draft.replace("Unready", "Ready")
    assert not read(LEAP, feed(ready, entry("selection", BLOG, id_="b"))).journal[0].draft
    alone = entry("entry", "<updated>2020-01-01T00:00:00Z</updated>", id_="p")
    assert not read(LEAP, feed(alone)).journal  # of no blog
    plugin = '<m:artefactplugin xmlns:m="m" m:type="blogpost"/>'
    found = read(LEAP, feed(alone.replace("</entry>", f"{plugin}</entry>")))
    assert [each.entry_date.year for each in found.journal] == [2020]
    assert found.left == {"feed.author": 1}


def test_midnight_and_less_than_a_microsecond_come_back() -> None:
    made = [JournalEntry(text="x", entry_date=Date(year=2020, month=1, day=2)) for _ in range(2)]
    for entry_, moment in zip(made, ("2020-01-02T00:00:00Z", "2020-01-02T09:00:00.123456789Z"), strict=True):
        entry_.entry_time.FromJsonString(moment)
    planned = replace(cv(), journal=tuple(made))
    assert read(LEAP, written(LEAP, planned)).journal == made
    assert not set(losses(LEAP, planned))


def test_comments_and_what_is_no_time_are_told() -> None:
    post = entry(
        "entry",
        "<published>lately</published><updated>2020-05-06</updated>",
        '<link rel="leap2:reflected_on_by" href="c"/>',
        id_="p",
    )
    comment = entry("entry", '<link rel="leap2:reflects_on" href="p"/>', id_="c")
    found = read(LEAP, feed(entry("selection", BLOG, part("has_part", "p"), id_="b"), post, comment))
    assert [each.entry_date for each in found.journal] == [Date(year=2020, month=5, day=6)]
    told = {"entry": 1, "entry.published": 1, "entry.link.reflected_on_by": 1, "selection": 1}
    assert found.left == {"feed.author": 1, **told}


def test_the_journal_comes_newest_day_first() -> None:
    posts = [
        entry("entry", f"<published>{day}</published>", id_=f"p{number}", title=f"{number}")
        for number, day in enumerate(("2020-01-02", "2021-01-01", "2020-01-02", "2020-01-03"))
    ]
    links = "".join(part("has_part", f"p{number}") for number in range(4))
    found = read(LEAP, feed(*posts, entry("selection", BLOG, links, id_="b")))
    assert [each.title for each in found.journal] == ["1", "3", "0", "2"]


def test_tasks_come_in_their_order_with_state_and_deadline() -> None:
    def task(id_: str, *inside: str) -> str:
        return entry("plan", *inside, id_=id_, title=f"Task {id_}")

    done = '<leap2:status leap2:stage="completed"/><leap2:date leap2:point="target">2021-02-03</leap2:date>'
    later = '<leap2:status leap2:stage="started"/><leap2:date leap2:point="start">2021-02-03</leap2:date>'
    content = feed(
        task("c", part("is_part_of", "a")),
        task("d", later),
        task("b", done, part("is_part_of", "a")),
        task("z", '<leap2:date leap2:point="target">2021-02</leap2:date>', part("has_part", "y")),
        task("y"),
        entry("plan", part("has_part", "z", 3), part("has_part", "d", 2), part("has_part", "b", 1), id_="a"),
    )
    found = read(LEAP, content)
    (plan,) = found.plans
    assert [each.title for each in plan.tasks] == ["Task b", "Task d", "Task z", "Task c"]
    assert [each.state for each in plan.tasks] == [Task.STATE_DONE, *[Task.STATE_OPEN] * 3]
    assert [each.HasField("deadline") for each in plan.tasks] == [True, False, False, False]
    told = {"plan.status": 1, "plan.start_date": 1, "plan.deadline": 1, "plan.link.has_part": 1, "plan": 1}
    assert found.left == {"feed.author": 1, **told}


def test_plans_within_one_another_are_told_and_not_followed() -> None:
    one = entry("plan", part("has_part", "b"), id_="a")
    found = read(LEAP, feed(one, entry("plan", part("has_part", "a"), id_="b")))
    assert not found.plans
    assert found.left["plan"] == 2
    assert read(LEAP, feed(one, entry("plan", id_="b"))).plans  # control


def test_a_plan_takes_its_tasks_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [entry("plan", part("is_part_of", "a"), id_=f"t{number}") for number in range(203)]
    content = feed(entry("plan", id_="a"), *tasks)
    found = read(LEAP, content)
    assert (len(found.plans), len(found.plans[0].tasks), found.left["plan"]) == (1, 200, 3)
    monkeypatch.setattr(leap2a_reading, "_TASKS", 1000)  # control
    assert len(read(LEAP, content).plans[0].tasks) == 203


def test_a_blog_links_to_so_many_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    content = feed(entry("selection", BLOG, part("has_part", "p") * 6000, id_="b"))
    with pytest.raises(DocumentBrokenError, match="items"):
        read(LEAP, content)
    monkeypatch.setattr(leap2a_items, "_LISTS", 4)  # control
    assert read(LEAP, content).left["selection"] == 1


def test_what_a_stranger_sets_beside_is_held_to_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def beside(said: str) -> str:
        return f'<beside xmlns="{leap2a.OURS}">{said}</beside>'

    plan = beside('{"goal": "holders/x/goals/y", "tasks": [{"title": "?", "id": "1"}]}')
    task = beside('{"deadline": {"date": {"year": 2021, "month": 2, "day": 1}, "timeZone": "Mars/Olympus"}}')
    post = beside('{"entryDate": {"year": 2021, "month": 2, "day": 31}}')
    content = feed(
        entry("plan", plan, part("has_part", "t"), id_="a"),
        entry("plan", task, id_="t"),
        entry("selection", BLOG, part("has_part", "p"), id_=leap2a.JOURNAL),
        entry("entry", post, id_="p"),
    )
    found = read(LEAP, content)
    assert found.plans == [Plan(title="Welder", tasks=[Task(title="Welder", state=Task.STATE_OPEN)])]
    assert found.journal == [JournalEntry(title="Welder")]
    told = {"plan.goal": 1, "plan.tasks": 1, "plan.deadline": 1, "entry.entry_date": 1}
    assert found.left == {"feed.author": 1, **told}
    monkeypatch.setattr(fitting, "_wrong_dates", lambda _: [])  # control
    assert read(LEAP, content).plans[0].tasks[0].HasField("deadline")


def test_a_journal_and_plans_come_back_whole_and_what_has_no_place_is_told() -> None:
    made = whole()
    content = written(LEAP, made)
    found = read(LEAP, content)
    for each in (*made.journal, *made.plans):
        each.ClearField("name")
    assert [each.text for each in found.journal] == [each.text for each in made.journal]
    assert found.journal[1].evidence == ["portfolio:file/0"]  # by its id in the feed
    del found.journal[1].evidence[:]
    del made.journal[1].evidence[:]
    assert found.plans[0].goal == found.goals[0].name == leap2a.id_of("goal", 0)
    for goal in (*made.goals, *found.goals):
        goal.ClearField("name")
    for one in (made.plans[0], found.plans[0]):
        one.ClearField("goal")
    assert (found.journal, found.plans) == (list(made.journal), list(made.plans))
    assert found.goals == list(made.goals)
    assert not found.left
    assert not set(losses(LEAP, whole()))
    made = whole()
    made.plans[0].goal = "holders/h/goals/none"  # one that does not go along
    assert set(losses(LEAP, made)) == {("holders/h/plans/1", "plans.goal")}
    feed_ = zipfile.ZipFile(io.BytesIO(content)).read("leap2a.xml")
    for change in (b"has_part", b"is_part_of"):  # either end says it
        turned = read(LEAP, feed_.replace(change, b"other"))
        assert (len(turned.journal), len(turned.plans[0].tasks)) == (2, 3)
    neither = read(LEAP, re.sub(b"has_part|is_part_of", b"other", feed_))  # control
    assert (len(neither.journal), len(neither.plans)) == (0, 5)


TEXT = st.text(max_size=40)
DAYS = st.dates().map(lambda day: {"year": day.year, "month": day.month, "day": day.day})
DEADLINES = st.fixed_dictionaries(
    {"date": DAYS},
    optional={
        "time_zone": st.sampled_from(["Europe/Brussels", "UTC"]),
        "remind_days_before": st.lists(st.integers(0, 365), max_size=5, unique=True),
        "remind_time": st.just("07:30"),
    },
)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def post(moment: datetime, **fields: Any) -> JournalEntry:
    """A post of a moment, as the service keeps one."""
    made = JournalEntry(entry_date=Date(year=moment.year, month=moment.month, day=moment.day), **fields)
    made.entry_time.FromDatetime(moment)
    return made


POSTS = st.builds(
    JournalEntry,
    title=TEXT,
    text=TEXT,
    entry_date=DAYS,
    tags=st.lists(st.text(min_size=1, max_size=60), max_size=20),
    draft=st.booleans(),
) | st.builds(post, MOMENTS, text=TEXT)
TASKS = st.builds(
    Task, title=TEXT, description=TEXT, state=st.sampled_from([1, 2, 3]), deadline=st.none() | DEADLINES
)
PLANS = st.builds(Plan, title=TEXT, description=TEXT, tasks=st.lists(TASKS, max_size=4))
GOALS = st.builds(
    Goal,
    title=TEXT.filter(texts.line),
    description=TEXT,
    kind=st.sampled_from([0, 1, 2, 3]),
    state=st.sampled_from([1, 2, 3]),
    deadline=st.none() | DEADLINES,
)


@settings(max_examples=60, deadline=None)
@given(
    journal=st.lists(POSTS, max_size=4), plans=st.lists(PLANS, max_size=3), goals=st.lists(GOALS, max_size=2)
)
def test_round_trips_of_any_journal_plans_and_goals(
    journal: list[JournalEntry], plans: list[Plan], goals: list[Goal]
) -> None:
    for number, goal in enumerate(goals):
        goal.name = leap2a.id_of("goal", number)
    for plan, goal in zip(plans, goals, strict=False):
        plan.goal = goal.name
    made: Cv = replace(cv(), journal=tuple(journal), plans=tuple(plans), goals=tuple(goals))
    # What is written once has been cleaned; from then on nothing changes.
    first = read(LEAP, written(LEAP, made))
    assert len(first.journal) == len(journal)
    again = written_again(first)
    assert {each.entry_time.ToJsonString() for each in first.journal if each.HasField("entry_time")} == {
        each.entry_time.ToJsonString() for each in journal if each.HasField("entry_time")
    }
    assert (again.journal, again.plans, again.goals) == (first.journal, first.plans, first.goals)
    assert [plan.goal for plan in first.plans] == [plan.goal for plan in plans if texts.line(plan.title)]
    assert again.left == {"feed.author": 1}
