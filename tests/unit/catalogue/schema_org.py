"""Courses in schema.org JSON-LD for tests, and files of them."""

from __future__ import annotations

import json
from typing import Any

from services.catalogue.imports.schema_org import SchemaOrg

READER = SchemaOrg()
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
    """Returns a course with a session; `fields` are put in or in place of others."""
    return {"@type": "Course", "identifier": key, "name": "Welding", "hasCourseInstance": INSTANCE} | fields


def feed(*values: Any) -> bytes:
    """Returns a file that is an array of values."""
    return json.dumps([*values], ensure_ascii=False).encode()


def first_session(documents: list[Any]) -> dict[str, Any]:
    """Returns the first session of the first document that `read_all` returned."""
    found: dict[str, Any] = documents[0][1]["offerings"][0]["sessions"][0]
    return found


# What a file of courses may look like.
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
