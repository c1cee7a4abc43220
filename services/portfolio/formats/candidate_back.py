"""Puts what a Candidate document said beyond a portfolio back into one that is written, where it can be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from waymark.portfolio.v1.remainder_pb2 import Remainder, RemainderPart

from services.portfolio.formats import candidate
from services.portfolio.formats.candidate_places import COMPETENCY, PROFILE, children, noted, told, way
from services.portfolio.formats.elements import form, of_content
from services.portfolio.formats.format import Cv, Opened
from services.portfolio.formats.markup import local


def write(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, with what was set aside."""
    root, _left = _whole(cv)
    yield candidate.as_bytes(root)


def left_out(cv: Cv) -> list[tuple[str, str]]:
    """Returns (resource name, path) of what was set aside and is not in the document."""
    _, left = _whole(cv)
    return left


def _whole(cv: Cv) -> tuple[Any, list[tuple[str, str]]]:
    own = candidate.laid(cv)
    return own.root, _Back(own).put_all(cv.remainders) if cv.remainders else []


class _Back:
    """A document of ours, into which is put back what can be."""

    def __init__(self, own: candidate.Laid) -> None:
        self._root = own.root
        # As the portfolio has it, whatever is put in between.
        self._told = {each: told(each) for each in own.root.iter()}
        self._own: dict[tuple[Any, str], list[Any]] = {}
        for each in self._told:
            self._own.setdefault((each.getparent(), local(each)), []).append(each)
        self._items: dict[str, list[Any]] = {}
        self._alike: dict[str, list[Any]] = {}  # skills
        for name, item in own.items:
            self._items.setdefault(name, []).append(item)
            if way(item) == COMPETENCY:
                self._alike.setdefault(self._told[item], []).append(item)
        self._profile = own.root.find(f"{{*}}{PROFILE}")
        self._sections = {local(each): each for each in self._profile}
        self._groups: dict[Any, Any] = {}  # in which something stands that was put back

    def put_all(self, remainders: tuple[Remainder, ...]) -> list[tuple[str, str]]:
        """Puts back what can be; returns (resource name, path) of what stays out."""
        return [(each.name, part.path) for each in remainders for part in self._left(each)]

    def _left(self, remainder: Remainder) -> list[RemainderPart]:
        """Puts back what can be of a remainder, and returns what cannot."""
        places = self._items.get(remainder.entry, []) if remainder.entry else self._places(remainder)
        return [part for part in remainder.parts if not any(self._put(place, part) for place in places)]

    def _places(self, remainder: Remainder) -> list[Any]:
        """Returns where something was said that is of no entry: of a skill that is still there, or outside
        of all sections."""
        if said := remainder.parts[0].beside.get(COMPETENCY):
            alike = self._alike.get(said, [])
            return [alike.pop(0)] if alike else []
        return [self._root]

    def _put(self, base: Any, part: RemainderPart) -> bool:
        """Puts a part in the place of what was written of it, or with that. False, and nothing is done: the
        portfolio says something else there."""
        of = "" if base is self._root else way(base)
        beside = dict(part.beside)
        whole = beside.pop(of, None) if of else None
        if whole not in (None, self._told.get(base)) or (of and base.getparent() is None):
            return False
        if of and not part.path.startswith(f"{of}."):
            return whole is not None and self._move(base, of_content(part.content))
        *steps, name = part.path.removeprefix(f"{of}.").split(".")
        parent, way_to = base, ""
        for step in steps:
            parent = self._saying(parent, step, beside.pop(f"{way_to}{step}", None))
            if parent is None:
                return False
            way_to += f"{step}."
        near = {at.removeprefix(way_to): text for at, text in beside.items() if at.startswith(way_to)}
        far = {at: text for at, text in beside.items() if not at.startswith(way_to)}
        if not (self._holds(parent, near) and self._holds(base, far)):
            return False
        content = json.loads(part.content)
        if isinstance(content, str):
            self._place(parent, of_content(part.content), near.get(name, ""))
        else:
            parent.set(name, content[0])
        return True

    def _saying(self, parent: Any, name: str, text: str | None) -> Any:
        """Returns the first of the portfolio's own elements of a name that says this; None: whatever it
        says."""
        own = self._own.get((parent, name), ())
        return next((each for each in own if text in (None, self._told[each])), None)

    def _holds(self, parent: Any, beside: Mapping[str, str]) -> bool:
        """Returns whether it is still said what something was put beside; "": nothing is said there."""
        return all(
            self._saying(parent, name, text) is not None
            if text
            else not any(map(told, parent.iterchildren(f"{{*}}{name}")))
            for name, text in beside.items()
        )

    def _place(self, parent: Any, element: Any, instead: str) -> None:
        """Puts an element in the place of the one that said something, or behind the one that it stood
        behind."""
        own, after = self._saying(parent, name := local(element), instead), noted(element)
        if own is not None:
            same = self._own[parent, name]
            same[same.index(own)] = element
            self._told[element] = instead  # what it stands for
            parent.replace(own, element)
            return
        before = next(parent.iterchildren(f"{{*}}{after}", reversed=True), None) if after else None
        if before is not None:
            before.addnext(element)
        else:
            parent.insert(len(parent) if after else 0, element)

    def _move(self, item: Any, chain: Any) -> bool:
        """Puts an item where it stood, in place of what was written of it where that has its own."""
        parent, depth = self._profile, int(noted(chain))
        item.getparent().remove(item)
        for _ in range(depth):
            own = self._sections.get(local(chain)) if parent is self._profile else None
            key, below = (parent, _head(chain)), chain[-1]
            if own is None and key not in self._groups:
                chain.remove(below)
                parent.append(chain)
                self._groups[key] = chain
            parent, chain = self._groups[key] if own is None else own, below
        parent.append(chain)
        return True


def _head(group: Any) -> Any:
    """Returns what is the same of two groups of items that are one."""
    return local(group), tuple(sorted(group.items())), tuple(map(form, children(group)))[:-1]
