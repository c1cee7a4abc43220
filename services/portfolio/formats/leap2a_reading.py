"""Reads a Leap2A feed, in the three namespaces that are about, and what Mahara makes of it."""

from __future__ import annotations

from collections.abc import Sized
from datetime import UTC, time
from typing import Any

from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.plan_pb2 import Plan, Task
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.platform.days import day_in, day_of
from services.portfolio.domain.dates import from_date
from services.portfolio.formats import leap2a, skills
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import DocumentBrokenError, Read
from services.portfolio.formats.leap2a_aside import Made, keep
from services.portfolio.formats.leap2a_items import Item
from services.portfolio.formats.leap2a_pages import WEBPAGE, Pages
from services.portfolio.formats.leap2a_parts import Parts, join
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import MAX_TEXT, as_iso, of_iso, say
from services.portfolio.formats.trees import refuse_many

# Entries, their organisations, skills, files, a journal (of 5000) and plans with tasks stand in one feed.
_LISTS = 8
_INTEREST, _POST = "interest", "blogpost"  # how Mahara calls them
_MAX_POST, _MAX_TASK, _TASKS = 20_000, 5000, 200  # characters of both, and tasks of a plan
_SUPPORTED = ("supported_by", "is_supported_by")  # the second in what Mahara writes by now
_SHOWN_BY = ("has_evidence", "related")  # the second of a post and its files, in what Mahara writes
_AREAS = {area for _, area in leap2a.KINDS if area}
# Of the document: everything else that stands in a feed is told.
_OF_THE_FEED = ("title", "id", "updated", "author", "generator", "version", "entry")


def read_feed(root: Any, language: str) -> Read:
    """Reads a feed; raises DocumentBrokenError."""
    if local(root) != "feed" or etree.QName(root).namespace != leap2a.ATOM:
        raise DocumentBrokenError("no Atom feed")
    return _Reading(root, root.get(leap2a.LANG, language)[:35]).read()


