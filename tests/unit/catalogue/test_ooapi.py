"""OOAPI 6: what becomes of courses, programmes and their offerings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.imports.feed import Context, FeedBroken
from services.catalogue.imports.ooapi import LEVELS, Ooapi
from tests.support.real_data import real_data
from tests.unit.catalogue.feeds import codes, read_all

COURSE = {
    "courseId": "123e4567-e89b-12d3-a456-426614174000",
    "primaryCode": {"codeType": "identifier", "code": "INFOMQNM"},
    "name": [
        {"language": "en-GB", "value": "Academic <b>Writing</b>"},
        {"language": "nl-NL", "value": "Schrijven"},
    ],
    "description": [{"language": "en-GB", "value": "As with all sciences."}],
    "teachingLanguages": ["nl-NL"],
    "fieldsOfStudy": "0732",
    "level": "bachelor",
    "link": "https://example.org/INFOMQNM",
}
OFFERING = {
    "courseOfferingId": "o1",
    "state": "active",
    "startDateTime": "2030-08-21T08:30:00+01:00",
    "endDateTime": "2030-10-23T22:59:59+01:00",
    "teachingLanguages": ["en-GB"],
    "modesOfDelivery": ["blended"],
    "maxNumberStudents": 200,
    "enrolmentPeriods": [{"startDateTime": "2030-05-01T00:00:00Z", "endDateTime": "2030-06-30T00:00:00Z"}],
    "priceInformation": [
        {"costType": "stap_eligible", "amount": "100.00", "currency": "EUR"},
        {"costType": "total_costs", "amount": "340.84", "currency": "EUR"},
    ],
    "addresses": [
        {"addressType": "postal", "city": "Elsewhere"},
        {
            "addressType": "teaching",
            "city": "Utrecht",
            "postCode": "3584 CB",
            "countryCode": {"iso3166-1-alpha2": "NL"},
            "geolocation": {"latitude": 52.089123, "longitude": 5.113337},
        },
    ],
}


def line(offerings: list[Any] | None = None, **values: Any) -> bytes:
    return json.dumps({**COURSE, "courseOfferings": offerings or [], **values}).encode() + b"\n"


def one(**values: Any) -> tuple[dict[str, Any], list[str]]:
    """The session of a changed offering, and the codes of what was found."""
    documents, found = read_all(Ooapi(), line([{**OFFERING, **values}]))
    offerings = documents[0][1]["offerings"] if documents else []
    return (offerings[0]["sessions"][0] if offerings else {}), codes(found)


def test_a_course_is_read_with_its_offerings() -> None:
    documents, found = read_all(Ooapi(), line([OFFERING]))
    assert [finding.path for finding in found] == ["primaryCode"]
    (key, document), (offering,) = documents[0], documents[0][1]["offerings"]
    assert key == COURSE["courseId"]
    assert document["titles"] == {"en": "Academic Writing", "nl": "Schrijven"}
    assert (document["eqf_level"], document["subjects"]) == (6, ["ISCED-F 0732"])
    assert (offering["mode"], offering["language"]) == (CourseMode.COURSE_MODE_BLENDED, "en")
    session = offering["sessions"][0]
    session.pop("id")
    assert session == {
        "external_id": "o1",
        "start": "2030-08-21",
        "end": "2030-10-23",
        "apply_from": "2030-05-01",
        "apply_until": "2030-06-30",
        "currency": "EUR",
        "cents": 34084,
        "nuts": "NL",
        "town": "Utrecht",
        "postcode": "3584 CB",
        "lat": 52.089123,
        "lon": 5.113337,
        "capacity": 200,
    }


def test_a_programme_and_a_page_of_the_api_are_read_too() -> None:
    programme = {
        "programmeId": "p1",
        "name": [{"language": "en", "value": "Biology"}],
        "levelOfQualification": "eqf_4",
        "programmeOfferings": [{"programmeOfferingId": "x"}],
    }
    page = json.dumps({"pageSize": 10, "pageNumber": 1, "items": [programme, COURSE], "hasNextPage": False})
    documents, _ = read_all(Ooapi(), page.encode())
    assert [key for key, _ in documents] == ["p1", COURSE["courseId"]]
    assert documents[0][1]["eqf_level"] == 4
    assert documents[0][1]["offerings"][0]["sessions"][0]["external_id"] == "x"


def test_what_nobody_can_book_is_left_out_or_told() -> None:
    assert one(state="concept") == ({}, ["SESSION_LEFT_OUT"])
    assert one(state="inactive")[1] == ["ENROLMENT_CLOSED"]
    two = line([{**OFFERING, "state": "concept"}] * 2)
    assert codes(read_all(Ooapi(), two)[1]) == ["SESSION_LEFT_OUT"]  # once a run


def test_a_cancelled_offering_is_kept_as_such() -> None:
    session, found = one(state="cancelled")
    assert (session["cancelled"], session["external_id"], found) == (True, "o1", [])
    assert "cancelled" not in one(state="active")[0]


def test_what_is_wrong_is_told() -> None:
    assert one(startDateTime="soon")[1] == ["DATE_INVALID"]
    assert one(endDateTime="2029-01-01T00:00:00Z")[1] == ["DATES_REVERSED"]
    assert one(modesOfDelivery=["project_based"])[1] == ["MODE_UNKNOWN"]
    assert one(priceInformation=[{"costType": "total_costs", "amount": "5"}])[1] == ["CURRENCY_MISSING"]
    assert one(priceInformation=[{"amount": "5", "currency": "EUR"}, {"amount": "6"}])[1] == [
        "PRICE_AMBIGUOUS"
    ]
    assert one(priceInformation=[{"amount": "free", "currency": "EUR"}])[1] == ["PRICE_INVALID"]
    assert one(maxNumberStudents=-1)[1] == ["NUMBER_INVALID"]
    assert one(modesOfDelivery=["online"])[0].get("town") is None
    documents, found = read_all(Ooapi(), line(levelOfQualification="eqf_9", level=None))
    assert (documents[0][1]["eqf_level"], codes(found)) == (0, ["LEVEL_UNKNOWN"])
    documents, found = read_all(Ooapi(), line(name=[]))
    assert (documents, codes(found)) == ([], ["TITLE_MISSING"])
    assert read_all(Ooapi(), b'{"name": "x"}\n[1]\n"x"\n', Context())[0] == [
        ("", read_all(Ooapi(), b'{"name":"x"}')[0][0][1])
    ]
    for data, code in (
        (b"<html>", "JSON_INVALID"),
        (line()[:-5], "JSON_INVALID"),
        (b"[" * 100_000, "JSON_TOO_DEEP"),
    ):
        with pytest.raises(FeedBroken) as caught:
            read_all(Ooapi(), data)
        assert caught.value.finding.code == code


def test_all_values_of_the_specification_are_known() -> None:
    schemas = json.loads(real_data("feeds/ooapi-6/oeapi.json").read_bytes())["components"]["schemas"]
    levels = set(schemas["levelOfQualification"]["x-ooapi-extensible-enum"])
    assert levels - set(LEVELS) == {"eqf_0"}
    example = schemas["CourseProperties"]["properties"]
    values = {name: spec["example"] for name, spec in example.items() if "example" in spec}
    documents, found = read_all(Ooapi(), line(**values))
    assert documents[0][1]["titles"] == {"en": "Academic and Professional Writing"}
    assert set(codes(found)) == set()
