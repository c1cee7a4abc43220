"""schema.org JSON-LD: courses in every shape of file, odd ones, broken files."""

from __future__ import annotations

import contextlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.imports import feed as feed_module
from services.catalogue.imports import json_ld, json_records
from services.catalogue.imports.feed import Bounded, Context, FeedBroken, Occupation
from services.catalogue.imports.schema_org import SchemaOrg
from tests.unit.catalogue.feeds import codes, read_all

READER = SchemaOrg()
DEEP = json_records.MAX_DEPTH + 1
WELDER = "http://data.europa.eu/esco/occupation/welder"
PLACE = {
    "@type": "Place",
    "address": {
        "@type": "PostalAddress",
        "addressLocality": "Gent",
        "addressCountry": "BE",
        "postalCode": "9000",
    },
    "geo": {"@type": "GeoCoordinates", "latitude": 51.05, "longitude": "3.72"},
}
OFFER = {
    "@type": "Offer",
    "price": 1250.5,
    "priceCurrency": "EUR",
    "validFrom": "2030-01-01T08:00:00Z",
    "validThrough": "2030-02-01",
}
INSTANCE = {
    "@type": "CourseInstance",
    "identifier": "S1",
    "courseMode": "Onsite",
    "inLanguage": "nl-BE",
    "startDate": "2030-03-01",
    "endDate": "2030-06-30T17:00:00+02:00",
    "location": PLACE,
    "offers": OFFER,
    "maximumAttendeeCapacity": 12,
}


def course(key: str = "C1", **fields: Any) -> dict[str, Any]:
    return {"@type": "Course", "identifier": key, "name": "Welding", "hasCourseInstance": INSTANCE} | fields


def feed(*values: Any) -> bytes:
    return json.dumps([*values], ensure_ascii=False).encode()


