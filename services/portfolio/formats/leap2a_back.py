"""Puts what a Leap2A feed said beyond a portfolio back into one that is written, where it still stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from waymark.portfolio.v1.remainder_pb2 import Remainder, RemainderPart

from services.portfolio.formats import leap2a
from services.portfolio.formats.elements import of_content, says
from services.portfolio.formats.format import Cv
from services.portfolio.formats.leap2a_elements import place, slot, text, wording
from services.portfolio.formats.leap2a_items import Item
from services.portfolio.formats.markup import local

# Which program made a feed when: the one that writes it says it of its own.
OF_THE_FILE = ("title", "id", "updated", "generator", "version", "entry")
ENCLOSURE = "link.enclosure"  # where a file stands in an archive
KNOWN_BY = ("title", "published")  # what is no entry of a portfolio is known by them
_HEAD = "feed"
_PART, _WHOLE = "link.has_part", "link.is_part_of"
_PLANNED = ("Webpage", "Blog")  # what goes out with the journal and plans


def items_of(root: Any) -> dict[str, Any]:
    """Returns the items of a feed of ours, by their ids."""
    return {each.findtext(f"{{{leap2a.ATOM}}}id"): each for each in root if local(each) == "entry"}


def rename(root: Any, ids: Mapping[str, str]) -> None:
    """Changes ids of items in a feed of ours, wherever it names them."""
    for element in root.iter(f"{{{leap2a.ATOM}}}id"):
        element.text = ids.get(element.text, element.text)
    for element in root.iter(f"{{{leap2a.ATOM}}}link"):
        element.set("href", ids.get(element.get("href"), element.get("href")))
    for element in root.iter(f"{{{leap2a.OURS}}}beside"):
        said = json.loads(element.text)
        for block in said.get("blocks", ()):
            block.update({field: ids[name] for field, name in block.items() if name in ids})
        element.text = json.dumps(said)


def put_back(root: Any, cv: Cv) -> list[tuple[str, str]]:
    """Puts back what was set aside; returns (resource name, path) of what stays out."""
    return _Back(root, cv).left if cv.remainders else []


@dataclass
class _Part:
    """A part of a remainder."""

    remainder: Remainder
    part: RemainderPart

    @property
    def path(self) -> str:
        return self.part.path

    @cached_property
    def element(self) -> Any:
        return of_content(self.part.content)


class _Item:
    """An item of a feed of ours, or the feed without them, and what it says before anything is put back."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self._own = [each for each in element if local(each)]
        self.id = self.says_of("id")
        self.type = self.says_of("type") or _HEAD

    def says_of(self, name: str) -> str:
        """Returns what it says under a name, as `beside` has it; "" for nothing."""
        return next((text(each) for each in self._own if slot(each) == name), "")

    def holds(self, beside: Mapping[str, str]) -> bool:
        """Returns whether it says still what something was put beside."""
        said: dict[str, set[str]] = {}
        for each in self._own:
            said.setdefault(slot(each), set()).add(text(each))
        return all(text_ in said.get(name, {""}) for name, text_ in beside.items())

    def put(self, element: Any, beside: Mapping[str, str]) -> bool:
        """Puts an element in the place of what was written of it, or with that; False, and nothing is done,
        where the portfolio says something else by now."""
        if not self.holds(beside):
            return False
        for each in self._own:
            same = place(each) == place(element) or (says(each) and wording(each) == wording(element))
            expected = beside.get(slot(each)) == text(each) or not says(each)
            if same and expected and each.getparent() is self.element:
                self.element.replace(each, element)
                return True
        self.element.append(element)
        return True


