"""What a real Leap2A feed says is in the feed that is written again, leaf by leaf."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry

from services.portfolio.formats import leap2a, leap2a_archive, remainders
from services.portfolio.formats.format import Cv, Read
from tests.support.documents import NOW, read, whole, written
from tests.support.real_data import real_data
from tests.unit.portfolio.formats.test_leap2a import entry, feed

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
    files = {each.name for each in found.portfolio.evidence}
    here = {name: name for name in (*files, *(each.name for each in found.portfolio.entries))}
    found.remainders = remainders.placed(found.remainders, here, files)
    for number, each in enumerate(found.remainders):
        each.name = f"holders/h/remainders/{number}"
    for number, file in enumerate(found.portfolio.evidence):
        file.sha256 = f"{number:064x}"
    parts = ("journal", "plans", "goals", "pages", "remainders")
    own: dict[str, Any] = {field: tuple(getattr(found, field)) for field in parts}
    return Cv(found.portfolio, "en", NOW, journal_and_plans=True, **own | fields)


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


def test_the_word_of_the_portfolio_counts() -> None:
    _, found = real(REAL[0])
    made = again(found)
    holder, plan = made.portfolio.holder, made.plans[0]
    by_title = {each.title: each for each in made.portfolio.entries}
    holder.contact.address_lines[0] = "Kaai 1"
    holder.summary["en"] = "Teaches"
    by_title["Teacher diploma"].end_date.year = 2003  # it could not end on 31 June
    by_title["How to teach physics"].kind = entries.ENTRY_KIND_PROJECT
    made.portfolio.entries.remove(by_title["Interests"])
    made.portfolio.skill_claims[0].label["en"] = "Patience"
    plan.title = "Peace"
    after = "\n".join(leaves(written(LEAP, made)))
    for gone in (
        "addressline=Musterstrasse",
        "artefactinternal/content=My",
        "31.06.2002",
        "Author",
        "artefact28/",
        "artefact85/",
    ):
        assert (gone in after) == (gone == "31.06.2002"), gone  # of the studies that is still what is said
    assert "child-1/date@label=31.06.2002" in after
    assert "32-child-1/date@label" not in after
    assert "persondata@field=gender" in after  # control
    assert left_out(made) >= {
        "person.spatial",
        "person.content",
        "achievement.end_date",
        "publication.myrole",
        "entry.artefactplugin",
        "ability.content",
        "plan.id",
    }
    assert left_out(made) <= {
        *("person.spatial", "person.content", "achievement.end_date"),
        *(f"publication.{each}" for each in ("id", "category", "myrole", "link.is_part_of", "end_date")),
        *(
            "publication.artefactplugin",
            "entry.id",
            "entry.artefactplugin",
            "entry.published",
            "entry.content",
        ),
        *("entry.link.is_part_of", "plan.id", "plan.artefactplugin", "plan.published"),
        *(f"ability.{each}" for each in ("id", "published", "content", "artefactplugin", "link.is_part_of")),
    }


def test_nothing_of_a_journal_goes_out_unasked() -> None:
    content, found = real(REAL[0])
    made = replace(again(found), journal=(), plans=(), goals=(), pages=(), journal_and_plans=False)
    unasked = {f"portfolio:{each}" for each in ("artefact12", "artefact43", "view5", "view9", "artefact85")}
    assert unasked <= leaves(content).keys()
    assert not unasked & leaves(written(LEAP, made)).keys()
    asked = leaves(written(LEAP, replace(made, journal_and_plans=True)))  # control
    assert {"portfolio:artefact12", "portfolio:view5"} <= asked.keys()


SELF = '<category term="Self" scheme="categories:person_type#"/>'
SUPPORTED = '<link rel="leap2:supported_by" href="o"/>'


def test_what_is_said_of_a_thing_goes_with_it() -> None:
    by = entry("organization", "<m:size xmlns:m='urn:m'>9</m:size>", id_="o", title="Yard")
    jobs = [entry("activity", SUPPORTED, "<m:pay xmlns:m='urn:m'/>", id_=id_, title=id_) for id_ in "ab"]
    blog = '<category term="Blog" scheme="categories:selection_type#"/><link rel="leap2:has_part" href="p"/>'
    post = entry("entry", "<m:mood xmlns:m='urn:m'>good</m:mood>", id_="p", title="Day")
    content = feed(*jobs, by, post, entry("selection", blog, id_="s", title="Blog"))
    made = again(read(LEAP, content))
    after = leaves(written(LEAP, made))
    assert not leaves(content) - after
    assert (after["o"], after["a"], after["s"], after["portfolio:journal"]) == (1, 1, 1, 0)
    made.portfolio.entries[0].organisation = "Dock"
    after = leaves(written(LEAP, made))
    assert (after["o/size=9"], after["portfolio:entry/0/by/title=Dock"]) == (1, 1)
    mine = replace(made, journal=(*made.journal, JournalEntry(title="Mine", text="x")))
    assert leaves(written(LEAP, mine))["portfolio:journal"] == 1
    assert {each.title for each in read(LEAP, written(LEAP, mine)).journal} == {"Mine", "Day"}


def test_an_employer_of_many_jobs_comes_out_once_with_each_of_them() -> None:
    jobs = [f"urn:job:{number}" for number in range(60)]
    work = '<category term="Work" scheme="categories:life_area#"/>'
    by = '<link rel="leap2:supported_by" href="urn:yard"/>'
    named = "".join(f'<link rel="leap2:supports" href="{job}"/>' for job in jobs)
    content = feed(
        *(entry("activity", work + by, id_=job, title=job) for job in jobs),
        entry("organization", f"<summary>Old</summary>{named}", id_="urn:yard", title="Yard"),
    )
    found = read(LEAP, content)
    parts = Counter(part.path for each in found.remainders for part in each.parts)
    assert parts["organization.summary"] == 1
    made = again(found)
    back = leaves(written(LEAP, made))
    assert not leaves(content) - back
    assert {back[each] for each in back if "supports@href" in each} == {1}
    del made.portfolio.entries[:-1]  # the last job says it still
    assert leaves(written(LEAP, made))["urn:yard/summary=Old"] == 1
    made.portfolio.entries[0].organisation = "Dock"
    assert not [each for each in leaves(written(LEAP, made)) if each.endswith("summary=Old")]


def test_ids_stand_once_and_those_of_ours_are_new() -> None:
    twice = [entry("activity", id_="a", title=each) for each in ("One", "Two")]
    ours = entry("activity", id_="portfolio:entry/7", title="Three")
    after = leaves(written(LEAP, again(read(LEAP, feed(*twice, ours)))))
    assert (after["a"], after["portfolio:entry/0"], after["portfolio:entry/2"]) == (1, 1, 1)
    assert "portfolio:entry/7" not in after


def test_what_is_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    view = '<m:view xmlns:m="urn:m"><m:blockinstance blocktype="wall"/></m:view>'
    page = '<category term="Webpage" scheme="categories:selection_type#"/><summary>Words</summary>'
    content = feed(entry("selection", page, view, id_="v"), entry("activity", "<m:x xmlns:m='urn:m'>1</m:x>"))
    kept, left = (Counter(remainders.told((found := read(LEAP, content)).remainders)), found.left)
    assert (kept["selection.view"], left["selection.view"], left["selection.view.wall"]) == (1, 0, 1)
    monkeypatch.setattr(remainders, "ROOM", 80)
    kept, left = (Counter(remainders.told((found := read(LEAP, content)).remainders)), found.left)
    assert (kept["selection.view"], left["selection.view"], kept["activity.x"]) == (0, 1, 1)


PIECES = st.sampled_from(
    [
        SUPPORTED,
        SELF,
        "<content>x</content>",
        '<content type="html">&lt;p&gt;x&lt;/p&gt;</content>',
        "<summary>x</summary>",
        '<x xmlns="relative"/>',
        '<leap2:date leap2:point="end">2001</leap2:date>',
        '<leap2:date leap2:point="end.x" leap2:label="2001"/>',
        '<link rel="leap2:has_part" href="portfolio:entry/0"/>',
        '<link rel="leap2:is_part_of" href="portfolio:journal"/>',
        "<link/>",
        "<category/>",
        "<id>second</id>",
        "<published>2001-01-01T00:00:00+02:00</published>",
        '<category term="Blog" scheme="categories:selection_type#"/>',
        '<category term="Webpage" scheme="categories:selection_type#"/>',
        f'<beside xmlns="{leap2a.OURS}">[]</beside>',
        "<!-- c --><?pi x?>",
    ]
)
TYPES = st.sampled_from(
    [
        "activity",
        "person",
        "ability",
        "resource",
        "selection",
        "plan",
        "organization",
        "entry",
        "feed",
        "a.b",
        "",
    ]
)
IDS = st.sampled_from(["o", "a", "portfolio:journal", "portfolio:entry/0", "portfolio:person", "", "x" * 200])


@settings(max_examples=150, deadline=None)
@given(items=st.lists(st.tuples(TYPES, IDS, st.lists(PIECES, max_size=4)), max_size=4))
def test_nothing_that_is_set_aside_breaks_a_feed(items: list[tuple[str, str, list[str]]]) -> None:
    found = read(LEAP, feed(*(entry(type_, *inside, id_=id_) for type_, id_, inside in items)))
    read(LEAP, written(LEAP, again(found)))
    read(LEAP, written(LEAP, replace(whole(), remainders=tuple(found.remainders))))