class _Reading:
    """One feed being read."""

    def __init__(self, root: Any, language: str) -> None:
        refuse_many(len(root), _LISTS)
        self._root = root
        self._made: list[Made] = []
        self._items = [Item(each) for each in root if local(each) == "entry"]
        self._beside = [name for each in root if (name := local(each)) not in ("", *_OF_THE_FEED)]
        self._by_id = {item.id: item for item in self._items}
        self._language = language
        self._parts = Parts(self._items)
        self._read: set[Item] = set()  # posts and tasks, as the whole was read
        self._things: dict[str, str] = {}  # fields of PageBlock, by the id of what can stand on a page
        self._goals: set[str] = set()
        self._posts: list[tuple[JournalEntry, Item]] = []
        self._found = Read()

    def read(self) -> Read:
        ways = {
            "person": self._person,
            "ability": self._claim,
            "resource": self._evidence,
            "selection": self._selection,
            "plan": self._plan,
        }
        named: dict[str, set[str]] = {}
        for item in self._items:
            for link in item.links(*_SUPPORTED):
                named.setdefault(link, set()).add(item.id)
        for item in sorted(self._items, key=self._turn):
            if item in self._read:
                continue
            if item.type == leap2a.ORGANIZATION and item.id in named:
                item.use_name(named[item.id])
            else:
                ways.get(item.type, self._entry)(item)
        self._sort_posts()
        for item in self._items:
            self._found.left.update(f"{item.type}.{name}" for name in item.left())
        self._found.left.update(f"feed.{name[:60]}" for name in self._beside)
        if not self._found.portfolio.HasField("holder"):
            self._found.left["feed.author"] += 1
        keep(self._root, self._items, self._made, self._found, self._language)
        return self._found

    def _sort_posts(self) -> None:
        posts = sorted(self._posts, key=lambda each: as_iso(each[0].entry_date), reverse=True)
        for number, (post, item) in enumerate(posts):
            self._found.journal.append(post)
            self._made.append(Made(f"{leap2a.JOURNAL}/{number}", item))

    def _turn(self, item: Item) -> int:
        """Files and goals come first, as they are linked to; what has parts comes before these, and pages
        after all that they show."""
        if item.type == "plan" and item.category("plan_type", (leap2a.GOAL,), used=False):
            return 0
        if item.type == "selection" and item.category("selection_type", (WEBPAGE,), used=False):
            return 3
        whole = item.type == "selection" or (item.type == "plan" and not self._parts.within(item, "plan"))
        return 0 if item.type == "resource" else 1 if whole else 2

    def _person(self, item: Item) -> None:
        known = self._found.portfolio.HasField("holder")
        if known or not item.category("person_type", ("Self",)):
            self._left_whole(item)
            return
        holder = item.beside(Holder)
        data = item.person_data()
        for key, field in leap2a.PERSON_FIELDS.items():
            if value := data.pop(key, ""):
                setattr(holder, field, value)
        name = f"{holder.given_name} {holder.family_name}".strip()
        if item.title(used=name in ("", item.title(used=False))) and not name:
            holder.given_name, _, holder.family_name = item.title().rpartition(" ")
        for key, field in (("email", "email"), ("homephone", "phone"), ("mobile", "phone")):
            if key in data and not getattr(holder.contact, field):
                setattr(holder.contact, field, data.pop(key))
        if born := of_iso(data.get("dob", "")):
            data.pop("dob")
            holder.birth_date.CopyFrom(born)
        if lines := item.address_lines():
            holder.contact.address_lines.extend(lines)
        self._say(holder.summary, item, 5000)
        self._found.left.update(f"person.persondata.{key}" for key in data)
        self._found.left += fit(holder, "person")
        self._found.portfolio.holder.CopyFrom(holder)
        self._made.append(Made(leap2a.PERSON, item))

    def _entry(self, item: Item) -> None:
        if item.plugin == _POST:
            self._post(item)
            return
        entry = item.beside(Entry)
        area = item.category("life_area", _AREAS) if item.type == "activity" else ""
        kind = entry.kind or leap2a.KINDS.get((item.type, area), 0)
        if item.plugin == _INTEREST:
            kind = entries.ENTRY_KIND_INTEREST
        if kind not in leap2a.TYPES:
            self._left_whole(item)
            return
        entry.kind = kind
        entry.title, entry.place = item.title(), item.place()
        by = self._supported(item, entry)
        self._shown_by(item, entry)
        for field in ("start", "end"):
            if date := item.date(field):
                getattr(entry, f"{field}_date").CopyFrom(date)
        self._say(entry.description, item, MAX_TEXT)
        self._found.left += fit(entry, item.type)
        if entry.kind:
            entry.name = item.id
            self._things[item.id] = "entry"
            own_id = self._note("entry", self._found.portfolio.entries, item, entry.name)
            if by and entry.organisation:
                self._made.append(Made(f"{own_id}/by", by, entry.name))
            self._found.portfolio.entries.append(entry)

    def _note(self, kind: str, before: Sized, item: Item, owner: str = "") -> str:
        """Notes what becomes of an item, after others of its kind; returns its id in a feed of ours."""
        own_id = leap2a.id_of(kind, len(before))
        self._made.append(Made(own_id, item, owner))
        return own_id

    def _supported(self, item: Item, entry: Entry) -> Item | None:
        """Takes who supports something; returns what says so."""
        for link in item.links(*_SUPPORTED):
            by = self._by_id.get(link)
            if by is not None and by.type == leap2a.ORGANIZATION:
                entry.organisation = by.title(used=False)
                item.use_links((link,), *_SUPPORTED)
                return by
        return None

    def _selection(self, item: Item) -> None:
        """Reads a page, or the posts of a blog, which is left itself: there is one journal."""
        if item.category("selection_type", (WEBPAGE,)):
            self._page(item)
            return
        if not item.category("selection_type", ("Blog",)):
            self._left_whole(item)
            return
        if item.id == leap2a.JOURNAL:
            item.title()
            self._made.append(Made(item.id, item))
        posts = self._unread(item, "entry")
        join(item, posts)
        for post in posts:
            self._post(post)
        if item.id != leap2a.JOURNAL:
            self._left_whole(item)

    def _page(self, item: Item) -> None:
        page = Pages(self._parts, self._things, self._found.left).read(item)
        if page is None:
            self._left_whole(item)
        else:
            self._note("page", self._found.pages, item)
            self._found.pages.append(page)

    def _post(self, item: Item) -> None:
        self._read.add(item)
        entry = item.beside(JournalEntry)
        entry.title, entry.text = item.title(), item.content(_MAX_POST, self._found.left)
        for name in ("published", "updated"):
            said, moment = item.moment(name)
            if said and moment is None:
                self._found.left[f"entry.{name}"] += 1
            if moment is not None:
                # Midnight is what a day is written as; what stands beside is more exact.
                is_day = moment.time() == time()
                entry.entry_date.CopyFrom(from_date(day_in(moment, UTC) if is_day else day_of(moment)))
                if not is_day and not entry.HasField("entry_time"):
                    entry.entry_time.FromDatetime(moment)
                break
        entry.draft = bool(item.category("readiness", (leap2a.DRAFT,)))
        entry.tags.extend(item.tags())
        self._shown_by(item, entry)
        self._found.left += fit(entry, "entry")
        self._posts.append((entry, item))

    def _plan(self, item: Item) -> None:
        plan = item.beside(Plan)
        plan.title = item.title()
        if self._parts.within(item, "plan") or not plan.title:  # a task of what is no plan here
            self._left_whole(item)
            return
        if item.category("plan_type", (leap2a.GOAL,)):
            self._goal(item)
            return
        plan.description = item.content(MAX_TEXT, self._found.left)
        for field in ("goal", "tasks"):  # no names from elsewhere, and no tasks but the parts
            if getattr(plan, field):
                self._found.left[f"plan.{field}"] += 1
                plan.ClearField(field)
        self._found.left += fit(plan, "plan")
        goals = dict.fromkeys(each for each in item.links("supports") if each in self._goals)
        plan.goal = next(reversed(goals), "")
        item.use_links(goals, "supports")
        tasks = self._unread(item, "plan")[:_TASKS]
        join(item, tasks)
        own_id = self._note("plan", self._found.plans, item)
        for task in tasks:
            self._task(task, plan, own_id)
        self._found.plans.append(plan)

    def _goal(self, item: Item) -> None:
        goal = item.beside(Goal)
        goal.title, goal.description = item.title(), item.content(MAX_TEXT, self._found.left)
        if day := item.date("target"):
            goal.deadline.date.CopyFrom(day)
        reached = item.stage() == leap2a.STAGES[Task.STATE_DONE]
        goal.state = goal.state or (Goal.STATE_REACHED if reached else Goal.STATE_OPEN)
        self._found.left += fit(goal, "plan")
        goal.name = item.id
        self._goals.add(item.id)
        self._note("goal", self._found.goals, item)
        self._found.goals.append(goal)

    def _unread(self, whole: Item, type_: str) -> list[Item]:
        return [part for part in self._parts.of(whole) if part.type == type_ and part not in self._read]

    def _task(self, item: Item, plan: Plan, plan_id: str) -> None:
        self._read.add(item)
        task = item.beside(Task)
        task.title = item.title()
        if not task.title:
            self._left_whole(item)
            return
        task.description = item.content(_MAX_TASK, self._found.left)
        if day := item.date("target"):
            task.deadline.date.CopyFrom(day)
        done = item.stage() == leap2a.STAGES[Task.STATE_DONE]
        task.state = task.state or (Task.STATE_DONE if done else Task.STATE_OPEN)
        self._found.left += fit(task, "plan")
        self._made.append(Made(f"{plan_id}/{len(plan.tasks)}", item))
        plan.tasks.append(task)

    def _shown_by(self, item: Item, part: Entry | SkillClaim | JournalEntry) -> None:
        """Names the files of this feed that show an entry, skill or post by their ids in it."""
        links = [link for link in item.links(*_SHOWN_BY) if self._things.get(link) == "evidence"]
        part.evidence.extend(dict.fromkeys(links))
        item.use_links(set(links), *_SHOWN_BY)

    def _claim(self, item: Item) -> None:
        claim = item.beside(SkillClaim)
        self._shown_by(item, claim)
        say(claim.label, self._language, item.title())
        if item.text():
            self._found.left["ability.content"] += 1
        if skills.add(self._found, claim, self._language, "ability"):
            self._found.portfolio.skill_claims[-1].name = item.id
            self._things[item.id] = "skill_claim"
            self._made.append(Made(leap2a.id_of("skill", len(self._found.portfolio.skill_claims) - 1), item))

    def _evidence(self, item: Item) -> None:
        evidence = item.beside(Evidence)
        evidence.title = item.title()
        place = item.describe(evidence)
        if item.text():
            self._found.left["resource.content"] += 1
        if place:
            self._found.places[item.id] = place
        if place and not evidence.sha256:
            pass  # it is known again by its hash, which whoever has the archive says
        elif fit(evidence, "resource") or not evidence.sha256:
            self._left_whole(item)
            return
        evidence.name = item.id
        self._things[item.id] = "evidence"
        self._note("file", self._found.portfolio.evidence, item, item.id)
        self._found.portfolio.evidence.append(evidence)

    def _left_whole(self, item: Item) -> None:
        self._found.left[item.type or "entry"] += 1
        item.use_all()

    def _say(self, texts: Any, item: Item, limit: int) -> None:
        say(texts, self._language, item.content(limit, self._found.left))
