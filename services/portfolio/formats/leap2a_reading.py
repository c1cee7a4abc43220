"""Reads a Leap2A feed, in the three namespaces that are about, and what Mahara makes of it."""

from __future__ import annotations

import re
from typing import Any

from google.type.date_pb2 import Date
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats import beside, leap2a, skills
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import DocumentBrokenError, Read
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import MAX_TEXT, line, of_iso, of_markup, say
from services.portfolio.formats.trees import refuse_many

# The last one stands behind the address of a web archive in what Mahara writes.
NAMESPACES = ("http://www.cetis.org.uk/leap2/terms/", "http://terms.leapspecs.org/")
_LISTS = 4  # entries, their organisations, skills and files stand in one feed
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
# Of the document, or said by the kind of what is made of it.
_PLAIN = ("id", "updated", "published", "author", "type", "category", "artefactplugin")
_INTEREST = "interest"  # how Mahara calls one


def read_feed(root: Any, language: str) -> Read:
    """Reads a feed; raises DocumentBrokenError."""
    if local(root) != "feed" or etree.QName(root).namespace != leap2a.ATOM:
        raise DocumentBrokenError("no Atom feed")
    return _Reading(root, root.get(leap2a.LANG, language)[:35]).read()


class _Reading:
    """One feed being read."""

    def __init__(self, root: Any, language: str) -> None:
        refuse_many(len(root), _LISTS)
        self._items = [_Item(each) for each in root if local(each) == "entry"]
        self._by_id = {item.id: item for item in self._items}
        self._language = language
        self._found = Read()

    def read(self) -> Read:
        ways = {"person": self._person, "ability": self._claim, "resource": self._evidence}
        for item in self._items:
            way = ways.get(item.type, self._entry)
            if item.type == "organization" and item.links("supports"):
                continue  # is read where it is named
            way(item)
            self._found.left.update(f"{item.type}.{name}" for name in item.left())
        return self._found

    def _person(self, item: _Item) -> None:
        if item.category("person_type") != "Self" or self._found.portfolio.HasField("holder"):
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
            item.use("spatial")
        self._say(holder.summary, item.text(), 5000, "person")
        self._found.left.update(f"person.persondata.{key}" for key in data)
        self._found.left += fit(holder, "person")
        self._found.portfolio.holder.CopyFrom(holder)

    def _entry(self, item: _Item) -> None:
        entry = item.beside(Entry)
        area = item.category("life_area") if item.type == "activity" else ""
        kind = entry.kind or leap2a.KINDS.get((item.type, area), 0)
        if item.plugin == _INTEREST:
            kind = entries.ENTRY_KIND_INTEREST
        if kind not in leap2a.TYPES:
            self._left_whole(item)
            return
        entry.kind = kind
        entry.title, entry.place = item.title(), item.place()
        for link in item.links("supported_by"):
            by = self._by_id.get(link)
            if by is not None and by.type == "organization" and not entry.organisation:
                entry.organisation = by.title()
                item.use_link("supported_by")
        for field in ("start", "end"):
            if date := item.date(field):
                getattr(entry, f"{field}_date").CopyFrom(date)
        self._say(entry.description, item.text(), MAX_TEXT, item.type)
        self._found.left += fit(entry, item.type)
        if entry.kind:
            self._found.portfolio.entries.append(entry)

    def _claim(self, item: _Item) -> None:
        claim = item.beside(SkillClaim)
        self._say(claim.label, item.title(), 500, "ability")
        if item.text():
            self._found.left["ability.content"] += 1
        skills.add(self._found, claim, self._language, "ability")

    def _evidence(self, item: _Item) -> None:
        evidence = item.beside(Evidence)
        evidence.title = item.title()
        evidence.content_type = item.content_type()
        if fit(evidence, "resource") or not evidence.sha256:
            self._left_whole(item)
        else:
            item.use("content")
            self._found.portfolio.evidence.append(evidence)

    def _left_whole(self, item: _Item) -> None:
        self._found.left[item.type or "entry"] += 1
        item.use_all()

    def _say(self, texts: Any, text: str, limit: int, path: str) -> None:
        if len(text) > limit:
            self._found.left[f"{path}.content"] += 1
        say(texts, self._language, text[:limit])


