"""What a Leap2A feed says beyond what is written of it: found by writing it, as nobody could list it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lxml import etree

from services.portfolio.formats import leap2a
from services.portfolio.formats.elements import as_text, form, says
from services.portfolio.formats.format import Cv, Read
from services.portfolio.formats.leap2a_back import ENCLOSURE, KNOWN_BY, OF_THE_FILE, items_of, rename
from services.portfolio.formats.leap2a_elements import is_several, place, slot, text, wording
from services.portfolio.formats.leap2a_items import Item
from services.portfolio.formats.markup import local
from services.portfolio.formats.remainders import keep_of
from services.portfolio.formats.trees import Rest

_IN_ITS_TEXT = ("summary", "view")  # what a page of ours says in its content
_NAMES = "link.supports"
_NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


class Made(NamedTuple):
    """What became of an item: its id in a feed of ours, and the entry or file that it is of, by its id in
    the document; "" for anything else."""

    own_id: str
    item: Item
    owner: str = ""


def keep(root: Any, items: Iterable[Item], made: list[Made], found: Read, language: str) -> None:
    """Sets aside what of a feed is not in one of what was found, and tells what is too much."""
    own = leap2a.feed(_cv(found, language))
    written = items_of(own)
    made = [each for each in made if each.own_id in written]  # a blog without posts is not
    rename(own, {each.own_id: each.item.id for each in made})
    rests = list(_of_feed(root, own))
    times: Counter[Item] = Counter()
    for number, each in enumerate(made):
        times[each.item] += 1
        rests += _of_item(each, written[each.own_id], number, times[each.item])
    became = {each.item for each in made}
    rests += (_whole(each) for each in items if each not in became)
    files = {each.name for each in found.portfolio.evidence if not leap2a.is_own(each.name)}
    rests += (_whole(each.item, each.item.id) for each in made if each.item.id in files)
    keep_of(rests, found)


def _cv(found: Read, language: str) -> Cv:
    return Cv(
        found.portfolio,
        language,
        _NO_MOMENT,
        journal=tuple(found.journal),
        plans=tuple(found.plans),
        goals=tuple(found.goals),
        pages=tuple(found.pages),
    )


def _whole(item: Item, file: str = "") -> Rest:
    return Rest("", item.type, as_text(item.element), {}, file, file and "whole")


def _of_feed(root: Any, own: Any) -> Iterator[Rest]:
    said, written = ([each for each in feed if local(each) not in OF_THE_FILE] for feed in (root, own))
    for element, beside in _differing(said, written):
        yield _rest("feed", element, beside)


def _of_item(made: Made, own: Any, number: int, time: int) -> Iterator[Rest]:
    """Yields what is not written of an item: of a person each for itself, of others as one thing. `time`: how
    many things were made of it, with this one."""
    item, of_person = made.item, made.own_id == leap2a.PERSON
    known = {slot(each): text(each) for each in own if slot(each) in KNOWN_BY}
    if of_person or (made.owner and item.type not in (leap2a.ORGANIZATION, "resource")):
        known = {}
    content = [text(each) for each in own if slot(each) == "content"]
    rest = Rest("", "", "", {}, made.owner, "" if of_person else str(number))
    said = _said(made, time)
    for element in (each for each in said if local(each) == "id" and not leap2a.is_own(item.id)):
        yield _rest(item.type, element, known, rest)
    if item.type == leap2a.ORGANIZATION and not leap2a.is_own(item.id):
        # Once for all entries that name it, found by the id that stands with each.
        rest, known = rest._replace(owner=""), known | {"id": item.id}
    for element, beside in _differing(said, own):
        in_text = local(element) in _IN_ITS_TEXT and not item.is_left(element)
        goes_with = {"content": content[0]} if in_text and content else {}
        yield _rest(item.type, element, known | goes_with | beside, rest)


def _said(made: Made, time: int) -> list[Any]:
    """Returns what an item says. An organisation is made anew for each entry that names it, and its links to
    the others are written with these; what else is said of it is said the first time."""
    item = made.item
    if item.type != leap2a.ORGANIZATION:
        return list(item.element)
    if time > 1:
        return item.named("id")
    to_others = {
        each for each in item.named("link") if slot(each) == _NAMES and each.get("href") != made.owner
    }
    return [each for each in item.element if each not in to_others or item.is_left(each)]


def _differing(said: Iterable[Any], written: Iterable[Any]) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yields what is not written as it was said, with what is written of it; "" where nothing may be."""
    left, free = (list(filter(_counts, each)) for each in (said, written))
    if any(slot(each) == ENCLOSURE for each in free):  # the file stands elsewhere by now
        left = [each for each in left if slot(each) != ENCLOSURE and not each.get("src")]
    occupied = {slot(each) for each in free}
    of: dict[Any, Any] = {}
    for same in (form, place, wording):
        if len(of) == len(left):
            break
        by: dict[Any, list[Any]] = {}
        for each in reversed(free):
            by.setdefault(same(each), []).append(each)
        for element in (each for each in left if each not in of and by.get(same(each)) and same(each)):
            of[element] = (by[same(element)].pop(), same is form)
        used = {own for own, _ in of.values()}
        free = [each for each in free if each not in used]
    for element in left:
        own, alike = of.get(element, (None, False))
        name = slot(element)
        if own is not None and not alike:
            yield element, {slot(own): text(own)}
        elif own is None:
            yield element, {} if is_several(name) or name in occupied else {name: ""}


def _counts(element: Any) -> bool:
    """Returns whether an element of an item says anything that is not said by the document or of it."""
    ours = local(element) and etree.QName(element).namespace == leap2a.OURS
    return local(element) not in ("", "id", "updated") and not ours and says(element)


def _rest(of: str, element: Any, beside: dict[str, str], rest: Rest | None = None) -> Rest:
    path, _, key = f"{of}.{slot(element)}".rpartition(".")
    made = rest or Rest("", "", "", {}, "")
    return made._replace(path=f"{path}.", key=key, value=as_text(element), beside=beside)
