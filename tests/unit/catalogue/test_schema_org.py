"""schema.org JSON-LD: what becomes of courses and programs, and what is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.catalogue.imports.feed import Context, Occupation
from tests.unit.catalogue.feeds import codes, read_all
from tests.unit.catalogue.schema_org import (
    INSTANCE,
    OFFER,
    PLACE,
    READER,
    WELDER,
    course,
    feed,
    first_session,
)


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
        "postcode": "9000",
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
        ({"eventStatus": "https://schema.org/EventCancelled"}, "", "cancelled", True),
        ({"eventStatus": "EventRescheduled"}, "", "cancelled", ""),
        ({"eventStatus": "EventPostponed"}, "SESSION_STATUS_UNKNOWN", "cancelled", ""),
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


def test_alignments_are_levels_and_subjects() -> None:
    alignments = [
        {"@type": "AlignmentObject", "alignmentType": "educationalLevel", "targetName": "EQF 5"},
        {"@type": "AlignmentObject", "educationalFramework": "ISCED-F", "targetName": "0715 Mechanics"},
    ]
    documents, found = read_all(READER, feed(course(educationalAlignment=alignments)))
    assert codes(found) == []
    assert (documents[0][1]["eqf_level"], documents[0][1]["subjects"]) == (5, ["0715 Mechanics"])


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
