"""Feeds in the European Learning Model 3.1: its application profile for learning opportunities.

A `learningOpportunity` is a course with one session. What it refers to follows it in the file, so what the
catalogue carries of each is kept on disk until the end, and of what is referred to in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import MAX_VALUE, Findings
from services.catalogue.imports import countries, leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, MAX_KINDS, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.languages import two_letters
from services.catalogue.imports.offerings import Offerings
from services.catalogue.imports.postcodes import in_address
from services.catalogue.imports.xml_records import elements, forget

ELM = "{http://data.europa.eu/snb/model/ap/loq-constraints/}"
SKOS = "{http://www.w3.org/2004/02/skos/core#}"
MODE = "http://data.europa.eu/snb/learning-assessment/"
MODES: dict[str, int] = {
    f"{MODE}9191af2ed9": CourseMode.COURSE_MODE_ON_SITE,
    f"{MODE}920fbb3cbe": CourseMode.COURSE_MODE_ONLINE,
    f"{MODE}e92d221e4d": CourseMode.COURSE_MODE_BLENDED,
    f"{MODE}c_3a90b26d": CourseMode.COURSE_MODE_BLENDED,  # hybrid
    f"{MODE}729f3bed4b": CourseMode.COURSE_MODE_ON_SITE,  # work-based
}
NAME_A_MODE = "Name presential, online, blended, hybrid or work-based of the Europass list."
MAX_KEPT = 32 << 20  # bytes of what opportunities refer to, as it is kept
_SPOOL = 4 << 20  # bytes in memory before the disk is used
# Containers, by the kind of what is in them; "": nothing that the catalogue has a place for.
_CONTAINERS = {
    f"{ELM}{name}References": kind
    for name, kind in (
        ("learningOpportunity", "opportunity"),
        ("learningAchievementSpecification", "specification"),
        ("learningActivitySpecification", "activity"),
        ("learningEntitlementSpecification", "entitlement"),
        ("location", "location"),
        *((name, "") for name in ("learningOutcome", "learningAssessmentSpecification", "agent", "group")),
        *((name, "") for name in ("accreditation", "gradingScheme")),
    )
}
_WANTED = tuple(
    f"{ELM}{name}"
    for name in (
        *("learningOpportunity", "qualification", "qualificationReference", "location", "learningOutcome"),
        *("learningAchievementSpecification", "learningActivitySpecification", "agent", "organisation"),
        *("learningEntitlementSpecification", "learningAssessmentSpecification", "group", "accreditation"),
        "gradingScheme",
    )
)
CARRIED = {
    "opportunity": leftovers.place(
        """@id title/* description/* homepage/contentUrl temporal/startDate temporal/endDate mode/*
        applicationDeadline priceDetail/amount/unit/* priceDetail/amount/value location/*
        learningAchievementSpecification/* learningActivitySpecification/* defaultLanguage/*"""
    ),
    "specification": leftovers.place(
        """qualification@id qualification/EQFLevel/* qualification/educationLevel/* qualification/language/*
        qualification/ISCEDFCode/* qualification/educationSubject/* qualification/entitlesTo/*""",
        "qualification",
    ),
    "activity": leftovers.place("activity@id activity/language/*", "activity"),
    "entitlement": leftovers.place("entitlement@id entitlement/limitOccupation/*", "entitlement"),
    "location": leftovers.place(
        """location@id location/geographicName/* location/spatialCode/* location/address/countryCode/*
        location/address/fullAddress/* location/geometry/*""",
        "location",
    ),
}


class Content(NamedTuple):
    """What is carried of an opportunity, of what it refers to, by kind, and what of it is not carried."""

    own: Document
    specification: Document
    activity: Document
    locations: list[Document | None]  # None: there is none of this id
    occupations: list[str]
    left: list[tuple[str, str]]


@dataclass
class _Kept:
    """What opportunities may refer to, by kind and id; `told`: paths of which somebody was told."""

    nodes: dict[str, dict[str, Document]] = field(default_factory=lambda: {kind: {} for kind in CARRIED})
    size: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def keep(self, kind: str, node: Document, line: int) -> None:
        """Keeps a node; raises FeedBroken when all together are too large."""
        self.size += len(json.dumps(node))
        if self.size > MAX_KEPT:
            raise FeedBroken(
                "NODES_TOO_LARGE",
                line,
                f"What courses refer to is larger than {MAX_KEPT >> 20} MiB.",
                "Leave out specifications and locations that no opportunity names, or split the file.",
            )
        self.nodes[kind][node["id"]] = node

    def note(self, element: Any, kind: str) -> None:
        """Notes what of an element is not carried, once a path."""
        here = CARRIED.get(kind)
        name = element.tag.removeprefix(ELM)
        for path, value in leftovers.of_element(element, here, self.told) if here else [(name, "")]:
            if path not in self.told and len(self.told) < MAX_KINDS:
                self.told.add(path)
                self.left.append((path, value[:MAX_VALUE]))


class Elm:
    """Reader of ELM 3.1 (and 3.0) learning opportunities."""

    revision = "elm-2"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per `learningOpportunity`, once the file has ended; its content is a Content."""
        kept = _Kept()
        with SpooledTemporaryFile(_SPOOL, "w+b") as spool:
            for element in elements(stream, (f"{ELM}Courses",), _WANTED, _no_elm):
                parent = element.getparent()
                kind = _CONTAINERS.get(parent.tag) if parent is not None else None
                if kind is None:
                    continue  # a reference to one of them
                line = element.sourceline or 0
                kept.note(element, kind)
                if kind == "opportunity":
                    spool.write(json.dumps([line, _opportunity(element)]).encode() + b"\n")
                elif kind and element.get("id"):
                    kept.keep(kind, _EXTRACT[kind](element), line)
                stream.record_done()
                forget(element)
            spool.seek(0)
            for text in spool:
                line, own = json.loads(text)
                yield _raw(line, own, kept)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads an opportunity with what it refers to."""
        content: Content = raw.content
        own, specification = content.own, content.specification
        leftovers.tell(content.left, context, findings)
        default = two_letters(own["language"]) or context.default_language
        leftovers.tell_several("homepage", len(own["pages"]), context, findings)
        page = own["pages"][0] if own["pages"] else ""
        codes = specification.get("subjects", [])
        path = "learningAchievementSpecification/entitlesTo/limitOccupation"
        return {
            "titles": values.titles(own["titles"], default, "title", findings),
            "descriptions": values.texts(
                own["descriptions"], values.MAX_DESCRIPTION, "description", findings
            ),
            "kind": "course",
            "eqf_level": _level(specification.get("level", ""), findings),
            "url": values.web_address(page, "homepage/contentUrl", findings),
            "subjects": offerings.subjects(codes, "qualification/educationSubject", findings),
            "occupations": offerings.occupations(content.occupations, path, context, findings),
            "offerings": _offerings(content, course, context, findings),
        }


def _no_elm(root: str) -> FeedBroken:
    return FeedBroken(
        "NO_ELM",
        1,
        "This is no ELM 3.1 file of learning opportunities.",
        f"Its root must be `Courses` in {ELM[1:-1]}.",
        root,
    )


# --- what is kept of each element


def _opportunity(element: Any) -> Document:
    return {
        "id": element.get("id", "").strip(),
        "titles": _texts(element, "title"),
        "descriptions": _texts(element, "description"),
        "pages": _said(element, f"{ELM}homepage/{ELM}contentUrl"),
        "start": _said(element, f"{ELM}temporal/{ELM}startDate"),
        "end": _said(element, f"{ELM}temporal/{ELM}endDate"),
        "modes": _uris(element, f"{ELM}mode"),
        "deadlines": _said(element, f"{ELM}applicationDeadline"),
        "prices": [
            [next(iter(_uris(each, f"{ELM}unit")), ""), next(iter(_said(each, f"{ELM}value")), "")]
            for each in element.iterfind(f"{ELM}priceDetail/{ELM}amount")
        ],
        "locations": _references(element, "location"),
        "specification": _references(element, "learningAchievementSpecification"),
        "activity": _references(element, "learningActivitySpecification"),
        "language": next(iter(_uris(element, f"{ELM}defaultLanguage")), ""),
    }


def _specification(element: Any) -> Document:
    subjects = [
        each.findtext(f"{SKOS}prefLabel") or "" for each in element.iterfind(f"{ELM}educationSubject")
    ]
    codes = [f"ISCED-F {uri.rpartition('/')[2]}" for uri in _uris(element, f"{ELM}ISCEDFCode")]
    return {
        "id": element.get("id"),
        "level": next(iter(_uris(element, f"{ELM}EQFLevel") + _levels(element)), ""),
        "languages": _uris(element, f"{ELM}language"),
        "subjects": subjects + codes,
        "entitles": _references(element, "entitlesTo"),
    }


def _levels(element: Any) -> list[str]:
    """Levels of education that are those of the EQF."""
    return [uri for uri in _uris(element, f"{ELM}educationLevel") if "/eqf/" in uri]


def _activity(element: Any) -> Document:
    return {"id": element.get("id"), "languages": _uris(element, f"{ELM}language")}


def _entitlement(element: Any) -> Document:
    return {"id": element.get("id"), "occupations": _uris(element, f"{ELM}limitOccupation")}


def _location(element: Any) -> Document:
    return {
        "id": element.get("id"),
        "town": next(iter(_said(element, f"{ELM}geographicName")), ""),
        "address": " ".join(_said(element, f"{ELM}address/{ELM}fullAddress/{ELM}noteLiteral")),
        "codes": _uris(element, f"{ELM}spatialCode") + _uris(element, f"{ELM}address/{ELM}countryCode"),
        "degrees": [
            next(iter(_said(element, f".//{{http://data.europa.eu/m8g/}}{name}")), "")
            for name in ("latitude", "longitude")
        ],
    }


_EXTRACT = {
    "specification": _specification,
    "activity": _activity,
    "entitlement": _entitlement,
    "location": _location,
}


def _said(element: Any, path: str) -> list[str]:
    """Texts at a path that are not empty."""
    return [text for each in element.iterfind(path) if (text := (each.text or "").strip())]


def _texts(element: Any, name: str) -> dict[str, str]:
    """Texts by the language that they say; of a language the first."""
    found: dict[str, str] = {}
    for each in element.iterfind(f"{ELM}{name}"):
        if text := (each.text or "").strip():
            found.setdefault(each.get("language", "").strip(), text)
    return found


def _uris(element: Any, path: str) -> list[str]:
    return [uri for each in element.iterfind(path) if (uri := each.get("uri", "").strip())]


def _references(element: Any, name: str) -> list[str]:
    return [key for each in element.iterfind(f"{ELM}{name}") if (key := each.get("idref", "").strip())]


# --- reading


def _raw(line: int, own: Document, kept: _Kept) -> Raw:
    """Joins an opportunity with what it refers to: when one of these changes, it has changed too."""
    nodes = kept.nodes
    specification, activity = (
        nodes[kind].get(next(iter(own[kind]), ""), {}) for kind in ("specification", "activity")
    )
    locations = [nodes["location"].get(key) for key in own["locations"]]
    entitled = [nodes["entitlement"].get(key, {}) for key in specification.get("entitles", [])]
    occupations = [uri for each in entitled for uri in each.get("occupations", [])]
    content = Content(own, specification, activity, locations, occupations, kept.left)
    raw = json.dumps(content[:-1], ensure_ascii=False).encode(errors="replace")
    key = own["id"]
    return Raw(key if len(key) <= MAX_ID else "", line, raw, content)


def _level(uri: str, findings: Findings) -> int:
    number = uri.rpartition("/eqf/")[2]
    if number in tuple("12345678"):
        return int(number)
    if uri:
        message, remedy = "This is no EQF level.", "Use http://data.europa.eu/snb/eqf/1 to 8."
        findings.warning("LEVEL_UNKNOWN", "qualification/EQFLevel", uri, message, remedy)
    return 0


def _offerings(content: Content, course: str, context: Context, findings: Findings) -> list[Document]:
    """The one session of an opportunity that says anything of when, where, how or for how much."""
    own = content.own
    if not any(own[key] for key in ("start", "end", "modes", "deadlines", "prices", "locations")):
        return []
    found = Offerings(course, "@id", findings)
    session = found.session("")
    for key, path in (("start", "temporal/startDate"), ("end", "temporal/endDate")):
        if own[key] and (day := values.day(own[key][0], path, findings)):
            session[key] = day
    values.check_order(session, "temporal/endDate", findings)
    leftovers.tell_several("applicationDeadline", len(own["deadlines"]), context, findings)
    for said in own["deadlines"][:1]:
        if day := values.day(said, "applicationDeadline", findings, reject=False):
            session["apply_until"] = day
    session.update(_price(own["prices"], findings))
    mode = offerings.mode(own["modes"], MODES, "mode", NAME_A_MODE, context, findings)
    if mode not in offerings.AFAR:
        _place(session, content, context, findings)
    spoken = content.activity.get("languages") or content.specification.get("languages", [])
    leftovers.tell_several("learningActivitySpecification/language", len(spoken), context, findings)
    found.add(mode, two_letters(spoken[0]) if spoken else "", session)
    return found.documents()


def _price(prices: list[list[str]], findings: Findings) -> Document:
    """The first price; several are told."""
    if not prices:
        return {}
    path = "priceDetail/amount"
    if len({tuple(each) for each in prices}) > 1:
        shown = ", ".join(f"{value} {unit.rpartition('/')[2]}" for unit, value in prices[:10])
        values.price_ambiguous(path, shown, findings)
    unit, value = prices[0]
    return values.money(value, unit.rpartition("/")[2], f"{path}/value", f"{path}/unit", findings)


def _place(session: Document, content: Content, context: Context, findings: Findings) -> None:
    for key, found in zip(content.own["locations"], content.locations, strict=True):
        if found is None:
            message, remedy = "The file has no location with this id.", "Add it to `locationReferences`."
            findings.warning("LOCATION_UNKNOWN", "location", key, message, remedy)
    known = [each for each in content.locations if each is not None]
    leftovers.tell_several("location", len(known), context, findings)
    if not known:
        offerings.place(session, "", ("", ""), context.default_nuts_code, "location", findings)
        return
    place = known[0]
    nuts = [uri.rpartition("/nuts/code/")[2] for uri in place["codes"] if "/nuts/code/" in uri]
    country = next((uri.rpartition("/")[2] for uri in place["codes"] if "/authority/country/" in uri), "")
    code = values.nuts(nuts[0], "location/spatialCode", findings) if nuts else ""
    region = code or countries.region(countries.two_letters(country), context)
    latitude, longitude = place["degrees"]
    postcode = in_address(place["address"], region[:2])
    degrees, path = (latitude, longitude), "location/geometry"
    offerings.place(session, place["town"], degrees, region, path, findings, postcode)
