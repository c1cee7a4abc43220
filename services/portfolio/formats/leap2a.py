"""Leap2A 2010-07: the feed of a portfolio, as an Atom document. What it has no word for stands beside, in an
element of a namespace of our own, as its rules allow."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator
from datetime import time
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import Page
from waymark.portfolio.v1.plan_pb2 import Plan, Task
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import beside
from services.portfolio.formats.format import Cv
from services.portfolio.formats.texts import as_iso, chosen, clean, line

VERSION = "http://www.leapspecs.org/2010-07/2A/"
ATOM = "http://www.w3.org/2005/Atom"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LEAP = "http://terms.leapspecs.org/"
CATEGORIES = "http://wiki.leapspecs.org/2A/categories/"
OURS = "urn:waymark:leap2a"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PERSON_FIELDS = {"legal_given_name": "given_name", "legal_family_name": "family_name"}
# Type and life area; `beside` says the kind where this does not.
TYPES = {
    entries.ENTRY_KIND_EDUCATION: ("activity", "Education"),
    entries.ENTRY_KIND_WORK: ("activity", "Work"),
    entries.ENTRY_KIND_VOLUNTEERING: ("activity", "Work"),
    entries.ENTRY_KIND_CARE_WORK: ("activity", "Work"),
    entries.ENTRY_KIND_PROJECT: ("activity", ""),
    entries.ENTRY_KIND_CERTIFICATE: ("achievement", ""),
    entries.ENTRY_KIND_DRIVING_LICENCE: ("achievement", ""),
    entries.ENTRY_KIND_PUBLICATION: ("publication", ""),
    entries.ENTRY_KIND_LANGUAGE: ("entry", ""),
    entries.ENTRY_KIND_INTEREST: ("entry", ""),
}
# The kind of a type and life area that says it alone.
KINDS = {
    said: kind
    for kind, said in reversed(TYPES.items())
    if said[0] != "entry" and kind != entries.ENTRY_KIND_DRIVING_LICENCE
}
JOURNAL = "portfolio:journal"  # id of the blog that a journal is
PERSON = "portfolio:person"
ORGANIZATION = "organization"
_OWN = re.compile(r"portfolio:(person|journal(/\d+)?|(entry|skill|file|goal|plan|page)/\d+(/(\d+|by))?)")
STAGES = {Task.STATE_OPEN: "planned", Task.STATE_DONE: "completed"}
_GOAL_STAGES = {Goal.STATE_OPEN: "planned", Goal.STATE_REACHED: "completed"}
_SAID = ("title", "organisation", "place", "start_date", "end_date")
_SAID_OF_FILES = (
    *("title", "file_name", "content_type", "size_bytes"),
    *("state", "store_time", "scan_state", "upload_fault", "has_poster", "duration"),
)
_SAID_OF_POSTS = ("title", "text", "entry_date", "tags", "draft")
DRAFT = "Unready"
GOAL = "Goal"  # a category of our own, of what is a plan to Leap2A
P = TypeVar("P", Entry, SkillClaim, JournalEntry)
D = TypeVar("D", Task, Goal)
_NSMAP: Any = {None: ATOM, "rdf": RDF, "leap2": LEAP, "categories": CATEGORIES, "waymark": OURS}


def feed(cv: Cv) -> Any:
    """Returns the root element of the feed."""
    return _Feed(cv).made()


def file_name(evidence: Evidence) -> str:
    """Returns where the file of a piece of evidence stands in the archive: by its hash alone."""
    return f"files/{evidence.sha256}{mimetypes.guess_extension(evidence.content_type) or ''}"


def id_of(kind: str, number: int) -> str:
    """Returns the id in a feed of its entry, skill, file, goal, plan or page of this number."""
    return f"portfolio:{kind}/{number}"


def is_own(id_: str) -> bool:
    """Returns whether an id is one that a feed of ours gives by number."""
    return _OWN.fullmatch(id_) is not None


class _Feed:
    """A feed in the making."""

    def __init__(self, cv: Cv) -> None:
        self._cv = cv
        self._updated = f"{cv.written_at:%Y-%m-%dT%H:%M:%SZ}"
        self._root = etree.Element(f"{{{ATOM}}}feed", {LANG: cv.language}, nsmap=_NSMAP)
        self._files = {each.name: id_of("file", number) for number, each in enumerate(cv.portfolio.evidence)}
        entries = {each.name: id_of("entry", number) for number, each in enumerate(cv.portfolio.entries)}
        claims = cv.portfolio.skill_claims
        skills = {each.name: id_of("skill", number) for number, each in enumerate(claims)}
        self._things = self._files | entries | skills  # what can stand on a page
        self._goals = {each.name: id_of("goal", number) for number, each in enumerate(cv.goals)}

    def made(self) -> Any:
        portfolio = self._cv.portfolio
        holder = portfolio.holder
        name = line(f"{holder.given_name} {holder.family_name}")
        _put(self._root, LEAP, "version", VERSION)
        self._head(self._root, "urn:waymark:portfolio", "Portfolio")
        _put(_put(self._root, ATOM, "author"), ATOM, "name", name or "…")
        if portfolio.HasField("holder"):
            self._person(holder, name)
        for number, entry in enumerate(portfolio.entries):
            self._entry(entry, id_of("entry", number))
        for number, claim in enumerate(portfolio.skill_claims):
            self._claim(claim, id_of("skill", number))
        if self._cv.journal:
            self._journal(self._cv.journal)
        for number, goal in enumerate(self._cv.goals):
            self._goal(goal, id_of("goal", number))
        for number, plan in enumerate(self._cv.plans):
            self._plan(plan, id_of("plan", number))
        for number, page in enumerate(self._cv.pages):
            self._page(page, id_of("page", number))
        for number, evidence in enumerate(portfolio.evidence):
            self._evidence(evidence, id_of("file", number))
        return self._root

    def _person(self, holder: Holder, name: str) -> None:
        text = chosen(holder.summary, self._cv.language)
        item = self._item(PERSON, name, text, "person", "person_type", "Self")
        for key, field in PERSON_FIELDS.items():
            _person_data(item, key, getattr(holder, field))
        _person_data(item, "email", holder.contact.email)
        _person_data(item, "homephone", holder.contact.phone)
        _person_data(item, "dob", as_iso(holder.birth_date))
        if lines := [clean(each) for each in holder.contact.address_lines]:
            place = _put(item, LEAP, "spatial")
            for each in lines:
                _put(place, LEAP, "addressline", each)
        rest = Holder()
        rest.CopyFrom(holder)
        rest.contact.ClearField("email")
        rest.contact.ClearField("phone")
        rest.contact.ClearField("address_lines")
        if not rest.contact.ListFields():
            rest.ClearField("contact")
        said = (*PERSON_FIELDS.values(), "birth_date")
        _beside(item, beside.rest(rest, said, self._cv.language, "summary"))

    def _entry(self, entry: Entry, id_: str) -> None:
        type_, area = TYPES[entry.kind]
        text = chosen(entry.description, self._cv.language)
        item = self._item(id_, entry.title, text, type_, "life_area" if area else "", area)
        for point, date in (("start", entry.start_date), ("end", entry.end_date)):
            if date.year:
                _put(item, LEAP, "date", as_iso(date), {f"{{{LEAP}}}point": point})
        if entry.place:
            _put(item, LEAP, "spatial", clean(entry.place))
        rest = beside.rest(self._shown_by(item, entry), _SAID, self._cv.language)
        if KINDS.get((type_, area)) == entry.kind:
            rest.pop("kind")
        _beside(item, rest)
        if entry.organisation:
            _put(item, ATOM, "link", "", {"rel": "leap2:supported_by", "href": f"{id_}/by"})
            by = self._item(f"{id_}/by", entry.organisation, "", ORGANIZATION)
            _put(by, ATOM, "link", "", {"rel": "leap2:supports", "href": id_})

    def _claim(self, claim: SkillClaim, id_: str) -> None:
        item = self._item(id_, chosen(claim.label, self._cv.language), "", "ability")
        rest = beside.rest(self._shown_by(item, claim), ("source",), self._cv.language, "label")
        _beside(item, rest)

    def _journal(self, entries: tuple[JournalEntry, ...]) -> None:
        blog = self._item(JOURNAL, "Journal", "", "selection", "selection_type", "Blog")
        for number, entry in enumerate(entries):
            item = self._item(f"{JOURNAL}/{number}", entry.title, entry.text, "entry")
            _join(blog, JOURNAL, item, f"{JOURNAL}/{number}")
            if entry.entry_date.year:
                _put(item, ATOM, "published", _published(entry))
            if entry.draft:
                _put(item, ATOM, "category", "", {"term": DRAFT, "scheme": "categories:readiness#"})
            for tag in dict.fromkeys(filter(None, map(line, entry.tags))):
                _put(item, ATOM, "category", "", {"term": tag})
            said = (*_SAID_OF_POSTS, *(("entry_time",) if _is_said(entry.entry_time) else ()))
            _beside(item, beside.rest(self._shown_by(item, entry), said))

    def _goal(self, goal: Goal, id_: str) -> None:
        item = self._item(id_, goal.title, goal.description, "plan")
        _put(item, ATOM, "category", "", {"term": GOAL, "scheme": f"{OURS}/plan_type#"})
        stage = _GOAL_STAGES.get(goal.state, "")
        said = ("title", "description", *_due(item, goal, stage))
        _beside(item, beside.rest(_without_day(goal), said))

    def _plan(self, plan: Plan, id_: str) -> None:
        item = self._item(id_, plan.title, plan.description, "plan")
        if goal := self._goals.get(plan.goal):
            _put(item, ATOM, "link", "", {"rel": "leap2:supports", "href": goal})
        _beside(item, beside.rest(plan, ("title", "description", "goal", "tasks")))
        for number, task in enumerate(plan.tasks):
            _join(item, id_, self._task(task, f"{id_}/{number}"), f"{id_}/{number}")

    def _task(self, task: Task, id_: str) -> Any:
        item = self._item(id_, task.title, task.description, "plan")
        said = ("id", "title", "description", *_due(item, task, STAGES.get(task.state, "")))
        _beside(item, beside.rest(_without_day(task), said))
        return item

    def _page(self, page: Page, id_: str) -> None:
        """Writes the words of a page, links to what it shows, and beside it the blocks in their order."""
        words = "\n\n".join(block.text for block in page.blocks if block.text)
        item = self._item(id_, page.title, words, "selection", "selection_type", "Webpage")
        within = Page()
        within.CopyFrom(page)
        for block in within.blocks:
            field = block.WhichOneof("content")
            if part := self._things.get(getattr(block, field)) if field else None:
                setattr(block, str(field), part)
                _put(item, ATOM, "link", "", {"rel": "leap2:has_part", "href": part})
        _beside(item, beside.rest(within, ("title",)))

    def _shown_by(self, item: Any, part: P) -> P:
        """Links an entry, skill or post to its files in this feed; returns it with the others only."""
        others = type(part)()
        others.CopyFrom(part)
        del others.evidence[:]
        for name in part.evidence:
            if name in self._files:
                _put(item, ATOM, "link", "", {"rel": "leap2:has_evidence", "href": self._files[name]})
            else:
                others.evidence.append(name)
        return others

    def _evidence(self, evidence: Evidence, id_: str) -> None:
        item = self._item(id_, evidence.title, "", "resource", "resource_type", "Offline")
        enclosure = {
            "rel": "enclosure",
            "href": file_name(evidence),
            "type": evidence.content_type,
            "length": str(evidence.size_bytes),
            "title": line(evidence.file_name),
        }
        _put(item, ATOM, "link", "", {key: value for key, value in enclosure.items() if value})
        _beside(item, beside.rest(evidence, _SAID_OF_FILES))

    def _item(self, id_: str, title: str, text: str, type_: str, scheme: str = "", term: str = "") -> Any:
        item = _put(self._root, ATOM, "entry")
        self._head(item, id_, line(title))
        _put(item, ATOM, "content", clean(text), {"type": "text"})
        _put(item, RDF, "type", "", {f"{{{RDF}}}resource": f"leap2:{type_}"})
        if term:
            _put(item, ATOM, "category", "", {"term": term, "scheme": f"categories:{scheme}#"})
        return item

    def _head(self, parent: Any, id_: str, title: str) -> None:
        for name, text in (("title", title), ("id", id_), ("updated", self._updated)):
            _put(parent, ATOM, name, text)


def _put(parent: Any, namespace: str, name: str, text: str = "", attributes: Any = None) -> Any:
    element = etree.SubElement(parent, f"{{{namespace}}}{name}", attributes or {})
    element.text = text or None
    return element


def _published(entry: JournalEntry) -> str:
    """Midnight where a day is all that is known."""
    if entry.HasField("entry_time"):
        return entry.entry_time.ToJsonString()
    return f"{as_iso(entry.entry_date)}T00:00:00Z"


def _is_said(moment: Timestamp) -> bool:
    """Returns whether a document says a moment: midnight is a day of which none is known, and times are read
    to the microsecond."""
    return moment.ToDatetime().time() != time() and not moment.nanos % 1000


def _due(item: Any, task: Task | Goal, stage: str) -> tuple[str, ...]:
    """Says by when something is to be done and how far it has come; returns the fields that say so."""
    if task.deadline.date.year:
        _put(item, LEAP, "date", as_iso(task.deadline.date), {f"{{{LEAP}}}point": "target"})
    if stage:
        _put(item, LEAP, "status", "", {f"{{{LEAP}}}stage": stage})
    return ("state",) if stage else ()


def _without_day(task: D) -> D:
    """Returns a task or goal of which the day of its deadline was said."""
    rest = type(task)()
    rest.CopyFrom(task)
    rest.deadline.ClearField("date")
    if not rest.deadline.ListFields():
        rest.ClearField("deadline")
    return rest


def _join(whole: Any, whole_id: str, part: Any, part_id: str) -> None:
    """Says of two items, at both, that one is part of the other."""
    _put(whole, ATOM, "link", "", {"rel": "leap2:has_part", "href": part_id})
    _put(part, ATOM, "link", "", {"rel": "leap2:is_part_of", "href": whole_id})


def _person_data(item: Any, field: str, value: str) -> None:
    if value:
        _put(item, LEAP, "persondata", clean(value), {f"{{{LEAP}}}field": field})


def _beside(item: Any, rest: dict[str, Any]) -> None:
    if rest:
        _put(item, OURS, "beside", json.dumps(rest))  # as ASCII: whatever a text holds


def files_of(cv: Cv) -> Iterator[tuple[str, Evidence]]:
    """Yields the files that belong into the archive, each once, with its place there."""
    files = (each for each in cv.portfolio.evidence if each.name not in cv.withheld)
    yield from {file_name(each): each for each in files}.items()
