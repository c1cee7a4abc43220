"""A CV as a web page: it carries what it shows for machines too, and is read again by that."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from dataclasses import replace
from urllib.parse import quote

import pytest
from lxml import etree, html
from waymark.portfolio.v1 import document_pb2 as pb

from services.portfolio.formats import carried_reading, europass_files, html_linked
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv, DocumentBrokenError, NothingLinkedError
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from services.portfolio.formats.texts import of_markup
from tests.support.documents import NOW, full, read, written

HTML = FORMATS[pb.DOCUMENT_FORMAT_HTML]
CANDIDATE = FORMATS[pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML]
DATA = written(CANDIDATE, full())
# What a Candidate document says of itself and of its lists, and codes and addresses of what the page says in
# words. `Ongoing` tells that a time has no end, which the page shows.
OF_THE_FORM = {
    *("Candidate", "DocumentID", "PartyName", "PrecedenceCode", "Title", "ChannelCode", "UseCode", "Address"),
    *("PositionTitle", "EducationLevelCode", "CompetencyID", "CompetencyDimensionTypeCode", "TaxonomyID"),
    *("CurrentIndicator", "Ongoing"),
}


def carried_by(page: bytes) -> list[bytes]:
    """What the links of a page carry."""
    return [
        b64decode(each.removeprefix("data:application/xml;base64,"))
        for each in html.fromstring(page).xpath("/html/head/link[@rel='alternate']/@href")
    ]


def unseen(data: bytes, page: bytes) -> set[str]:
    """Words of a Candidate document that a page does not show."""
    shown = html.fromstring(page).find("body").text_content().casefold()
    said = [
        (etree.QName(each).localname, text)
        for each in etree.fromstring(data).iter()
        for text in (each.text or "", *each.attrib.values())
    ]
    words = {
        word for name, text in said if name not in OF_THE_FORM for word in of_markup(text).casefold().split()
    }
    return {word for word in words if word not in shown}


def page_with(*addresses: str, rel: str = "alternate") -> bytes:
    """A page with links, as others make it."""
    links = "".join(f'<link rel="{rel}" href="{each}">' for each in addresses)
    return f"<!DOCTYPE html><title>CV</title>{links}<h1>CV</h1>".encode()


def in_base64(data: bytes, kind: str = "application/xml") -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def test_a_page_carries_what_europass_reads_and_is_read_by_it() -> None:
    made = written(HTML, full())
    assert carried_by(made) == [DATA]
    assert made == written(HTML, full())  # the same bytes each time
    back = read(HTML, made)
    assert back.portfolio == read(CANDIDATE, DATA).portfolio
    assert not back.left
    assert "entries.evidence" in {field for _, field in losses(HTML, full())}


def test_a_page_carries_nothing_that_it_does_not_show() -> None:
    page, hidden = written(HTML, full()), written(HTML, Cv(anonymised(full().portfolio), "en", NOW))
    assert unseen(DATA, page) == set()
    (anonymous,) = carried_by(hidden)
    assert unseen(anonymous, hidden) == set()
    assert {"maria", "peeters", "an@peeters.example"} <= unseen(DATA, hidden)  # control
    assert carried_by(written(HTML, replace(full(), letter="Dear yard"))) == []
    assert b"<script" not in page


@pytest.mark.parametrize(
    "address",
    [
        in_base64(DATA),
        f"  DATA:text/xml;charset=utf-8;BASE64,{b64encode(DATA).decode()}",
        "data:application/vnd.example+xml," + quote(DATA),
    ],
    ids=["base64", "with parameters", "percent"],
)
def test_the_europass_document_is_found_among_what_is_carried(address: str) -> None:
    others = (
        "https://yard.example/feed.xml",
        in_base64(b"{}", "application/json"),
        in_base64(b"<svg/>", "image/svg+xml"),
    )
    found = read(HTML, page_with(*others, address))
    assert found.portfolio == read(CANDIDATE, DATA).portfolio
    assert found.left == {"link": 2}  # what stands elsewhere is not gone to, and not counted


def test_a_cv_of_before_is_read_too() -> None:
    old = written(europass_files.XML, full())
    assert read(HTML, page_with(in_base64(old))).portfolio == read(europass_files.XML, old).portfolio


NESTED = b64encode(page_with(in_base64(DATA))).decode()
BARE = {
    "empty page": page_with(),
    "no page": b"hello",
    "an address elsewhere": page_with("https://yard.example/cv.xml", "file:///etc/hostname"),
    "a style": page_with(in_base64(DATA), rel="stylesheet"),
    "other data": page_with(in_base64(DATA, "text/plain"), "data:", "data:,", "data:;base64,"),
    "other XML": page_with(in_base64(b"<other/>")),
    "a page within it": page_with(f"data:text/html;base64,{NESTED}"),
    "a link that a script would write": b"<script>document.write('"
    + page_with(in_base64(DATA))
    + b"')</script>",
    "a link in a comment": b"<!-- " + page_with(in_base64(DATA)) + b" -->",
    "a link in a text": b"<textarea>" + page_with(in_base64(DATA)),
    "an entity of its own": b'<!DOCTYPE html [<!ENTITY cv SYSTEM "file:///etc/hostname">]>'
    + page_with("&cv;")[15:],
}


@pytest.mark.parametrize("content", BARE.values(), ids=BARE.keys())
def test_a_page_with_nothing_to_read_says_so(content: bytes) -> None:
    with pytest.raises(NothingLinkedError):
        read(HTML, content)


XXE = b'<!DOCTYPE Candidate [<!ENTITY x SYSTEM "file:///etc/hostname">]><Candidate>&x;</Candidate>'
HOSTILE = {
    "empty": b"",
    "a file from this machine": page_with(in_base64(XXE)),
    "XML that is cut off": page_with(in_base64(DATA[:500])),
    "no base64": page_with("data:application/xml;base64,a"),
    "more bytes than a document may have": page_with(
        *[in_base64(b"<a>" + b" " * (carried_reading.MOST_BYTES // 2))] * 2
    ),
    "more files than anybody carries": page_with(*[in_base64(b"<a/>")] * 21),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_pages_are_refused(content: bytes) -> None:
    with pytest.raises(DocumentBrokenError) as refused:
        read(HTML, content)
    assert not isinstance(refused.value, NothingLinkedError)


@pytest.mark.parametrize(
    "noise",
    [b"<div>" * 1_000_000, b"<" * 15_000_000, b"<p>&amp;" * 1_000_000, b"<p " + b" a=1" * 4_000_000 + b">"],
    ids=["deep", "broken", "entities", "attributes"],
)
def test_a_large_page_is_read_within_the_caps_of_its_process(noise: bytes) -> None:
    content = page_with(in_base64(DATA)) + noise
    assert read(HTML, content).portfolio.entries


def test_a_page_that_is_made_to_be_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried_reading, "SECONDS", 1)
    assert read(HTML, page_with(in_base64(DATA))).portfolio.entries  # control
    with pytest.raises(DocumentBrokenError, match="no page, or"):
        read(HTML, page_with(in_base64(DATA)) + b"<b></p>" * 40_000)


@pytest.mark.parametrize(
    ("name", "tight"),
    [
        ("MEMORY", 5_000_000),
        ("ADDRESSES", 15_000_000),
        ("SECONDS", 0),
        ("MOST_FILES", 0),
        ("MOST_BYTES", 100),
    ],
)
def test_each_cap_refuses_and_without_it_the_page_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, tight: int
) -> None:
    content = page_with(in_base64(DATA))
    assert read(HTML, content).portfolio.entries  # control
    monkeypatch.setattr(carried_reading, name, tight)
    with pytest.raises(DocumentBrokenError, match="no page, or"):
        read(HTML, content)


def test_what_is_carried_is_bounded_together() -> None:
    content = page_with(*[in_base64(b"<a/>")] * 3)
    assert html_linked.linked(io.BytesIO(content), 3, 12) == ([b"<a/>"] * 3, 0)  # control
    for most_files, most_bytes in ((2, 12), (3, 11)):
        with pytest.raises(ValueError, match="too much"):
            html_linked.linked(io.BytesIO(content), most_files, most_bytes)
