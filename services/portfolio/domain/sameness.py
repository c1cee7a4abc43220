"""Whether what a document brings (entries, entries of the journal, plans, goals) is there already."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from waymark.portfolio.v1 import entry_pb2 as pb
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import Page
from waymark.portfolio.v1.plan_pb2 import Plan

_WORK = (pb.ENTRY_KIND_WORK, pb.ENTRY_KIND_VOLUNTEERING, pb.ENTRY_KIND_CARE_WORK)


class Known:
    """Entries that are there; formats that know fewer kinds and fields than we do still meet them."""

    def __init__(self, entries: Iterable[pb.Entry]) -> None:
        self._by_key: dict[Hashable, list[pb.Entry]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: pb.Entry) -> None:
        """Notes one more entry."""
        self._by_key.setdefault(_key(entry), []).append(entry)

    def find(self, entry: pb.Entry) -> pb.Entry | None:
        """Returns the one that is there: by kind, title, organisation and start; where the last two are open,
        a text that says something else in the same language makes it another."""
        narrow = bool(entry.organisation or entry.HasField("start_date"))
        alike = self._by_key.get(_key(entry), [])
        return next((each for each in alike if narrow or not _differ(entry, each)), None)


def _key(entry: pb.Entry) -> Hashable:
    if entry.kind == pb.ENTRY_KIND_DRIVING_LICENCE:
        return entry.kind, *sorted(entry.driving_licence.categories)
    kind = pb.ENTRY_KIND_WORK if entry.kind in _WORK else entry.kind
    start = entry.start_date
    return kind, plain(entry.title), plain(entry.organisation), start.year, start.month, start.day


def _differ(one: pb.Entry, other: pb.Entry) -> bool:
    shared = set(one.description) & set(other.description)
    return any(plain(one.description[each]) != plain(other.description[each]) for each in shared)


def journal_keys(entry: JournalEntry) -> Sequence[Hashable]:
    """Returns what an entry of the journal is known by, the narrowest last: title and text, and with them its
    day, where it has one."""
    said = plain(entry.title), plain(entry.text)
    day = entry.entry_date
    return [said, (*said, day.year, day.month, day.day)] if entry.HasField("entry_date") else [said]


def plan_keys(plan: Plan) -> Sequence[Hashable]:
    """Returns what a plan is known by: title, description and titles of its tasks; deadlines and how far the
    tasks have come change while it is followed."""
    return [(plain(plan.title), plain(plan.description), *(plain(task.title) for task in plan.tasks))]


def goal_keys(goal: Goal) -> Hashable:
    """Returns what a goal is known by: title and description; the rest changes while it is followed."""
    return plain(goal.title), plain(goal.description)


def page_keys(page: Page) -> Sequence[Hashable]:
    """Returns what a page is known by: title and blocks."""
    return [(plain(page.title), *(block.SerializeToString() for block in page.blocks))]


def plain(text: str) -> str:
    """Returns a text as it is compared: blanks and capitals are of no matter."""
    return " ".join(text.casefold().split())
