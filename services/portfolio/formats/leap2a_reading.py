"""Reads a Leap2A feed, in the three namespaces that are about, and what Mahara makes of it."""

from __future__ import annotations

from typing import Any

from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import leap2a, skills
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import DocumentBrokenError, Read
from services.portfolio.formats.leap2a_items import Item
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import MAX_TEXT, of_iso, say
from services.portfolio.formats.trees import refuse_many

_LISTS = 4  # entries, their organisations, skills and files stand in one feed
_INTEREST = "interest"  # how Mahara calls one
_SUPPORTED = ("supported_by", "is_supported_by")  # the second in what Mahara writes by now
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
        self._items = [Item(each) for each in root if local(each) == "entry"]
        self._beside = [name for each in root if (name := local(each)) not in ("", *_OF_THE_FEED)]
        self._by_id = {item.id: item for item in self._items}
        self._language = language
        self._files: set[str] = set()
        self._found = Read()

    def read(self) -> Read:
        ways = {"person": self._person, "ability": self._claim, "resource": self._evidence}
        named: dict[str, set[str]] = {}
        for item in self._items:
            for link in item.links(*_SUPPORTED):
                named.setdefault(link, set()).add(item.id)
        for item in sorted(self._items, key=lambda each: each.type != "resource"):  # files are linked to
            if item.type == "organization" and item.id in named:
                item.use_name(named[item.id])
            else:
                ways.get(item.type, self._entry)(item)
            self._found.left.update(f"{item.type}.{name}" for name in item.left())
        self._found.left.update(f"feed.{name[:60]}" for name in self._beside)
        if not self._found.portfolio.HasField("holder"):
            self._found.left["feed.author"] += 1
        return self._found

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

    def _entry(self, item: Item) -> None:
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
        self._supported(item, entry)
        self._shown_by(item, entry)
        for field in ("start", "end"):
            if date := item.date(field):
                getattr(entry, f"{field}_date").CopyFrom(date)
        self._say(entry.description, item, MAX_TEXT)
        self._found.left += fit(entry, item.type)
        if entry.kind:
            self._found.portfolio.entries.append(entry)

    def _supported(self, item: Item, entry: Entry) -> None:
        for link in item.links(*_SUPPORTED):
            by = self._by_id.get(link)
            if by is not None and by.type == "organization":
                entry.organisation = by.title(used=False)
                item.use_links((link,), *_SUPPORTED)
                return

    def _shown_by(self, item: Item, part: Entry | SkillClaim) -> None:
        """Names the files of this feed that show an entry or skill by their ids in it."""
        links = [link for link in item.links("has_evidence") if link in self._files]
        part.evidence.extend(dict.fromkeys(links))
        item.use_links(set(links), "has_evidence")

    def _claim(self, item: Item) -> None:
        claim = item.beside(SkillClaim)
        self._shown_by(item, claim)
        say(claim.label, self._language, item.title())
        if item.text():
            self._found.left["ability.content"] += 1
        skills.add(self._found, claim, self._language, "ability")

    def _evidence(self, item: Item) -> None:
        evidence = item.beside(Evidence)
        evidence.title = item.title()
        item.describe(evidence)
        if item.text():
            self._found.left["resource.content"] += 1
        if fit(evidence, "resource") or not evidence.sha256:
            self._left_whole(item)
        else:
            evidence.name = item.id
            self._files.add(item.id)
            self._found.portfolio.evidence.append(evidence)

    def _left_whole(self, item: Item) -> None:
        self._found.left[item.type or "entry"] += 1
        item.use_all()

    def _say(self, texts: Any, item: Item, limit: int) -> None:
        text = item.text()
        if len(text) > limit:
            self._found.left[f"{item.type}.content"] += 1
        if item.loses_links():
            self._found.left[f"{item.type}.content.markup"] += 1
        say(texts, self._language, text[:limit])
