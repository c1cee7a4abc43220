"""Leap2A as others write it: what a feed says is read or told, files are linked, and hostile ones refused."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries

from services.platform import xml
from services.portfolio.formats import elements, leap2a, leap2a_archive, leap2a_items, leap2a_pages
from services.portfolio.formats.format import Cv, DocumentBrokenError
from services.portfolio.formats.markup import local
from tests.support.documents import NOW, full, read, renamed, written
from tests.support.real_data import real_data

LEAP = leap2a_archive.FORMAT
REAL = ("2010-10-16_Mahara_v1-3_leap2a.xml", "test_valid_leap2a.xml")
# What says nothing of a person: of the document, or kept only where several say the same.
OF_THE_DOCUMENT = {
    "id",
    "updated",
    "published",
    "artefactplugin",
    "title",
    "author",
    "generator",
    "version",
    "type",
}
# Said at the other end of the link as well, or what is meant where nothing is said.
SAID_AGAIN = {
    "organization.leap2:supports",
    *(f"{whole}.leap2:{rel}" for whole in ("selection", "plan") for rel in ("has_part", "is_part_of")),
    "plan.status",  # planned
    "resource.category",  # a file
    "selection.content",  # of a page of Mahara's, whose blocks say it
    *(f"{part}.leap2:is_part_of" for part in ("ability", "entry")),  # of a page, which says so
}
HEAD = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:leap2="http://terms.leapspecs.org/"'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xml:lang="en">'
)


def entry(type_: str, *inside: str, id_: str = "a", title: str = "Welder") -> str:
    """An entry of a feed."""
    return (
        f"<entry><id>{id_}</id><title>{title}</title>"
        f'<rdf:type rdf:resource="leap2:{type_}"/>{"".join(inside)}</entry>'
    )


def feed(*items: str) -> bytes:
    """A feed as others write it."""
    return f"{HEAD}{''.join(items)}</feed>".encode()


def without(root: Any, element: Any) -> tuple[bytes, dict[str, int]]:
    """What is read of a feed that lacks one element."""
    parent, place = element.getparent(), element.getparent().index(element)
    parent.remove(element)
    found = said(read(LEAP, etree.tostring(root)))
    parent.insert(place, element)
    return found


def silent(content: bytes) -> list[str]:
    """Returns elements without which the same is read and told; one of each kind, unless told as a whole."""
    root = etree.fromstring(content)
    whole = said(read(LEAP, content))
    seen, found = set(), []
    for item in root:
        (kind,) = [_.get(f"{{{leap2a.RDF}}}resource")[6:] for _ in item if local(_) == "type"] or [""]
        as_a_whole = without(root, item)[1].get(kind, 0) < whole[1].get(kind, 0)
        for element in (item, *(item if local(item) == "entry" and not as_a_whole else [])):
            what = (kind, local(element), element.get("rel"), element.get("scheme"))
            if local(element) in ("", *OF_THE_DOCUMENT) or what in seen or not elements.says(element):
                continue
            seen.add(what)
            if without(root, element) == whole:
                found.append(f"{kind}.{element.get('rel', local(element))}")
    return found


def said(found: Any) -> tuple[bytes, dict[str, int]]:
    parts = (found.portfolio, *found.journal, *found.plans, *found.pages)
    return b"|".join(each.SerializeToString(deterministic=True) for each in parts), dict(found.left)


@pytest.mark.parametrize("name", REAL)
def test_nothing_of_a_real_file_is_dropped_in_silence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = real_data(f"portfolio/leap2a/{name}").read_bytes()

    assert set(silent(content)) <= SAID_AGAIN
    monkeypatch.setattr(leap2a_items.Item, "left", lambda _: [])  # control
    assert "activity.leap2:is_part_of" in silent(content)


def test_links_of_evidence_survive_and_the_files_are_named() -> None:
    content = written(LEAP, full())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = etree.fromstring(archive.read("leap2a.xml"))
    links = [each for each in root.iter(f"{{{leap2a.ATOM}}}link") if each.get("rel") == "enclosure"]
    assert dict(links[0].attrib) == {
        "rel": "enclosure",
        "href": f"files/{'ab' * 32}.pdf",
        "type": "application/pdf",
        "length": "12",
        "title": "diploma.pdf",
    }
    found = read(LEAP, content).portfolio
    (file,) = found.evidence
    assert (file.file_name, file.size_bytes, file.sha256) == ("diploma.pdf", 12, "ab" * 32)
    assert {name for each in found.entries for name in each.evidence} == {file.name}
    for change in (b"has_evidence", b"enclosure"):  # control
        broken = read(LEAP, etree.tostring(root).replace(change, b"other"))
        assert not any(each.evidence for each in broken.portfolio.entries)
        assert {f"{kind}.link.other" for kind in ("activity", "resource")} & {
            *broken.left,
            "activity.link.other",
        }


def test_files_named_as_before_2010_07_are_read() -> None:
    beside = f'<b xmlns="{leap2a.OURS}"/>'.replace("<b", "<beside").replace(
        "/>", '>{"fileName": "a.pdf", "sizeBytes": "7", "sha256": "' + "cd" * 32 + '"}</beside>'
    )
    old = entry("resource", '<content src="files/a.pdf" type="application/pdf"/>', beside, id_="f")
    linked = entry("activity", '<link rel="leap2:has_evidence" href="f"/>')
    found = read(LEAP, feed(linked, old))
    assert not found.left.keys() - {"feed.author"}
    assert found.portfolio.entries[0].evidence == ["f"]
    assert found.portfolio.evidence[0].size_bytes == 7


def test_what_others_pack_beside_the_feed_is_told_by_name() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("export/leap2a.xml", "export/files/", "export/files/IMG_0883.JPG"):
            archive.writestr(name, feed(entry("activity")) if name.endswith("xml") else b"")
    found = read(LEAP, packed.getvalue())
    assert found.left == {"feed.author": 1, "export/files/IMG_0883.JPG": 1}


OTHERS = {
    "a tag": (entry("activity", '<category term="steel"/>'), "activity.category"),
    "another life area": (
        entry("activity", '<category term="Home" scheme="categories:life_area#"/>'),
        "activity.category",
    ),
    "a link in a text": (
        entry("activity", '<content type="html">&lt;a href="https://x.example"&gt;x&lt;/a&gt;</content>'),
        "activity.content.markup",
    ),
    "content of another kind": (
        entry("activity", '<content type="image/png">iVBORw0KGgo=</content>'),
        "activity.content",
    ),
    "what an organisation says of itself": (
        entry("activity", '<link rel="leap2:is_supported_by" href="o"/>')
        + entry("organization", "<content>Founded 1901</content>", id_="o"),
        "organization.content",
    ),
    "an organisation that nobody names": (
        entry("organization", '<link rel="leap2:supports" href="z"/>'),
        "organization",
    ),
    "who said it": (entry("activity", "<author><name>Else</name></author>"), "activity.author"),
    "a second address": (
        entry(
            "person",
            '<category term="Self" scheme="categories:person_type#"/>',
            "<leap2:spatial><leap2:addressline>Kaai 1</leap2:addressline>",
            "<leap2:city>Ghent</leap2:city></leap2:spatial>",
        ),
        "person.spatial",
    ),
    "a file that is linked to and not here": (
        entry("activity", '<link rel="leap2:has_evidence" href="nowhere"/>'),
        "activity.link.has_evidence",
    ),
    "the subtitle": ("<subtitle>My life</subtitle>", "feed.subtitle"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_others_say_beyond_it_is_told(name: str) -> None:
    content, path = OTHERS[name]
    assert read(LEAP, feed(content)).left[path] == 1
    assert not read(LEAP, feed(entry("activity"))).left[path]  # control


def test_who_supports_is_read_by_either_name_and_around_comments() -> None:
    for rel in ("supported_by", "is_supported_by"):
        by = entry("organization", id_="o", title="The <!-- old --> Yard")
        work = entry(
            "activity",
            f'<link rel="leap2:{rel}" href="o"/><content>Welds <!-- in --> hulls</content>',
            '<category term="Work" scheme="categories:life_area#"/>',
        )
        found = read(LEAP, feed(work, by))
        (made,) = found.portfolio.entries
        assert (made.kind, made.organisation) == (entries.ENTRY_KIND_WORK, "The Yard")
        assert made.description["en"] == "Welds  hulls"
        assert not found.left.keys() - {"feed.author"}


GOOD = feed(entry("activity"))
BOMB = "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
HOSTILE = {
    "a file of the machine": b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + GOOD,
    "an address": b'<!DOCTYPE f SYSTEM "http://127.0.0.1:1/x.dtd">' + GOOD,
    "entities of entities": f'<!DOCTYPE f [<!ENTITY a "lol">{BOMB}]>'.encode()
    + GOOD.replace(b"Welder", b"&j;"),
    "an entity nobody declared": GOOD.replace(b"Welder", b"&x;"),
    "bytes that are no UTF-8": GOOD.replace(b"Welder", b"\xff\xfe\xfa"),
    "another encoding than it says": b'<?xml version="1.0" encoding="UTF-16"?>' + GOOD,
    "an encoding that is none": b'<?xml version="1.0" encoding="x-none"?>' + GOOD,
    "a doctype in UTF-16": ("<!DOCTYPE f>" + GOOD.decode()).encode("utf-16"),
    "a picture before it": b"GIF89a" + GOOD,
    "a web page": b"<html><body/></html>",
    "deep": HEAD.encode() + b"<a>" * 300 + b"</a>" * 300 + b"</feed>",
    "a NUL": GOOD.replace(b"Welder", b"W\0lder"),
    "a ZIP behind it": GOOD + written(LEAP, full()),
}


@pytest.mark.parametrize("packed", [False, True], ids=["alone", "in a ZIP"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_feed_is_refused(name: str, packed: bool) -> None:
    def whole(content: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("leap2a.xml", content)
        return file.getvalue() if packed else content

    with pytest.raises(DocumentBrokenError):
        read(LEAP, whole(HOSTILE[name]))
    assert read(LEAP, whole(GOOD)).portfolio.entries  # control


def test_the_guard_of_document_types_is_what_refuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = HOSTILE["a file of the machine"].replace(b"Welder", b"&x;")
    monkeypatch.setattr(xml, "pieces", lambda chunks: chunks)  # control
    found = read(LEAP, secret)  # and the parser behind it resolves nothing
    assert found.portfolio.entries
    assert b"root:" not in found.portfolio.SerializeToString()


def test_a_name_that_leads_out_is_refused_with_its_reason() -> None:
    packed = io.BytesIO(written(LEAP, full()))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("../../etc/cron.d/x", "x")
    with pytest.raises(DocumentBrokenError, match="leads out"):
        read(LEAP, packed.getvalue())


def test_a_round_trip_keeps_what_was_read_of_real_files_and_its_links() -> None:
    for name in REAL:
        once = read(LEAP, real_data(f"portfolio/leap2a/{name}").read_bytes())
        alone = Cv(once.portfolio, "en", NOW, journal=tuple(once.journal))
        made = replace(alone, plans=tuple(once.plans), pages=tuple(once.pages))
        again = read(LEAP, written(LEAP, made))
        renamed(once)
        assert said(again) == (said(once)[0], {})


PAGE = '<category term="Webpage" scheme="categories:selection_type#"/>'
MAHARA = 'xmlns:m="http://wiki.mahara.org/Developer_Area/Import%2F%2FExport/LEAP_Extensions#"'


def test_pages_of_mahara_become_pages() -> None:
    found = read(LEAP, real_data(f"portfolio/leap2a/{REAL[0]}").read_bytes())
    first, second = found.pages
    assert (first.title, second.title) == ("View one", "Resumé")
    assert [block.text for block in first.blocks] == [
        "A simple view",
        "# Welcome\nA small view of my own.",
        "# Accented characters\nSome accented characters for testing purposes:\nä ö ü é è à ñ and so on",
        "# école mañana läuten bête Höhe\nAccented characters in the title",
    ]
    assert [block.text for block in second.blocks[:3]] == [
        "My resumé",
        "# About me\nThis is some text about me.",
        "# My Resumé",
    ]
    skills, things = found.portfolio.skill_claims, found.portfolio.entries
    assert [block.skill_claim for block in second.blocks[3:6]] == [each.name for each in reversed(skills)]
    assert {block.entry for block in second.blocks[6:]} <= {each.name for each in things}
    assert len(second.blocks) == 12
    told = {"selection.view.externalfeed": 1, "selection.view.externalvideo": 1}
    assert {key: found.left[key] for key in told} == told
    assert found.left["selection"] == 9  # profile and dashboard, groupings and blogs


def test_a_page_of_others_is_its_words_and_its_parts() -> None:
    page = entry(
        "selection",
        PAGE,
        "<summary>About</summary><content>Me</content>",
        '<link rel="leap2:has_part" href="w"/><link rel="leap2:has_part" href="nowhere"/>',
        id_="v",
        title="Page",
    )
    found = read(LEAP, feed(page, entry("activity", '<link rel="leap2:is_part_of" href="v"/>', id_="w")))
    (made,) = found.pages
    assert [block.text or block.entry for block in made.blocks] == ["About", "Me", "w"]
    assert found.left == {"feed.author": 1, "selection.link.has_part": 1}
    empty = entry("selection", PAGE, id_="v")
    assert read(LEAP, feed(empty)).left == {"feed.author": 1, "selection": 1}
    assert not read(LEAP, feed(page.replace("Webpage", "Website"))).pages  # control


def test_a_page_takes_so_many_blocks_and_so_long_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = "".join(f'<link rel="leap2:has_part" href="{number}"/>' for number in range(102))
    long = f"<content>{'x' * 10_001}</content>"
    things = [entry("activity", id_=str(number)) for number in range(102)]
    content = feed(entry("selection", PAGE, long, parts, id_="v"), *things)
    found = read(LEAP, content)
    (made,) = found.pages
    assert (len(made.blocks), len(made.blocks[0].text)) == (100, 10_000)
    assert found.left == {"feed.author": 1, "selection.blocks": 3, "selection.content": 1}
    monkeypatch.setattr(leap2a_pages, "_BLOCKS", 200)  # control: the contract takes none of them
    assert not read(LEAP, content).pages[0].blocks


def test_blocks_of_mahara_that_show_a_thing_show_it_in_their_place() -> None:
    def view(*blocks: str) -> str:
        return f'<m:view {MAHARA} m:type="portfolio"><m:column>{"".join(blocks)}</m:column></m:view>'

    def block(type_: str, inside: str = "") -> str:
        return f'<m:blockinstance m:blocktype="{type_}" m:blocktitle="">{inside}</m:blockinstance>'

    shown = block("image", '<m:artefactid>["f"]</m:artefactid>')
    several = block("filedownload", '<m:artefactids>[["w", "none"], "w"]</m:artefactids>')
    text = block("textbox", "<m:text>[\"&lt;p&gt;Hi &lt;img src='x'&gt;&lt;/p&gt;\"]</m:text>")
    broken = block("textbox", "<m:text>[1, {</m:text>")
    page = entry("selection", PAGE, view(text, several, broken, shown, block("wall")), id_="v")
    file = entry("resource", '<link rel="enclosure" href="files/a.png" type="image/png"/>', id_="f")
    found = read(LEAP, feed(page, entry("activity", id_="w"), file))
    (made,) = found.pages
    assert [each.text or each.entry or each.evidence for each in made.blocks] == ["Hi", "w", "w", "f"]
    told = {"selection.view.wall": 1, "selection.content.markup": 1}
    assert found.left == {"feed.author": 1, **told}


def test_what_a_stranger_sets_beside_a_page_names_things_of_the_document_only() -> None:
    blocks = (
        '{"blocks": [{"entry": "holders/x/entries/1"}, {"text": "Hi"}, {"evidence": "w"}, {"entry": "w"}]}'
    )
    beside = f'<beside xmlns="{leap2a.OURS}">{blocks}</beside>'
    found = read(LEAP, feed(entry("selection", PAGE, beside, id_="v"), entry("activity", id_="w")))
    (made,) = found.pages
    assert [each.text or each.entry for each in made.blocks] == ["Hi", "w"]
    assert found.left == {"feed.author": 1, "selection.blocks": 2}


def test_files_of_a_real_archive_are_known_by_their_bytes() -> None:
    feed_ = real_data(f"portfolio/leap2a/{REAL[0]}").read_bytes()
    photo, me = "2010-10-16mahara1-3/0-IMG_0883.JPG", "2010-10-16mahara1-3/1-me"
    found = read(LEAP, packed({"leap2a.xml": feed_, photo: b"photo", me: b"me", "other.txt": b"x"}))
    shas = [hashlib.sha256(content).hexdigest() for content in (b"photo", b"me")]
    assert [each.sha256 for each in found.portfolio.evidence] == shas
    assert [each.title for each in found.portfolio.evidence] == ["IMG_0883.JPG", "me"]
    assert [post.evidence for post in found.journal] == [[], [found.portfolio.evidence[0].name]]
    assert found.left["other.txt"] == 1
    assert not found.left.keys() & {"resource", "entry.link.related", photo, me}
    below = packed({"a/leap2a.xml": feed_, f"a/{photo}": b"photo", me: b"me"})  # by where the feed stands
    found = read(LEAP, below)
    assert [each.sha256 for each in found.portfolio.evidence] == [shas[0], ""]
    assert found.left[me] == 1
    assert list(read(LEAP, feed_).places.values()) == [photo, me]
    told = read(LEAP, feed_.replace(b'rel="enclosure"', b'rel="other"'))  # control: no file to be known
    assert (len(told.portfolio.evidence), told.left["resource"], told.left["entry.link.related"]) == (0, 2, 1)


def test_of_the_name_of_a_file_only_so_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    long = f"files/{'x' * 300}.txt"
    archive = packed({"leap2a.xml": feed(entry("activity")), long: b"x"})
    assert set(read(LEAP, archive).left) == {"feed.author", long[:120]}
    monkeypatch.setattr(leap2a_archive, "MAX_PATH", 1000)  # control
    assert set(read(LEAP, archive).left) == {"feed.author", long}


def packed(files: dict[str, bytes]) -> bytes:
    """A ZIP of files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
