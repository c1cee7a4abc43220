"""Courses as schema.org JSON-LD, a Course a line: what `imports.schema_org` reads."""

from __future__ import annotations

import json
from typing import Any

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, CourseMode

from services.catalogue.domain.courses import Document, amount, as_told, is_cancelled
from services.catalogue.domain.features import level_text
from services.catalogue.imports.countries import iso_code

Node = dict[str, Any]
MODES: dict[int, str] = {
    CourseMode.COURSE_MODE_ON_SITE: "Onsite",
    CourseMode.COURSE_MODE_ONLINE: "Online",
    CourseMode.COURSE_MODE_BLENDED: "Blended",
    CourseMode.COURSE_MODE_DISTANCE: "Distance",
}


def line(external_id: str, document: Document) -> bytes:
    """Returns a course, by the partner's own id and its document, as one line of JSON."""
    node = {
        "@context": "https://schema.org",
        "@type": "Course",
        "identifier": external_id,
        "name": _texts(document["titles"]),
        "description": _texts(document["descriptions"]),
        "additionalType": document["kind"] if document["kind"] != "course" else "",
        "url": document["url"],
        "about": [{"@type": "Thing", "name": subject} for subject in document["subjects"]],
        "educationalLevel": _level(document["eqf_level"]),
        "occupationalCategory": [
            {"@type": "CategoryCode", "url": tag["uri"], "codeValue": tag["isco"], "name": tag["label"]}
            for tag in document["occupations"]
            if tag["origin"] != TAG_ORIGIN_MODEL
        ],
        "hasPart": list(map(_module, document.get("modules", []))),
        "audience": [
            {"@type": "EducationalAudience", "audienceType": group}
            for group in document.get("target_groups", [])
        ],
        "spatialCoverage": [
            {"@type": "Place", "name": territory} for territory in document.get("territories", [])
        ],
        "educationalCredentialAwarded": _credential(document.get("awarding_body", "")),
        "hasCourseInstance": [
            _instance(session, offering)
            for offering in document["offerings"]
            for session in offering["sessions"]
        ],
    }
    return json.dumps(_filled(node), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _filled(node: Node) -> Node:
    """The node without what is empty."""
    return {key: value for key, value in node.items() if value not in ("", None, [], {})}


def _texts(texts: dict[str, str]) -> list[Node]:
    return [{"@value": text, "@language": language} for language, text in texts.items()]


def _module(module: Document) -> Node:
    node = {"@type": "Course", "name": module["title"], "educationalLevel": level_text(module)}
    return _filled(node)


def _credential(awarding_body: str) -> Node:
    if not awarding_body:
        return {}
    body = {"@type": "Organization", "name": awarding_body}
    return {"@type": "EducationalOccupationalCredential", "recognizedBy": body}


def _level(level: int) -> Node:
    if not level:
        return {}
    term = {"@type": "DefinedTerm", "inDefinedTermSet": "European Qualifications Framework (EQF)"}
    return {**term, "termCode": str(level), "name": f"EQF {level}"}


def _instance(session: Document, offering: Document) -> Node:
    return _filled(
        {
            "@type": "CourseInstance",
            "identifier": session["external_id"],
            "courseMode": MODES.get(offering["mode"], ""),
            "inLanguage": offering["language"],
            "eventStatus": "https://schema.org/EventCancelled" if is_cancelled(session) else "",
            "startDate": session.get("start"),
            "endDate": session.get("end"),
            "maximumAttendeeCapacity": session.get("capacity"),
            "location": _place(session),
            "offers": _offer(session),
        }
    )


def _place(session: Document) -> Node:
    session = as_told(session)
    nuts = session.get("nuts", "")
    address = _filled(
        {
            "addressLocality": session.get("town"),
            "postalCode": session.get("postcode"),
            "addressRegion": nuts if len(nuts) > 2 else "",
            "addressCountry": iso_code(nuts[:2]),
        }
    )
    geo = {"latitude": session["lat"], "longitude": session["lon"]} if "lat" in session else {}
    place = _filled({"address": address, "geo": geo})
    if address:
        place["address"] = {"@type": "PostalAddress", **address}
    if geo:
        place["geo"] = {"@type": "GeoCoordinates", **geo}
    return {"@type": "Place", **place} if place else {}


def _offer(session: Document) -> Node:
    offer = _filled({"validFrom": session.get("apply_from"), "validThrough": session.get("apply_until")})
    if "cents" in session:
        offer |= {"price": amount(session["cents"]), "priceCurrency": session["currency"]}
    return {"@type": "Offer", **offer} if offer else {}