def first_session(documents: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = documents[0][1]["offerings"][0]["sessions"][0]
    return found


def test_a_course() -> None:
    tag = Occupation(WELDER, "7212", "welder")
    value = course(
        description="<p>All <b>about</b> it</p>",
        url="https://p.example/c1",
        keywords="metal, fire",
        about={"@type": "Thing", "name": "crafts"},
        educationalLevel={"@type": "DefinedTerm", "name": "EQF 4"},
        occupationalCategory=[{"@type": "CategoryCode", "codeValue": "7212", "url": WELDER}, "2512"],
    )
    documents, found = read_all(READER, feed(value), Context(occupations={WELDER: tag}))
    assert codes(found) == []
    assert {finding.path for finding in found} == {
        "hasCourseInstance/location/address/postalCode",
        "occupationalCategory",
    }
    key, document = documents[0]
    assert key == "C1"
    assert document["titles"] == {"en": "Welding"}
    assert document["descriptions"] == {"en": "All about it"}
    assert (document["eqf_level"], document["url"]) == (4, "https://p.example/c1")
    assert document["subjects"] == ["metal", "fire", "crafts"]
    assert [each["uri"] for each in document["occupations"]] == [WELDER]
    (offering,) = document["offerings"]
    assert (offering["mode"], offering["language"]) == (1, "nl")
    session = offering["sessions"][0]
    del session["id"]
    assert session == {
        "external_id": "S1",
        "start": "2030-03-01",
        "end": "2030-06-30",
        "apply_from": "2030-01-01",
        "apply_until": "2030-02-01",
        "currency": "EUR",
        "cents": 125050,
        "capacity": 12,
        "nuts": "BE",
        "town": "Gent",
        "lat": 51.05,
        "lon": 3.72,
    }


def test_a_program_is_its_own_session() -> None:
    program = {
        "@context": "https://schema.org",
        "@type": "EducationalOccupationalProgram",
        "@id": "https://p.example/program",
        "name": "Bakery",
        "educationalProgramMode": "online",
        "startDate": "2030-09-01",
        "applicationStartDate": "2030-06-01",
        "applicationDeadline": "2030-08-01",
        "maximumEnrollment": "30",
        "offers": [OFFER],
        "hasCourse": {"@type": "Course", "name": "Bread"},
    }
    documents, found = read_all(READER, json.dumps(program).encode())
    assert {(each.code, each.path) for each in found} == {("FIELD_NOT_CARRIED", "hasCourse")}
    key, document = documents[0]
    assert key == "https://p.example/program"
    assert document["offerings"][0]["mode"] == 2
    session = first_session(documents)
    assert (session["apply_from"], session["apply_until"], session["capacity"]) == (
        "2030-06-01",
        "2030-08-01",
        30,
    )


SHAPES: dict[str, Any] = {
    "array": lambda *each: json.dumps(each),
    "lines": lambda *each: "\n".join(map(json.dumps, each)) + "\n",
    "graph": lambda *each: json.dumps({"@context": "https://schema.org", "@graph": each}),
    "list": lambda *each: json.dumps(
        {
            "@type": "ItemList",
            "itemListElement": [{"@type": "ListItem", "position": 1, "item": one} for one in each],
        }
    ),
    "data feed": lambda *each: json.dumps({"@type": "DataFeed", "dataFeedElement": each}),
    "prefixes": lambda *each: (
        json.dumps(each).replace('"name"', '"https://schema.org/name"').replace('"Course"', '"schema:Course"')
    ),
    "mark": lambda *each: "\ufeff" + json.dumps(each),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_a_file(shape: str) -> None:
    data = SHAPES[shape](course("C1"), course("C2")).encode()
    documents, found = read_all(READER, data)
    assert [key for key, _ in documents] == ["C1", "C2"]
    assert codes(found) == []


def test_texts_by_language() -> None:
    value = course(
        name=[{"@value": "Lassen", "@language": "nl-BE"}, {"@value": "Welding", "@language": "en"}],
        description={"fr": "Souder", "de": "Schweißen"},
    )
    graph = {"@context": {"@language": "nl"}, "@graph": [value, course("C2", name="Bakken")]}
    documents, _ = read_all(READER, json.dumps(graph).encode())
    assert documents[0][1]["titles"] == {"nl": "Lassen", "en": "Welding"}
    assert documents[0][1]["descriptions"] == {"fr": "Souder", "de": "Schweißen"}
    assert documents[1][1]["titles"] == {"nl": "Bakken"}


def test_a_graph_whose_nodes_stand_apart() -> None:
    values = [
        {"@id": "#place", **PLACE},
        {"@id": "#offer", **OFFER},
        INSTANCE | {"@id": "#i", "location": {"@id": "#place"}, "offers": [{"@id": "#offer"}]},
        course(hasCourseInstance=[{"@id": "#i"}, {"@id": "#none"}]),
        {"@type": "CourseInstance", "@id": "#alone"},
        {"@type": "Organization", "@id": "#us"},
    ]
    documents, found = read_all(READER, feed(*values))
    assert codes(found) == ["REFERENCE_UNRESOLVED", "TYPE_UNKNOWN"]
    assert [(each.record, each.line) for each in found if each.code == "TYPE_UNKNOWN"] == [("#alone", 1)]
    assert (first_session(documents)["town"], first_session(documents)["cents"]) == ("Gent", 125050)


@pytest.mark.parametrize(
    ("fields", "code", "field", "value"),
    [
        ({"startDate": "2030-02-30"}, "DATE_INVALID", None, None),
        ({"startDate": "2031-01-01"}, "DATES_REVERSED", None, None),
        ({"startDate": "2030-03"}, "DATE_IMPRECISE", "start", "2030-03-01"),
        ({"endDate": "2030"}, "DATE_IMPRECISE", "end", "2030-12-31"),
        ({"startDate": None}, "", "start", ""),
        ({"startDate": None, "courseSchedule": {"startDate": "2030-04-01"}}, "", "start", "2030-04-01"),
        ({"offers": {"price": 5}}, "CURRENCY_MISSING", "cents", ""),
        ({"offers": {"price": -5, "priceCurrency": "EUR"}}, "PRICE_NEGATIVE", None, None),
        ({"offers": {"price": 1e300, "priceCurrency": "EUR"}}, "PRICE_INVALID", None, None),
        ({"offers": {"price": "5", "priceCurrency": "euro"}}, "CURRENCY_INVALID", None, None),
        ({"offers": {"price": "0", "priceCurrency": "EUR"}}, "", "cents", 0),
        (
            {"offers": [{"price": 1, "priceCurrency": "EUR"}, {"price": 2, "priceCurrency": "EUR"}]},
            "PRICE_AMBIGUOUS",
            "cents",
            100,
        ),
        (
            {"offers": {"lowPrice": 1, "highPrice": 9, "priceCurrency": "EUR"}},
            "PRICE_AMBIGUOUS",
            "cents",
            100,
        ),
        (
            {
                "offers": {
                    "priceSpecification": {"price": 7, "priceCurrency": "EUR", "valueAddedTaxIncluded": False}
                }
            },
            "VAT_MISSING",
            "cents",
            "",
        ),
        (
            {"offers": OFFER | {"availability": "https://schema.org/SoldOut"}},
            "ENROLMENT_CLOSED",
            "cents",
            125050,
        ),
        ({"maximumAttendeeCapacity": -3}, "NUMBER_INVALID", "capacity", ""),
        ({"location": [PLACE, PLACE]}, "VALUES_SEVERAL", "town", "Gent"),
        ({"location": "Gent"}, "", "town", "Gent"),
        ({"location": {"address": {"addressRegion": "BE234"}}}, "", "nuts", "BE234"),
        ({"location": {"address": {"addressRegion": "NSW"}}}, "", "nuts", ""),
        ({"location": {"geo": {"latitude": 91, "longitude": 1}}}, "COORDINATES_INVALID", "lat", ""),
        ({"courseMode": ["full-time", "Blended"]}, "MODE_UNKNOWN", "town", "Gent"),
        ({"inLanguage": ["nl", "fr"]}, "VALUES_SEVERAL", "town", "Gent"),
        ({"inLanguage": "Dutch!"}, "LANGUAGE_INVALID", "town", "Gent"),
    ],
)
def test_findings_of_an_instance(fields: dict[str, Any], code: str, field: str | None, value: object) -> None:
    documents, found = read_all(READER, feed(course(hasCourseInstance=INSTANCE | fields)))
    assert codes(found) == ([code] if code else [])
    assert bool(documents) == (field is not None)
    if field:
        assert first_session(documents).get(field, "") == value


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "TITLE_MISSING"),
        ({"name": None}, "TITLE_MISSING"),
        ({"@type": "Recipe"}, "TYPE_UNKNOWN"),
        ({"@type": None}, "TYPE_UNKNOWN"),
        ({"url": "javascript:x"}, "URL_INVALID"),
        ({"occupationalCategory": WELDER}, "OCCUPATION_UNKNOWN"),
        ({"hasCourseInstance": [INSTANCE, INSTANCE]}, "SESSION_DOUBLED"),
        ({"keywords": [f"word {n}" for n in range(40)]}, "SUBJECTS_CUT"),
        ({"description": "x" * 30_000}, "TEXT_CUT"),
    ],
)
def test_findings_of_a_course(fields: dict[str, Any], code: str) -> None:
    _, found = read_all(READER, feed(course(**fields)))
    assert codes(found) == [code]