class _Item:
    """An entry of a feed, whose elements are used up as they are read."""

    def __init__(self, element: Any) -> None:
        refuse_many(len(element))
        self._element = element
        self._unused = [each for each in element if local(each) not in ("", *_PLAIN)]
        self.id = self._plain("id")
        types = [each.get(f"{{{leap2a.RDF}}}resource", "") for each in element if local(each) == "type"]
        # An entry may be of several types; plain `entry` says least.
        named = [re.split("[:/#]", each)[-1] for each in types]
        self.type = next((each for each in named if each != "entry"), "entry")
        self.plugin = next((_of(e, "type") for e in element if local(e) == "artefactplugin"), "")

    def title(self, *, used: bool = True) -> str:
        """Returns the title, shortened to what a title may have."""
        title = line(self._plain("title"))
        if used and len(title) <= 300:
            self.use("title")
        return title[:300]

    def text(self) -> str:
        """Returns the content as text; a summary where there is no content."""
        for name in ("content", "summary"):
            for element in self._named(name):
                if text := _text(element):
                    self.use(name)
                    return text
        self.use("content")
        return ""

    def content_type(self) -> str:
        """Returns the media type of a file that the content names."""
        return next((each.get("type", "") for each in self._named("content") if each.get("src")), "")

    def category(self, scheme: str) -> str:
        """Returns the term of a scheme of categories."""
        return next(
            (
                each.get("term", "")
                for each in self._named("category")
                if each.get("scheme", "").rstrip("#").endswith(scheme)
            ),
            "",
        )

    def links(self, rel: str) -> list[str]:
        """Returns what links of a relation lead to."""
        return [each.get("href", "") for each in self._named("link") if _last(each.get("rel", "")) == rel]

    def use_link(self, rel: str) -> None:
        """Notes that links of a relation were followed."""
        self._unused = [
            each for each in self._unused if local(each) != "link" or _last(each.get("rel", "")) != rel
        ]

    def date(self, point: str) -> Date | None:
        """Returns the date of a point, said in ISO 8601 or with dots in its label."""
        for each in self._named("date"):
            if _of(each, "point") != point or not _is_leap(each):
                continue
            said = (each.text or "").strip() or _of(each, "label").strip()
            dotted = _DOTTED.fullmatch(said)
            found = of_iso(said)
            if dotted:
                day, month, year = map(int, dotted.groups())
                found = Date(year=year, month=month, day=day)
            if found is not None:
                self._unused = [other for other in self._unused if other is not each]
                return found
        return None

    def place(self) -> str:
        """Returns the place, where it is one text."""
        for each in self._named("spatial"):
            said = " ".join((each.text or "").split())
            if said and len(each) == 0 and len(said) <= 200:
                self.use("spatial")
                return said
        return ""

    def address_lines(self) -> list[str]:
        """Returns the lines of an address, at most eight."""
        lines = [
            " ".join((line.text or "").split())
            for each in self._element.iter()
            if local(each) == "persondata" or local(each) == "spatial"
            for line in each
            if local(line) == "addressline"
        ]
        return [line[:200] for line in lines if line][:8]

    def person_data(self) -> dict[str, str]:
        """Takes what is said of a person, by field; of several of a field the first. Uses up those taken."""
        data: dict[str, str] = {}
        for each in self._named("persondata"):
            field, value = _of(each, "field"), " ".join((each.text or "").split())
            if field in data or len(each) or not value:
                continue
            data[field[:60]] = value[:254]
            self._unused = [other for other in self._unused if other is not each]
        return data

    def beside(self, message: type[Any]) -> Any:
        """Takes what stands beside in the words of the contract; what is no such message is left."""
        for each in self._element:
            if each.tag == f"{{{leap2a.OURS}}}beside":
                try:
                    found = beside.beside(strict_json.parsed(each.text or ""), message)
                except strict_json.UnreadableError:
                    found = None
                if found is not None:
                    self.use("beside")
                    return found
        return message()

    def use_all(self) -> None:
        """Notes that the whole is told as left."""
        self._unused = []

    def left(self) -> list[str]:
        """Returns the names of elements that nobody used; links by their relation."""
        return [
            f"link.{_last(each.get('rel', ''))[:60]}" if local(each) == "link" else local(each)[:60]
            for each in self._unused
        ]

    def _plain(self, name: str) -> str:
        return next(((each.text or "").strip() for each in self._named(name)), "")

    def _named(self, name: str) -> list[Any]:
        return [each for each in self._element if local(each) == name]

    def use(self, name: str) -> None:
        """Notes that elements of this name were read."""
        self._unused = [each for each in self._unused if local(each) != name]


def _is_leap(element: Any) -> bool:
    return str(etree.QName(element).namespace).endswith(NAMESPACES)


def _of(element: Any, name: str) -> str:
    """Returns an attribute by its name in whatever namespace."""
    return next((value for key, value in element.attrib.items() if etree.QName(key).localname == name), "")


def _last(name: str) -> str:
    return re.split("[:/#]", name)[-1]


def _text(element: Any) -> str:
    """Returns the content of an element, of type text, html or xhtml, as text."""
    kind = element.get("type", "text")
    if kind == "text":
        return "\n".join(line.strip() for line in (element.text or "").strip().split("\n"))
    if kind == "html":
        return of_markup(element.text or "")
    return of_markup("".join(etree.tostring(each, encoding="unicode") for each in element))
