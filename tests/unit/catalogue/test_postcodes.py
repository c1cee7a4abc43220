"""Postcodes of places: read from every format, and told where they are none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import Findings
from services.catalogue.imports import values
from services.catalogue.imports.csv_template import CsvTemplate
from services.catalogue.imports.elm import Elm
from services.catalogue.imports.emg import Emg
from services.catalogue.imports.feed import Context, FeedReader
from services.catalogue.imports.lheo import Lheo
from services.catalogue.imports.ooapi import Ooapi
from services.catalogue.imports.postcodes import in_address
from services.catalogue.imports.pushed import Pushed
from services.catalogue.imports.schema_org import SchemaOrg
from services.catalogue.imports.xcri_cap import XcriCap
from tests.support.real_data import real_data
from tests.unit.catalogue import schema_org, test_csv_template, test_elm, test_emg, test_lheo, test_ooapi
from tests.unit.catalogue import test_xcri_cap as xcri
from tests.unit.catalogue.feeds import read_all

VENUE = (
    "<venue><provider><mlo:location><mlo:town>Gent</mlo:town><mlo:postcode>{}</mlo:postcode>"
    "</mlo:location></provider></venue></presentation>"
)


def xcri_cap(code: str) -> bytes:
    there = xcri.session().replace("'ON'", "'CM'").replace("</presentation>", VENUE.format(code))
    return xcri.feed(xcri.course(presentation=there))


def emg(code: str) -> bytes:
    location = test_emg.LOCATION.replace('"9000"', f'"{code}"')
    return test_emg.feed(test_emg.course(events=test_emg.event()), locations=location)


def lheo(code: str) -> bytes:
    return test_lheo.feed(test_lheo.formation(actions=test_lheo.action().replace("29391", code)))


def pushed(code: str) -> bytes:
    session = {"mode": "COURSE_MODE_ON_SITE", "town": "Gent", "postal_code": code}
    return json.dumps({"external_id": "C", "titles": {"en": "Welding"}, "sessions": [session]}).encode()


def ooapi(code: str) -> bytes:
    address = {"addressType": "teaching", "postCode": code}
    return test_ooapi.line([{**test_ooapi.OFFERING, "addresses": [address]}])


def in_schema_org(code: str) -> bytes:
    place = {"@type": "Place", "address": {"@type": "PostalAddress", "postalCode": code}}
    return schema_org.feed(schema_org.course(hasCourseInstance={**schema_org.INSTANCE, "location": place}))


def in_csv(code: str) -> bytes:
    return test_csv_template.feed(test_csv_template.GOOD | {"postal_code": code})


FORMATS: list[tuple[FeedReader, Callable[[str], bytes], str]] = [
    (XcriCap(), xcri_cap, "presentation/venue/mlo:postcode"),
    (Emg(), emg, "location/visitingAddress@zip"),
    (Lheo(), lheo, "action/lieu-de-formation/coordonnees/adresse/codepostal"),
    (Pushed(), pushed, "sessions/postal_code"),
    (Ooapi(), ooapi, "courseOfferings/addresses/postCode"),
    (SchemaOrg(), in_schema_org, "location/address/postalCode"),
    (CsvTemplate(), in_csv, "postal_code"),
]


def sessions(documents: list[tuple[str, Document]]) -> Iterator[dict[str, Any]]:
    for _, document in documents:
        for offering in document["offerings"]:
            yield from offering["sessions"]


@pytest.mark.parametrize(("reader", "feed", "path"), FORMATS, ids=lambda each: type(each).__name__)
def test_each_format_says_one_and_what_is_none_is_told(
    reader: FeedReader, feed: Callable[[str], bytes], path: str
) -> None:
    documents, found = read_all(reader, feed(" MK7  6BJ "))
    assert [session["postcode"] for session in sessions(documents)] == ["MK7 6BJ"]
    assert not [each for each in found if each.code == "POSTCODE_INVALID"]
    documents, found = read_all(reader, feed("see map"))
    assert ["postcode" in session for session in sessions(documents)] == [False]
    assert [(f.path, f.value) for f in found if f.code == "POSTCODE_INVALID"] == [(path, "see map")]
    documents, found = read_all(reader, feed(""))
    assert ["postcode" in session for session in sessions(documents)] == [False]
    assert not [each for each in found if each.code == "POSTCODE_INVALID"]


def test_those_of_the_real_file() -> None:
    data = real_data("feeds/emg-3.0/basic-sample.xml").read_bytes()
    documents, found = read_all(Emg(), data)
    told = [
        (session["town"], session.get("postcode")) for session in sessions(documents) if "town" in session
    ]
    assert told == [("Stockholm", "115 26"), ("Stockholm", None)]  # at a location, and in an area
    assert not [each for each in found if "@zip" in each.path]


@pytest.mark.parametrize(
    "good", ["9000", "B-9000", "1000-001", "D02 AF30", "1012 AB", "115 26", "VLT 1117", "PT 1000-001"]
)
def test_written_like_one(good: str) -> None:
    findings = Findings("", 0)
    assert values.postcode(good, "", findings) == good
    assert not findings.found


@pytest.mark.parametrize("bad", ["Gent", "-", "9000, Gent", "Kouter 1 9000 Gent", "1" * 13, "９０００"])
def test_written_like_none(bad: str) -> None:
    findings = Findings("", 0)
    assert values.postcode(bad, "", findings) == ""
    assert [each.code for each in findings.found] == ["POSTCODE_INVALID"]


@pytest.mark.parametrize(
    ("address", "country", "code"),
    [
        ("Kouter 1, 9000 Gent", "BE", "9000"),
        ("Rue de 1789 12, B-1000 Bruxelles", "BE", "1000"),
        ("Karlavägen 104, 115 26 Stockholm", "SE", "115 26"),
        ("Plein 1813, 2511 AB Den Haag", "NL", "2511 AB"),
        ("Walton Hall, Milton Keynes MK7 6BJ", "UK", "MK7 6BJ"),
        ("1 Main Street, Dublin D02 AF30", "IE", "D02 AF30"),
        ("Brīvības iela 1, Rīga, LV-1010", "LV", "LV-1010"),
        ("Rua 1, 1000-001 Lisboa", "PT", "1000-001"),
        ("Kouter 19000, Gent", "BE", ""),
        ("Kouter 1, Gent", "BE", ""),
        ("Kouter 1, 9000 Gent", "", ""),
    ],
)
def test_an_address_in_words_names_the_one_of_its_country(address: str, country: str, code: str) -> None:
    assert in_address(address, country) == code


@pytest.mark.parametrize(("country", "code"), [("BEL", "9000"), ("POL", None)])
def test_elm_has_it_in_its_full_address(country: str, code: str | None) -> None:
    full = '<address><fullAddress><noteLiteral language="nl">Kouter 1, 9000 Gent</noteLiteral></fullAddress>'
    referred = test_elm.REFERRED.replace("<address>", full, 1).replace("/BEL", f"/{country}")
    referred = referred.replace('<spatialCode uri="http://data.europa.eu/nuts/code/BE234"/>', "")
    documents, _ = read_all(Elm(), test_elm.feed(test_elm.FULL, referred=referred), Context())
    assert [session.get("postcode") for session in sessions(documents)] == [code]
