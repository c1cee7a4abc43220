"""XCRI-CAP 1.2: good courses, bad ones, attacks, and anything Hypothesis thinks of."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports import xcri_cap
from services.catalogue.imports.feed import Bounded, FeedBroken
from services.catalogue.imports.xcri_cap import XcriCap
from tests.unit.catalogue.feeds import read_all

READER = XcriCap()
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="http://xcri.org/profiles/1.2/catalog" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:mlo="http://purl.org/net/mlo" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:credit="http://purl.org/net/cm" generated="2026-01-01T00:00:00Z"><provider>"""
TAIL = "</provider></catalog>"


def course(key: str = "C1", title: str = "Welding", presentation: str = "") -> str:
    return (
        f"<course><dc:identifier xsi:type='x:internal'>i</dc:identifier><dc:identifier>{key}</dc:identifier>"
        f"<dc:title>{title}</dc:title><dc:description>All <b>about</b> it</dc:description>"
        f"<mlo:url>https://p.example/{key}</mlo:url><mlo:credit><credit:scheme>SCQF</credit:scheme>"
        f"<credit:level>7</credit:level></mlo:credit>{presentation}</course>"
    )


def session(
    start: str = "<mlo:start dtf='2026-09-01'>1 September</mlo:start>", cost: str = "EUR250.00"
) -> str:
    return (
        f"<presentation><dc:identifier>S1</dc:identifier>{start}<end>2026-12-01</end>"
        "<attendanceMode identifier='ON'/><mlo:languageOfInstruction>EN</mlo:languageOfInstruction>"
        f"<mlo:cost>{cost}</mlo:cost></presentation>"
    )


def feed(*courses: str) -> bytes:
    return (HEAD + "".join(courses) + TAIL).encode()


def test_a_course() -> None:
    documents, found = read_all(READER, feed(course(presentation=session())))
    assert not found
    key, document = documents[0]
    assert key == "C1"
    assert document["titles"] == {"en": "Welding"}
    assert document["descriptions"] == {"en": "All about it"}
    assert document["eqf_level"] == 5
    offering = document["offerings"][0]
    assert (offering["mode"], offering["language"]) == (2, "en")
    assert offering["sessions"][0]["start"] == "2026-09-01"
    assert offering["sessions"][0]["cents"] == 25000


@pytest.mark.parametrize(
    ("presentation", "code", "kept"),
    [
        (session(start="<mlo:start dtf='2026-02-30'/>"), "DATE_INVALID", 0),
        (session(start="<mlo:start>2027-01-01</mlo:start>"), "DATES_REVERSED", 0),
        (session(cost="EUR-5"), "PRICE_NEGATIVE", 0),
        (session(start="<mlo:start>Whenever you like</mlo:start>"), "DATE_IN_WORDS", 1),
        (session(cost="Ask us"), "PRICE_IN_WORDS", 1),
        (session(cost="UK fee: GBP10.00; Ireland fee: GBP20.00"), "PRICE_AMBIGUOUS", 1),
        (session() + session(), "SESSION_DOUBLED", 1),
    ],
)
def test_findings(presentation: str, code: str, kept: int) -> None:
    documents, found = read_all(READER, feed(course(presentation=presentation)))
    assert [f.code for f in found] == [code]
    assert len(documents) == kept


def test_who_awards_is_carried_by_name_and_several_are_told() -> None:
    award = "<mlo:qualification><awardedBy> {} </awardedBy></mlo:qualification>"
    one = course(presentation=award.format("City &amp; Guilds") + award.format("City &amp; Guilds"))
    two = course("C2", presentation=award.format("A") + award.format("B"))
    documents, found = read_all(READER, feed(one, two, course("C3")))
    assert [document.get("awarding_body") for _, document in documents] == ["City & Guilds", "A", None]
    assert [(each.code, each.path) for each in found] == [("VALUES_SEVERAL", "qualification/awardedBy")]


def test_what_is_not_carried_is_told_once() -> None:
    odd = course(
        presentation=session().replace("</presentation>", "<mlo:duration>P6M</mlo:duration></presentation>")
    )
    _, found = read_all(READER, feed(odd, odd))
    assert [(f.code, f.path, f.value) for f in found] == [
        ("FIELD_NOT_CARRIED", "presentation/duration", "P6M")
    ]


def test_home_fee_is_taken() -> None:
    cost = "Ireland fee: GBP1,020.00; UK fee: GBP10.00"
    documents, _ = read_all(READER, feed(course(presentation=session(cost=cost))))
    assert documents[0][1]["offerings"][0]["sessions"][0]["cents"] == 1000


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE catalog [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
    '<catalog xmlns="http://xcri.org/profiles/1.2/catalog">'
    "<provider><course>&d;</course></provider></catalog>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE catalog [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<catalog xmlns="http://xcri.org/profiles/1.2/catalog">'
    "<provider><course>&x;</course></provider></catalog>"
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (LAUGHS.encode(), "DTD_FORBIDDEN"),
        (OUTSIDE.encode(), "DTD_FORBIDDEN"),
        (feed(course())[:-20], "XML_INVALID"),
        (feed(course()) + b"<more/>", "XML_INVALID"),
        (feed(course(title="caf")).replace(b"caf", b"caf\xe9"), "XML_INVALID"),
        ((HEAD + "<x>" * 300 + "</x>" * 300 + TAIL).encode(), "XML_INVALID"),
        (b"<html/>", "NO_CATALOG"),
        (b"", "XML_INVALID"),
    ],
    ids=["laughs", "outside", "cut off", "two roots", "encoding", "depth", "html", "empty"],
)
def test_attacks_and_accidents(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code


def test_endless_record_is_cut_off_and_control() -> None:
    data = feed(course(title="x" * 300_000))
    with pytest.raises(FeedBroken) as broken:
        list(READER.records(Bounded(io.BytesIO(data), 100_000)))
    assert broken.value.finding.code == "RECORD_TOO_LARGE"
    assert len(list(READER.records(Bounded(io.BytesIO(data), 1 << 40)))) == 1  # the guard off: it goes in


def in_memory(data: bytes) -> int:
    """How many elements the tree holds when the last course is read."""
    *_, last = READER.records(Bounded(io.BytesIO(data)))
    return sum(1 for _ in last.content.getroottree().iter())


def test_a_feed_of_many_providers_does_not_grow_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    one = in_memory(feed(course()))
    data = feed("</provider><provider>".join(course(f"C{n}") for n in range(1000)))
    assert in_memory(data) <= 2 * one
    monkeypatch.setattr(xcri_cap, "forget", lambda element: None)  # control
    assert in_memory(data) > 500 * one


def test_records_stay_readable_in_batches() -> None:
    data = feed(*(course(f"C{n}", f"Title {n}") for n in range(500)))
    records = list(READER.records(Bounded(io.BytesIO(data))))
    assert [raw.content.findtext("{http://purl.org/dc/elements/1.1/}title") for raw in records][
        -1
    ] == "Title 499"
    assert len({raw.raw for raw in records}) == 500


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, HEAD.encode() + data + TAIL.encode()):
        with contextlib.suppress(FeedBroken):  # anything else fails the test
            read_all(READER, whole)


@given(st.integers(0, 1500))
def test_cut_anywhere_is_noticed(length: int) -> None:
    data = feed(course(presentation=session()), course("C2"))
    if length < len(data):
        with pytest.raises(FeedBroken):
            read_all(READER, data[:length])