@pytest.mark.parametrize("value", [7, "text", None, True, [], {}, [[{}]]])
def test_what_is_no_object_is_a_record_without_id(value: object) -> None:
    documents, found = read_all(READER, feed(value))
    assert (documents, codes(found)) == ([], ["TYPE_UNKNOWN"])


def test_alignments_are_levels_and_subjects() -> None:
    alignments = [
        {"@type": "AlignmentObject", "alignmentType": "educationalLevel", "targetName": "EQF 5"},
        {"@type": "AlignmentObject", "educationalFramework": "ISCED-F", "targetName": "0715 Mechanics"},
    ]
    documents, found = read_all(READER, feed(course(educationalAlignment=alignments)))
    assert codes(found) == []
    assert (documents[0][1]["eqf_level"], documents[0][1]["subjects"]) == (5, ["0715 Mechanics"])


def test_kinds_that_are_made_up_do_not_grow_in_memory_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(*(course(f"C{n}", **{f"made up {n}": 1}) for n in range(200)))
    monkeypatch.setattr(feed_module, "MAX_KINDS", 50)
    assert len(read_all(READER, data)[1]) == 50
    monkeypatch.setattr(feed_module, "MAX_KINDS", 1 << 40)  # the guard off
    assert len(read_all(READER, data)[1]) > 200


