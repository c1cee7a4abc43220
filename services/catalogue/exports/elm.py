"""Courses in the European Learning Model 3.1, valid by its XSD: what `imports.elm` reads.

Each session is a learning opportunity, and so is a course without any; those of one course share its
specification. The model wants what they refer to behind all of them: specifications, outcomes and
entitlements wait on disk, providers and places, of which each is written once, in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL, CourseMode

from services.catalogue.domain.courses import Document, amount, as_told, isced_f, taking_place
from services.catalogue.imports.countries import three_letters
from services.catalogue.imports.elm import ELM, MODE, SKOS
from services.catalogue.imports.languages import authority_uri

COUNTRY = "http://publications.europa.eu/resource/authority/country/"
CURRENCY = "http://publications.europa.eu/resource/authority/currency/"
SNB = "http://data.europa.eu/snb"
MODES: dict[int, str] = {
    CourseMode.COURSE_MODE_ON_SITE: f"{MODE}9191af2ed9",
    CourseMode.COURSE_MODE_ONLINE: f"{MODE}920fbb3cbe",
    CourseMode.COURSE_MODE_DISTANCE: f"{MODE}920fbb3cbe",
    CourseMode.COURSE_MODE_BLENDED: f"{MODE}e92d221e4d",
}
_COURSE_TYPE = f"{SNB}/learning-opportunity/05053c1cbe"
_OCCUPATION, _ACTUAL = f"{SNB}/entitlement/52f62180c2", f"{SNB}/entitlement-status/b7015a8a8c"
_UNKNOWN_FIELD, _UNKNOWN_COUNTRY = "9999", "OP_DATPRO"
_SPOOL = 4 << 20  # bytes of a section in memory before the disk is used
_PIECE = 1 << 18
_HEAD = f'''<?xml version="1.0" encoding="UTF-8"?>
<Courses xmlns="{ELM[1:-1]}" xmlns:skos="{SKOS[1:-1]}" xmlns:locn="http://www.w3.org/ns/locn#"
 xmlns:clv="http://data.europa.eu/m8g/" xsdVersion="3.1.0">
<learningOpportunityReferences>
'''
_NO_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
Names = Callable[[Collection[str]], Mapping[str, str]]


class ElmWriter:
    """Writes one file. `names` returns the names of organisations by their ids."""

    def __init__(self, names: Names) -> None:
        self._names = names
        sections = ("specification", "outcome", "entitlement")
        self._sections = {name: SpooledTemporaryFile(_SPOOL, "w+b") for name in sections}  # noqa: SIM115
        self._places: dict[tuple[Any, ...], str] = {}
        self._awarding: dict[str, str] = {}  # name → what it is called in the file
        self._providers: dict[str, str] = {}  # id → NUTS code of the first place known, "" without one

    def head(self) -> bytes:
        """Returns the root and the beginning of the opportunities."""
        return _HEAD.encode()

    def course(self, row: Any) -> bytes:
        """Returns the opportunities of a course, and keeps what they refer to. The format cannot say that a
        session is cancelled, so it is left out."""
        document, key, provider = taking_place(row.document), str(row.id), row.organisation_id
        self._providers.setdefault(provider, "")
        self._specify(key, document)
        found = [
            self._opportunity(session["id"], key, provider, document, session, offering["mode"])
            for offering in document["offerings"]
            for session in offering["sessions"]
        ] or [self._opportunity(key, key, provider, document, {}, 0)]
        return "".join(found).encode()

    def tail(self) -> Iterator[bytes]:
        """Yields the end of the opportunities, and all that they refer to."""
        yield b"</learningOpportunityReferences>\n"
        yield from self._section("learningAchievementSpecificationReferences", "specification")
        yield from self._section("learningOutcomeReferences", "outcome")
        yield from self._section("learningEntitlementSpecificationReferences", "entitlement")
        names = self._names(self._providers)
        providers = [_provider(key, names.get(key, key)) for key in self._providers]
        awarding = [_provider(key, name) for name, key in self._awarding.items()]
        yield _element("agentReferences", *providers, *awarding).encode()
        where = self._providers | dict.fromkeys(self._awarding.values(), "")
        homes = [_location(f"urn:waymark:home:{key}", ("", "", nuts)) for key, nuts in where.items()]
        places = [_location(key, place) for place, key in self._places.items()]
        yield _element("locationReferences", *homes, *places).encode() + b"</Courses>\n"

    def _section(self, container: str, name: str) -> Iterator[bytes]:
        with self._sections[name] as kept:
            if kept.tell():
                kept.seek(0)
                yield f"<{container}>\n".encode()
                yield from iter(lambda: kept.read(_PIECE), b"")
                yield f"</{container}>\n".encode()

    def _opportunity(
        self, key: str, course: str, provider: str, document: Document, session: Document, mode: int
    ) -> str:
        place = self._place(session, provider)
        page = _element("contentUrl", _text(document["url"])) if document["url"] else ""
        return _element(
            "learningOpportunity",
            *_texts("title", document["titles"]),
            *_texts("description", document["descriptions"]),
            _element("type", uri=_COURSE_TYPE),
            _element("homepage", page),
            _period(session),
            _element("mode", uri=MODES[mode]) if mode in MODES else "",
            _day("applicationDeadline", session.get("apply_until")),
            _price(session),
            _element("providedBy", idref=f"urn:waymark:organisation:{provider}"),
            _element("location", idref=place) if place else "",
            _element("learningAchievementSpecification", idref=f"urn:waymark:specification:{course}"),
            _element("defaultLanguage", uri=authority_uri(next(iter(document["titles"])))),
            id=f"urn:uuid:{key}",
        )

    def _specify(self, key: str, document: Document) -> None:
        """Keeps what the course is about, apart from when and where."""
        occupations = [tag for tag in document["occupations"] if tag["origin"] != TAG_ORIGIN_MODEL]
        codes = isced_f(document)
        fields = {f"ISCED-F {code}" for code in codes}
        subjects = [subject for subject in document["subjects"] if subject not in fields]
        languages = dict.fromkeys(offering["language"] for offering in document["offerings"]) or {"": None}
        level = document["eqf_level"]
        titles = _texts("title", document["titles"])
        self._keep(
            "specification",
            "learningAchievementSpecification",
            *titles,
            *(_element("ISCEDFCode", uri=f"{SNB}/isced-f/{code}") for code in codes or [_UNKNOWN_FIELD]),
            *(_element("educationSubject", _label(each), uri="urn:waymark:subject") for each in subjects),
            _element("educationLevel", uri=f"{SNB}/eqf/{level}") if level else "",
            *(_element("language", uri=authority_uri(language)) for language in languages),
            _element("learningOutcome", idref=f"urn:waymark:outcome:{key}"),
            _element("entitlesTo", idref=f"urn:waymark:entitlement:{key}") if occupations else "",
            self._award(key, document.get("awarding_body", "")),
            id=f"urn:waymark:specification:{key}",
        )
        self._keep("outcome", "learningOutcome", *titles, id=f"urn:waymark:outcome:{key}")
        if occupations:
            self._keep(
                "entitlement",
                "learningEntitlementSpecification",
                *titles,
                _element("type", uri=_OCCUPATION),
                _element("entitlementStatus", uri=_ACTUAL),
                *(_element("limitOccupation", _label(tag["label"]), uri=tag["uri"]) for tag in occupations),
                id=f"urn:waymark:entitlement:{key}",
            )

    def _award(self, key: str, awarding_body: str) -> str:
        """Who awards what a course leads to, "" where that is not said."""
        if not awarding_body:
            return ""
        body = self._awarding.setdefault(awarding_body, f"awarding:{len(self._awarding)}")
        return _element(
            "awardingOpportunity",
            _element("awardingBody", idref=f"urn:waymark:organisation:{body}"),
            _element("learningAchievementSpecification", idref=f"urn:waymark:specification:{key}"),
        )

    def _keep(self, section: str, name: str, *content: str, **attributes: str) -> None:
        self._sections[section].write(_element(name, *content, **attributes).encode())

    def _place(self, session: Document, provider: str) -> str:
        """The id of the place of a session, "" without one."""
        told = as_told(session)
        place = tuple(told.get(name, "") for name in ("town", "postcode", "nuts", "lat", "lon"))
        if not any(each != "" for each in place):
            return ""
        self._providers[provider] = self._providers[provider] or place[2][:2]
        return self._places.setdefault(place, f"urn:waymark:place:{len(self._places)}")


def _element(name: str, *content: str, **attributes: str) -> str:
    """An element; `content` is XML already."""
    said = "".join(f" {key}={quoteattr(_NO_XML.sub(' ', value))}" for key, value in attributes.items())
    return f"<{name}{said}>{''.join(content)}</{name}>\n"


def _text(text: str) -> str:
    return escape(_NO_XML.sub(" ", text))


def _texts(name: str, texts: Mapping[str, str]) -> list[str]:
    return [_element(name, _text(text), language=language) for language, text in texts.items()]


def _label(text: str) -> str:
    return _element("skos:prefLabel", _text(text), language="en")


def _day(name: str, day: str | None) -> str:
    return _element(name, f"{day}T00:00:00") if day else ""


def _period(session: Document) -> str:
    days = _day("startDate", session.get("start")), _day("endDate", session.get("end"))
    return _element("temporal", *days) if any(days) else ""


def _price(session: Document) -> str:
    if "cents" not in session:
        return ""
    unit = _element("unit", uri=CURRENCY + session["currency"])
    value = _element("value", amount(session["cents"]))
    return _element("priceDetail", _element("amount", unit, value))


def _provider(key: str, name: str) -> str:
    home = _element("location", idref=f"urn:waymark:home:{key}")
    legal = _element("legalName", _text(name), language="en")
    return _element("organisation", legal, home, id=f"urn:waymark:organisation:{key}")


def _location(key: str, place: tuple[Any, ...]) -> str:
    town, postcode, nuts, *degrees = place
    address = _element("noteLiteral", _text(f"{postcode} {town}".strip()), language="en")
    country = three_letters(nuts[:2]) or _UNKNOWN_COUNTRY
    latitude, longitude = [*degrees, "", ""][:2]
    geometry = ""
    if latitude != "":
        there = _element("clv:longitude", str(longitude)) + _element("clv:latitude", str(latitude))
        geometry = _element("locn:geometry", there)
    return _element(
        "location",
        _element("geographicName", _text(town), language="en") if town else "",
        _element("spatialCode", uri=f"http://data.europa.eu/nuts/code/{nuts}") if nuts else "",
        _element(
            "address",
            _element("fullAddress", address) if postcode else "",
            _element("countryCode", uri=COUNTRY + country),
        ),
        geometry,
        id=key,
    )
