"""EMG 3.0: good courses, odd ones, broken files."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports import emg
from services.catalogue.imports.emg import Emg
from services.catalogue.imports.feed import Bounded, Context, FeedBroken
from tests.unit.catalogue.feeds import codes, read_all

READER = Emg()
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
HEAD = f'<import xmlns="http://educations.com/XmlImport" {XSI} version="3.0">'
LOCATION = (
    '<location uniqueIdentifier="L1" name="Hall"><place>Gent, Belgium</place>'
    '<visitingAddress street="Kouter 1" city="Gent" zip="9000" country="Belgium"/>'
    '<coordinates latitude="51.05" longitude="3.72"/></location>'
)
FIXED = '<start xsi:type="Fixed" startDate="2030-03-01" endDate="2030-06-30"/>'
PRICE = '<price price="1250.50" currency="EUR" vatIncluded="true"/>'


def event(
    inside: str = FIXED + PRICE, key: str = "E1", kind: str = "LocationEvent", more: str = 'locationUID="L1"'
) -> str:
    return (
        f'<event uniqueIdentifier="{key}" xsi:type="{kind}" deliveryMethod="Open class" language="Dutch"'
        f" {more}>{inside}</event>"
    )


def course(key: str = "C1", events: str = "", inside: str = "", name: str = "Welding") -> str:
    return (
        f'<course uniqueIdentifier="{key}" name="{name}" courseType="Course">{inside}'
        f'<contentFields><field xsi:type="custom" name="Why">&lt;i&gt;Jobs&lt;/i&gt;</field>'
        '<field xsi:type="default" name="description"><![CDATA[All <b>about</b> it.<br/>Really.]]></field>'
        f"</contentFields><events>{events}</events></course>"
    )


def feed(*courses: str, locations: str = LOCATION, provider: str = "P") -> bytes:
    inside = f"<locations>{locations}</locations><courses>{''.join(courses)}</courses>"
    return f'{HEAD}<provider uniqueIdentifier="{provider}">{inside}</provider></import>'.encode()


def test_a_course() -> None:
    inside = (
        "<keywords><keyword>metal</keyword></keywords><categories><category name='Crafts'/></categories>"
        "<link>https://p.example/c1</link><application url='https://p.example' startDate='2030-01-01'"
        " endDate='2030-02-01'/>"
    )
    documents, found = read_all(READER, feed(course(events=event(), inside=inside)))
    assert {finding.code for finding in found} == {"FIELD_NOT_CARRIED"}
    key, document = documents[0]
    assert key == "P/C1"
    assert document["titles"] == {"en": "Welding"}
    assert document["descriptions"] == {"en": "All about it. Really. Why: Jobs"}
    assert document["subjects"] == ["metal", "Crafts"]
    assert document["url"] == "https://p.example/c1"
    (offering,) = document["offerings"]
    assert (offering["mode"], offering["language"]) == (1, "nl")
    session = offering["sessions"][0]
    del session["id"]
    assert session == {
        "external_id": "E1",
        "start": "2030-03-01",
        "end": "2030-06-30",
        "apply_from": "2030-01-01",
        "apply_until": "2030-02-01",
        "currency": "EUR",
        "cents": 125050,
        "nuts": "BE",
        "town": "Gent",
        "postcode": "9000",
        "lat": 51.05,
        "lon": 3.72,
    }


def test_what_is_not_carried_is_told_once_a_kind() -> None:
    inside = "<credits>180</credits><informationRequestSettings><emailReceivers>"
    inside += "<receiver email='a@b.example'/></emailReceivers></informationRequestSettings>"
    _, found = read_all(READER, feed(*(course(f"C{n}", event(), inside) for n in range(3))))
    told = {finding.path: finding.value for finding in found if finding.code == "FIELD_NOT_CARRIED"}
    assert len(found) == len(told)
    assert told["credits"] == "180"
    assert told["informationRequestSettings"] == ""  # whose address it is, is not told
    assert told["location/visitingAddress@street"] == "Kouter 1"


@pytest.mark.parametrize(
    ("inside", "code", "field", "value"),
    [
        ('<start xsi:type="Fixed" startDate="2030-02-30"/>', "DATE_INVALID", None, None),
        (
            '<start xsi:type="Fixed" startDate="2030-02-02" endDate="2030-01-01"/>',
            "DATES_REVERSED",
            None,
            None,
        ),
        ('<start xsi:type="Month" year="2030" month="9"/>', "DATE_IMPRECISE", "start", "2030-09-01"),
        ('<start xsi:type="Month" year="2030" month="13"/>', "DATE_INVALID", None, None),
        ('<start xsi:type="Month" month="9"/>', "DATE_IN_WORDS", "start", ""),
        ('<start xsi:type="Semester" semester="Fall" year="2030"/>', "DATE_IN_WORDS", "start", ""),
        ('<start xsi:type="Text" description="Soon"/>', "DATE_IN_WORDS", "start", ""),
        ('<start xsi:type="Never"/>', "START_UNKNOWN", "start", ""),
        (f'{FIXED}<price price="100" currency="SEK" vatIncluded="false" vat="25"/>', "", "cents", 12500),
        (f'{FIXED}<price price="0.10" currency="SEK" vatIncluded="false" vat="25"/>', "", "cents", 13),
        (f'{FIXED}<price price="100" currency="SEK" vatIncluded="false"/>', "VAT_MISSING", "cents", ""),
        (f'{FIXED}<price price="100" currency="SEK"/>', "VAT_UNSAID", "cents", 10000),
        (f'{FIXED}<price price="100" vatIncluded="true"/>', "CURRENCY_MISSING", "cents", ""),
        (f'{FIXED}<price price="100" currency="RMB" vatIncluded="true"/>', "", "currency", "CNY"),
        (f'{FIXED}<price price="-5" currency="SEK"/>', "PRICE_NEGATIVE", None, None),
        (f'{FIXED}<price price="much" currency="SEK"/>', "PRICE_INVALID", None, None),
        (
            f"{FIXED}<lastApplicationDate><date>2030-02-20</date></lastApplicationDate>",
            "",
            "apply_until",
            "2030-02-20",
        ),
        (
            f"{FIXED}<lastApplicationDate><text>When full</text></lastApplicationDate>",
            "DEADLINE_IN_WORDS",
            "apply_until",
            "",
        ),
    ],
)
def test_findings_of_an_event(inside: str, code: str, field: str | None, value: object) -> None:
    documents, found = read_all(READER, feed(course(events=event(inside))))
    assert codes(found) == ([code] if code else [])
    assert bool(documents) == (field is not None)
    if field:
        assert documents[0][1]["offerings"][0]["sessions"][0].get(field, "") == value


def test_modes_languages_and_places() -> None:
    events = (
        event(key="E1", kind="DistanceEvent", more="")
        + event(key="E2", kind="AreaEvent", more='place="Ghent region"').replace("Open class", "Odd")
        + event(key="E3", more='locationUID="gone"').replace("Dutch", "Klingon")
        + event(key="E4", kind="DistanceEvent", more="").replace("Open class", "Live Online")
    )
    context = Context(default_nuts_code="BE2")
    documents, found = read_all(READER, feed(course(events=events)), context)
    assert codes(found) == ["MODE_UNKNOWN", "LOCATION_UNKNOWN", "LANGUAGE_INVALID"]
    ways = {
        session["external_id"]: (
            offering["mode"],
            offering["language"],
            session.get("town"),
            session.get("nuts"),
        )
        for offering in documents[0][1]["offerings"]
        for session in offering["sessions"]
    }
    assert ways == {
        "E1": (1, "nl", None, "BE2"),
        "E2": (1, "nl", "Ghent region", "BE2"),
        "E3": (1, "", None, "BE2"),
        "E4": (2, "nl", None, None),
    }


def test_a_place_abroad_is_not_given_the_region_of_the_source() -> None:
    abroad = LOCATION.replace("Belgium", "Greece")
    documents, _ = read_all(
        READER, feed(course(events=event()), locations=abroad), Context(default_nuts_code="BE2")
    )
    assert documents[0][1]["offerings"][0]["sessions"][0]["nuts"] == "EL"


def test_a_changed_location_changes_its_courses() -> None:
    before, after = (
        [raw.raw for raw in READER.records(Bounded(io.BytesIO(feed(course(events=event()), locations=each))))]
        for each in (LOCATION, LOCATION.replace("Kouter 1", "Kouter 2"))
    )
    assert before != after


def test_locations_are_those_of_the_provider() -> None:
    data = feed(course(events=event())).replace(
        b"</provider>",
        b'</provider><provider uniqueIdentifier="Q"><courses>'
        + course(events=event()).encode()
        + b"</courses></provider>",
    )
    documents, found = read_all(READER, data)
    assert [key for key, _ in documents] == ["P/C1", "Q/C1"]
    assert codes(found) == ["LOCATION_UNKNOWN"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'<!DOCTYPE import [<!ENTITY a "ha">]>' + feed(course()), "DTD_FORBIDDEN"),
        (feed(course())[:-20], "XML_INVALID"),
        (feed(course(name="caf")).replace(b"caf", b"caf\xe9"), "XML_INVALID"),
        ((HEAD + "<x>" * 300 + "</x>" * 300 + "</import>").encode(), "XML_INVALID"),
        (b"<html/>", "NO_EMG_IMPORT"),
        (b"", "XML_INVALID"),
    ],
    ids=["dtd", "cut off", "encoding", "depth", "html", "empty"],
)
def test_attacks_and_accidents(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code


def test_endless_locations_are_cut_off_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    locations = "".join(LOCATION.replace("L1", f"L{n}") for n in range(200))
    data = feed(course(), locations=locations)
    monkeypatch.setattr(emg, "MAX_RECORD_BYTES", 30_000)
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == "LOCATIONS_TOO_LARGE"
    monkeypatch.setattr(emg, "MAX_RECORD_BYTES", 1 << 40)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1


def test_days_to_apply_need_an_event_to_be_kept() -> None:
    inside = "<application url='https://p.example' startDate='2030-01-01' endDate='2030-02-01'/>"
    _, found = read_all(READER, feed(course(inside=inside)))
    told = {finding.path: finding.value for finding in found}
    assert told["application (without events)"] == "2030-01-01 2030-02-01"


def test_long_texts_are_cut_and_told() -> None:
    documents, found = read_all(READER, feed(course(name="x" * 600)))
    assert codes(found) == ["TEXT_CUT"]
    assert len(documents[0][1]["titles"]["en"]) == 500


def in_memory(data: bytes) -> int:
    """How many elements the tree holds when the last record is read."""
    *_, last = READER.records(Bounded(io.BytesIO(data)))
    element = last.content.element
    return sum(1 for _ in element.getroottree().iter())


def test_a_feed_does_not_grow_in_memory_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    one = in_memory(feed(course()))
    data = feed(*(course(f"C{n}") for n in range(1000)))
    assert in_memory(data) <= 2 * one
    monkeypatch.setattr(emg, "forget", lambda element: None)  # control
    assert in_memory(data) > 100 * one


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, HEAD.encode() + data + b"</import>"):
        with contextlib.suppress(FeedBroken):  # anything else fails the test
            read_all(READER, whole)