class _Back:
    """A feed of ours, into which is put back what can be; `left`: what cannot."""

    def __init__(self, root: Any, cv: Cv) -> None:
        self.left: list[tuple[str, str]] = []
        self._root = root
        self._planned = cv.journal_and_plans
        self._items = {id_: _Item(each) for id_, each in items_of(root).items()}
        own = enumerate(cv.portfolio.entries)
        self._own_ids = {entry.name: leap2a.id_of("entry", number) for number, entry in own}
        self._free: dict[tuple[str, str], list[_Item]] = {}
        for each in self._items.values():
            self._free.setdefault((each.type, each.says_of("title")), []).append(each)
        wholes: list[_Part] = []
        ids: list[tuple[_Item, _Part]] = []
        others: list[tuple[_Item | None, _Part]] = []
        of_many = [each for each in cv.remainders if _is_of_many(each)]
        for remainder in (each for each in cv.remainders if not _is_of_many(each)):
            item = self._where(remainder)
            for part in map(partial(_Part, remainder), remainder.parts):
                if "." not in part.path:
                    wholes.append(part)
                elif item is None:
                    self._leave(part)
                else:
                    (ids if part.path == f"{item.type}.id" else others).append((item, part))
        self._name(ids)
        named = [(self._items.get(each.parts[0].beside["id"]), each) for each in of_many]
        others += [(item, _Part(each, part)) for item, each in named for part in each.parts]
        for item, part in others:
            if item is None or not item.put(part.element, part.part.beside):
                self._leave(part)
        self._add(wholes)
        self._tidy()

    def _leave(self, part: _Part) -> None:
        self.left.append((part.remainder.name, part.path))

    def _where(self, remainder: Remainder) -> _Item | None:
        """Returns what something was said of, where that is written."""
        of, beside = remainder.parts[0].path.partition(".")[0], remainder.parts[0].beside
        if of == _HEAD:
            return _Item(self._root)
        own_id = leap2a.PERSON if of == "person" else self._own_ids.get(remainder.entry, "")
        if of == leap2a.ORGANIZATION and own_id:
            own_id = f"{own_id}/by"
        if remainder.entry or of == "person":
            item = self._items.get(own_id)
            return item if item and item.type == of and item.holds(_known(beside)) else None
        free = self._free.get((of, beside.get("title", "")), [])
        found = next((each for each in free if each.holds(_known(beside))), None)
        if found:
            free.remove(found)
        return found

    def _name(self, ids: list[tuple[_Item, _Part]]) -> None:
        """Gives items the ids that they had, each once."""
        given: dict[str, str] = {}
        for item, part in ids:
            id_ = part.element.text or ""
            if (other := self._items.get(id_)) is None and item.id not in given:
                given[item.id] = id_
                self._items[id_] = item
            elif other and other.type == item.type == leap2a.ORGANIZATION and other is not item:
                given[item.id] = id_  # one organisation of several entries
                other.element.extend(each for each in item.element if slot(each) == "link.supports")
                self._root.remove(item.element)
            else:
                self._leave(part)
        rename(self._root, given)
        for own_id in given:
            del self._items[own_id]

    def _add(self, wholes: list[_Part]) -> None:
        """Adds items that are nothing in a portfolio; pages, blogs and plans where these are asked for."""
        for part in wholes:
            item = Item(part.element)
            planned = item.type == "plan" or item.category("selection_type", _PLANNED, used=False)
            if item.id in self._items or (planned and not self._planned):
                self._leave(part)
            else:
                self._root.append(part.element)
                self._items[item.id] = _Item(part.element)

    def _tidy(self) -> None:
        """Has posts of a blog that was put back be in that alone, and no blog of ours without posts."""
        journal = self._items.get(leap2a.JOURNAL)
        links = [each for each in journal.element if slot(each) == _PART] if journal else []
        if journal is None or not links:
            return
        items = [Item(each.element) for each in self._items.values() if each is not journal]
        blogs = [each for each in items if each.category("selection_type", ("Blog",))]
        ids, posts = {each.id for each in blogs}, {post for blog in blogs for post in blog.parts()}
        for link in links:
            post_id = link.get("href")
            post = self._items[post_id].element if post_id in self._items else ()
            wholes = [each for each in post if slot(each) == _WHOLE]
            if post_id in posts or any(each.get("href") in ids for each in wholes):
                of_ours = [each for each in wholes if each.get("href") == leap2a.JOURNAL]
                for each in (link, *of_ours):
                    each.getparent().remove(each)
        if not any(slot(each) == _PART for each in journal.element):
            self._root.remove(journal.element)


def _is_of_many(remainder: Remainder) -> bool:
    """Returns whether it was said of an organisation, once for all entries that name it by its id."""
    first = remainder.parts[0]
    return not remainder.entry and first.path.startswith(f"{leap2a.ORGANIZATION}.") and "id" in first.beside


def _known(beside: Mapping[str, str]) -> dict[str, str]:
    return {name: said for name, said in beside.items() if name in KNOWN_BY}