def test_depth_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(course(more=json.loads("[" * DEEP + "]" * DEEP)))
    with pytest.raises(FeedBroken):
        read_all(READER, data)
    monkeypatch.setattr(json_records, "MAX_DEPTH", 1 << 10)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1


@pytest.mark.parametrize(
    ("level", "eqf"),
    [
        ("EQF level 6", 6),
        ("http://data.europa.eu/snb/eqf/5", 5),
        ({"inDefinedTermSet": "EQF", "termCode": "3"}, 3),
        ("Beginner", 0),
        ("EQF 9", 0),
        (4, 0),
    ],
)
def test_levels(level: object, eqf: int) -> None:
    documents, _ = read_all(READER, feed(course(educationalLevel=level)))
    assert documents[0][1]["eqf_level"] == eqf


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (feed(course())[:-20], "JSON_INVALID"),
        (json.dumps(course()).encode() + b"\n{", "JSON_INVALID"),
        (feed(course(name="caf")).replace(b"caf", b"caf\xe9"), "JSON_INVALID"),
        (feed(course()).decode().encode("utf-16"), "JSON_INVALID"),
        (feed(course()).replace(b"12}", b"9" * 5000 + b"}"), "JSON_INVALID"),
        (feed(course()).replace(b"12}", b"1e99999999999999999999}"), "JSON_INVALID"),
        (b"[[" + b"[" * DEEP + b"]" * DEEP + b"]]", "JSON_TOO_DEEP"),
        (b'{"a":' * (DEEP + 1) + b"1" + b"}" * (DEEP + 1), "JSON_TOO_DEEP"),
        (b"[" * 100_000, "JSON_TOO_DEEP"),
        (b'{"a":NaN}', "JSON_INVALID"),
        (b'[{"a":1},]', "JSON_INVALID"),
        (b'[{"a":1} {"a":1}]', "JSON_INVALID"),
        (b'{"a":1,}', "JSON_INVALID"),
        (b"{1:2}", "JSON_INVALID"),
        (b"<html/>", "JSON_INVALID"),
        (b"", "JSON_INVALID"),
    ],
    ids=[
        "cut off",
        "line cut off",
        "latin",
        "utf-16",
        "digits",
        "exponent",
        "arrays",
        "objects",
        "arrays never closed",
        "nan",
        "comma at the end of an array",
        "no comma",
        "comma at the end of an object",
        "no name",
        "html",
        "empty",
    ],
)
def test_attacks_and_accidents(data: bytes, code: str) -> None:
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == code


def test_texts_that_no_database_holds() -> None:
    data = feed(course()).replace(b'"Welding"', b'"a\\u0000b\\ud800c"').replace(b'"C1"', b'"C\\u00001"')
    documents, _ = read_all(READER, data)
    assert "\0" not in documents[0][0] + documents[0][1]["titles"]["en"]


def test_endless_record_is_cut_off_and_control() -> None:
    data = feed(course(name="x" * 300_000))
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data, limit=100_000)
    assert broken.value.finding.code == "RECORD_TOO_LARGE"
    assert len(read_all(READER, data, limit=1 << 40)[0]) == 1  # the guard off: it goes in


