"""What a real Leap2A feed says is in the feed that is written again, leaf by leaf."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from services.portfolio.formats import leap2a_archive, remainders
from services.portfolio.formats.format import Cv, Read
from tests.support.documents import NOW, read, whole, written
from tests.support.real_data import real_data

LEAP = leap2a_archive.FORMAT
REAL = ("2010-10-16_Mahara_v1-3_leap2a.xml", "test_valid_leap2a.xml")
# Which program made which feed when: the one that writes it says it of its own, as of an item when it did.
OF_THE_FILE = ("feed/title", "feed/id", "feed/updated", "feed/generator", "feed/version")
# Where a file stands in an archive: by its hash. What it is called and how large it is are added.
OF_A_FILE = ("link.enclosure@href", "link.enclosure@title", "link.enclosure@length")
# A page links to all that it shows, also to what a grouping on it has; a name is told by its parts.
ADDED = (
    "link.has_part@",
    "persondata@field=legal_",
    "persondata=Theophilus",
    "persondata=Thistledown",
)
Leaves = Counter[str]


def leaves(content: bytes) -> Leaves:
    """What a feed says, by the item and the element that says it. Of no matter are blanks; the order of items
    and of what is in one; that what says no type is a text; what stands beside in a namespace of ours."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("leap2a.xml")
    root = etree.fromstring(content)
    found = Counter(each for part in root if name(part) != "entry" for each in of(part, "feed"))
    for item in (each for each in root if name(each) == "entry"):
        (id_,) = [each.text for each in item if name(each) == "id"]
        found.update(each for part in item if name(part) != "updated" for each in of(part, id_))
        found[id_] += 1
    return Counter(
        {
            at: n
            for at, n in found.items()
            if not at.startswith(OF_THE_FILE) and not any(each in at for each in OF_A_FILE)
        }
    )


def name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def of(element: Any, at: str) -> Iterator[str]:
    if not name(element) or element.tag.startswith("{urn:waymark"):
        return
    rel = element.get("rel", "").rpartition(":")[2]
    at = f"{at}/{name(element)}{'.' if rel else ''}{rel}"
    # Attributes of one element belong together.
    for key, value in sorted(element.items()):
        if (etree.QName(key).localname, value) != ("type", "text"):
            yield f"{at}@{etree.QName(key).localname}={value}"
    told = [
        line
        for text in (element.text, *(each.tail for each in element))
        if (line := " ".join((text or "").split()))
    ]
    if told:
        yield f"{at}={' '.join(told)}"
    for each in element:
        yield from of(each, at)


def real(file: str) -> tuple[bytes, Read]:
    content = real_data(f"portfolio/leap2a/{file}").read_bytes()
    return content, read(LEAP, content)


def again(found: Read, **fields: Any) -> Cv:
    """A CV of what was read, with its files."""
    for number, each in enumerate(found.remainders):
        each.name = f"holders/h/remainders/{number}"
    for number, file in enumerate(found.portfolio.evidence):
        file.sha256 = f"{number:064x}"
    parts = {
        field: tuple(getattr(found, field)) for field in ("journal", "plans", "goals", "pages", "remainders")
    }
    return Cv(found.portfolio, "en", NOW, journal_and_plans=True, **parts | fields)


def left_out(made: Cv) -> set[str]:
    return {path for _, path in leap2a_archive.left_out(made)}


@pytest.mark.parametrize("file", REAL)
def test_a_real_feed_comes_out_as_it_came_in(file: str) -> None:
    content, found = real(file)
    made = again(found)
    assert not left_out(made)
    before, after = leaves(content), leaves(written(LEAP, made))
    assert not before - after
    assert not {each for each in after - before if not any(f"/{added}" in each for added in ADDED)}
    bare = leaves(written(LEAP, replace(made, remainders=())))  # control
    assert len(before - bare) > 30


@pytest.mark.parametrize("file", REAL)
def test_all_that_is_told_as_left_is_set_aside(file: str) -> None:
    _, found = real(file)
    kept = remainders.told(found.remainders)
    left = {path for path, count in found.left.items() if kept[path] < count}
    # What is told of a part of something that is set aside whole.
    assert {path for path in left if not kept[path.rpartition(".")[0]]} == set()
    assert len(left) <= 3


def test_a_feed_of_ours_leaves_nothing() -> None:
    assert not read(LEAP, written(LEAP, whole())).remainders
