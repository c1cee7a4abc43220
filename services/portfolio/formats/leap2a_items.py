"""One entry of a Leap2A feed, whose elements are used up as they are read: what is left over is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, product
from typing import Any

from google.type.date_pb2 import Date
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats import beside, leap2a
from services.portfolio.formats.elements import says, words
from services.portfolio.formats.leap2a_elements import (
    SHOWN,
    attribute,
    is_leap,
    last,
    markup_of,
    number,
    slot,
    text_of,
)
from services.portfolio.formats.markup import local
from services.portfolio.formats.texts import line, of_iso
from services.portfolio.formats.trees import refuse_many

_LISTS = 3  # a blog links to each of its posts
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
# Of the document, or said by the kind of what is made of it.
_PLAIN = ("id", "updated", "published", "type", "artefactplugin")


class Item:
    """An entry of a feed, whose elements are used up as they are read."""

    def __init__(self, element: Any) -> None:
        refuse_many(len(element), _LISTS)
        self.element = element
        # By name and by where they lead: an item may have thousands of links, each of which is looked for.
        self._by_name: dict[str, list[Any]] = {}
        self._by_link: dict[tuple[str, str], list[Any]] = {}
        for each in element:
            self._by_name.setdefault(local(each), []).append(each)
        for each in self.named("link"):
            self._by_link.setdefault((last(each.get("rel", "")), each.get("href", "")), []).append(each)
        self._unused = dict.fromkeys(each for each in element if local(each) not in ("", *_PLAIN))
        self.id = self._plain("id")
        types = [each.get(f"{{{leap2a.RDF}}}resource", "") for each in self.named("type")]
        # An entry may be of several types; plain `entry` says least.
        named = [re.split("[:/#]", each)[-1] for each in types]
        self.type = next((each for each in named if each != "entry"), "entry")
        self.plugin = next((attribute(each, "type") for each in self.named("artefactplugin")), "")
        # How Mahara lays out a page.
        self.view = next(iter(self.named("view")), None)

    def title(self, *, used: bool = True) -> str:
        """Returns the title, shortened to what a title may have."""
        title = self._title
        if used and len(title) <= 300:
            self._use(*self.named("title")[:1])
        return title[:300]

    def text(self) -> str:
        """Returns the content as text; a summary where there is no content."""
        return self._text_of("content") or self._text_of("summary")

    def summary(self) -> str:
        """Returns the summary as text."""
        return self._text_of("summary")

    def use_view(self) -> None:
        """Notes that the layout of a page was read."""
        self._use(self.view)

    def content(self, limit: int, left: Counter[str]) -> str:
        """Returns the text, at most `limit` characters of it; notes as left that it was longer, or had links,
        pictures or tables, of which its words remain."""
        text = self.text()
        if len(text) > limit:
            left[f"{self.type}.content"] += 1
        if self._loses_links():
            left[f"{self.type}.content.markup"] += 1
        return text[:limit]

    def _loses_links(self) -> bool:
        found = (each for name in ("content", "summary") for each in self.named(name))
        return any(SHOWN.search(markup_of(each)) for each in found if not self.is_left(each))

    def describe(self, evidence: Evidence) -> str:
        """Says of a file what the link to it says, and returns where it stands in the archive; before 2010-07
        that was content that stands outside."""
        place = ""
        for each in self.named("content"):
            if each.get("src"):
                place, evidence.content_type = each.get("src"), each.get("type", "")
                self._use(each)
        for each in self._links("enclosure")[:1]:
            place, evidence.content_type = each.get("href", ""), each.get("type", "")
            evidence.file_name = line(each.get("title", ""))[:200]
            evidence.size_bytes = number(each.get("length", ""))
            self._use(each)
        self.category("resource_type", ("Offline",))
        return place

    def category(self, scheme: str, terms: Collection[str], *, used: bool = True) -> str:
        """Takes, or without `used` sees, the first of these terms in a scheme of categories; "" for none."""
        for each in self.named("category"):
            term = each.get("term", "")
            if term in terms and each.get("scheme", "").rstrip("#").endswith(scheme):
                if used:
                    self._use(each)
                return str(term)
        return ""

    def tags(self) -> list[str]:
        """Takes tags, which are categories of no scheme: at most 20, of at most 60 characters."""
        found: dict[str, list[Any]] = {}
        for each in self.named("category"):
            tag = line(each.get("label") or each.get("term", ""))
            if not each.get("scheme") and 0 < len(tag) <= 60 and (tag in found or len(found) < 20):
                found.setdefault(tag, []).append(each)
        self._use(*chain.from_iterable(found.values()))
        return list(found)

    def stage(self) -> str:
        """Takes how far something has come, where that is `planned` or `completed`; "" for anything else."""
        for each in self.named("status"):
            if (stage := attribute(each, "stage")) in leap2a.STAGES.values() and is_leap(each):
                self._use(each)
                return stage
        return ""

    def moment(self, name: str) -> tuple[str, datetime | None]:
        """Returns what stands in `published` or `updated`, and as a time in UTC, which is meant where no
        offset is named; None when it is no time."""
        said = self._plain(name)
        try:
            found = datetime.fromisoformat(said)
            return said, found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return said, None

    def parts(self) -> Sequence[str]:
        """Returns what links to parts lead to, in the order that they say, else in that of the feed."""
        orders = [
            (attribute(each, "display_order"), each.get("href", "")) for each in self._links("has_part")
        ]
        return [href for _, href in sorted(orders, key=lambda each: number(each[0]))]

    def links(self, *rels: str) -> list[str]:
        """Returns what links of these relations lead to."""
        return [each.get("href", "") for each in self._links(*rels)]

    def use_links(self, hrefs: Collection[str], *rels: str) -> None:
        """Notes that links of these relations were followed to these addresses."""
        for lead in product(rels, hrefs):
            self._use(*self._by_link.get(lead, ()))

    def use_name(self, holders: Collection[str]) -> None:
        """Notes that an organisation's title, and links back to what named it, are read there."""
        self.title()
        self.use_links(holders, "supports")

    def _links(self, *rels: str) -> list[Any]:
        return [each for each in self.named("link") if last(each.get("rel", "")) in rels]

    def date(self, point: str) -> Date | None:
        """Returns the date of a point, said in ISO 8601 or with dots in its label."""
        for each in self.named("date"):
            if attribute(each, "point") != point or not is_leap(each):
                continue
            said = (each.text or "").strip() or attribute(each, "label").strip()
            dotted = _DOTTED.fullmatch(said)
            found = of_iso(said)
            if dotted:
                day, month, year = map(int, dotted.groups())
                found = Date(year=year, month=month, day=day)
            if found is not None:
                self._use(each)
                return found
        return None

    def place(self) -> str:
        """Returns the place, where it is one text."""
        for each in self.named("spatial"):
            said = line(words(each))
            if said and len(each) == 0 and len(said) <= 200:
                self._use(each)
                return said
        return ""

    def address_lines(self) -> list[str]:
        """Takes the lines of the first address, at most eight; one that says more is left as well."""
        for each in (*self.named("spatial"), *self.named("persondata")):
            found = [line(words(part)) for part in each if local(part) == "addressline"]
            lines = [said[:200] for said in found if said][:8]
            if lines == found and len(found) == len(each):
                self._use(each)
            if lines:
                return lines
        return []

    def person_data(self) -> dict[str, str]:
        """Takes what is said of a person, by field; of several of a field the first. Uses up those taken."""
        data: dict[str, str] = {}
        taken = []
        for each in self.named("persondata"):
            field, value = attribute(each, "field")[:60], line(words(each))
            if field not in data and len(each) == 0 and 0 < len(value) <= 254:
                data[field] = value
                taken.append(each)
        self._use(*taken)
        return data

    def beside(self, message: type[Any]) -> Any:
        """Takes what stands beside in the words of the contract; what is no such message is left."""
        for each in self.element:
            if each.tag == f"{{{leap2a.OURS}}}beside":
                try:
                    found = beside.beside(strict_json.parsed(each.text or ""), message)
                except strict_json.UnreadableError:
                    found = None
                if found is not None:
                    self._use(each)
                    return found
        return message()

    def use_all(self) -> None:
        """Notes that the whole is told as left."""
        self._unused.clear()

    def left(self) -> list[str]:
        """Returns what elements that nobody used are called."""
        return [slot(each) for each in self._unused if says(each)]

    def is_left(self, element: Any) -> bool:
        """Returns whether nobody used an element."""
        return element in self._unused

    @cached_property
    def _title(self) -> str:
        """The title on one line; that of an organisation is asked for by each entry that names it."""
        return line(self._plain("title"))

    def _text_of(self, name: str) -> str:
        for element in self.named(name):
            if text := text_of(element):
                self._use(element)
                return text
        return ""

    def _plain(self, name: str) -> str:
        return next((words(each).strip() for each in self.named(name)), "")

    def named(self, name: str) -> list[Any]:
        """Returns the elements of a name."""
        return self._by_name.get(name, [])

    def _use(self, *elements: Any) -> None:
        for each in elements:
            self._unused.pop(each, None)