def test_nodes_apart_are_bounded_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    data = feed(*({"@id": f"#{n}", **PLACE} for n in range(200)), course())
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 20_000)
    with pytest.raises(FeedBroken) as broken:
        read_all(READER, data)
    assert broken.value.finding.code == "NODES_TOO_LARGE"
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 1 << 40)  # the guard off: it goes in
    assert len(read_all(READER, data)[0]) == 1


def test_instances_apart_are_let_go_once_their_course_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_ld, "MAX_RECORD_BYTES", 2_000)  # of two or three at a time
    pairs = [
        each
        for n in range(100)
        for each in (INSTANCE | {"@id": f"#{n}"}, course(f"C{n}", hasCourseInstance={"@id": f"#{n}"}))
    ]
    documents, found = read_all(READER, feed(*pairs))
    assert (len(documents), codes(found)) == (100, [])


def test_references_that_multiply_are_bounded_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each node refers to the next thirty times: thirty to the third power, when followed to the end."""
    nodes = [{"@id": "#0", "@type": "Place", "name": "x" * 100}]
    nodes += [{"@id": f"#{n}", "@type": "Place", "address": [{"@id": f"#{n - 1}"}] * 30} for n in range(1, 4)]
    data = feed(*nodes, course(hasCourseInstance={"@type": "CourseInstance", "location": {"@id": "#3"}}))

    def size() -> int:
        return max(len(raw.raw) for raw in READER.records(Bounded(io.BytesIO(data))))

    assert size() < 300_000
    monkeypatch.setattr(json_ld, "MAX_REFERENCES", 1 << 40)  # the guard off
    assert size() > 3_000_000


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, b'[{"@type":"Course","name":' + data + b"}]"):
        with contextlib.suppress(FeedBroken):  # anything else fails the test
            read_all(READER, whole)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["@id", "@value", "name"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted({*course(), *INSTANCE, "keywords", "about", "educationalLevel", "url"})), JSON)
def test_any_value_of_any_field(field: str, value: Any) -> None:
    read_all(READER, feed(course(**{field: value})))
    read_all(READER, feed(course(hasCourseInstance=INSTANCE | {field: value})))
    read_all(READER, feed(course(hasCourseInstance=INSTANCE | {"offers": OFFER | {"price": value}})))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_however_the_bytes_come(shape: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = SHAPES[shape](*(course(f"C{n}", description="né 😀 \\ \n") for n in range(5))).encode()
    whole = read_all(READER, data)
    monkeypatch.setattr(json_records, "_CHUNK", size)
    assert read_all(READER, data) == whole


@pytest.mark.parametrize("shape", ["array", "graph"])
def test_cut_anywhere_is_noticed(shape: str) -> None:
    data = SHAPES[shape](course("C1"), course("C2")).encode()
    for length in range(len(data)):
        with pytest.raises(FeedBroken):
            read_all(READER, data[:length])


def test_lines_are_told() -> None:
    data = json.dumps([course("C1"), course("C2", name="")], indent=1)
    _, found = read_all(READER, data.encode())
    (missing,) = (finding for finding in found if finding.code == "TITLE_MISSING")
    assert data.splitlines()[missing.line].strip() == '"@type": "Course",'
    assert missing.line > 20


class Endless:
    """A stream of courses, made as they are read."""

    def __init__(self, count: int) -> None:
        each = json.dumps(course(description="x" * 1000)).encode()
        self.parts = (each.replace(b'"C1"', b'"C%d"' % n) + b"\n" for n in range(count))

    def read(self, size: int = -1, /) -> bytes:
        return next(self.parts, b"")


def peak(count: int) -> int:
    tracemalloc.start()
    try:
        for _ in READER.records(Bounded(Endless(count))):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_stays_flat_and_control(monkeypatch: pytest.MonkeyPatch) -> None:
    few = peak(200)
    assert peak(4000) < 1.5 * few
    kept: list[Any] = []
    monkeypatch.setattr(json_ld, "normal", lambda value: kept.append(value) or value)  # control
    assert peak(4000) > 5 * few
