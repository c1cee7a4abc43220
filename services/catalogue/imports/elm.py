"""Feeds in the European Learning Model 3.1: its application profile for learning opportunities.

A `learningOpportunity` is a course with one session. What it refers to follows it in the file, so what the
catalogue carries of each is kept on disk until the end, and of what is referred to in memory.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import MAX_VALUE, Findings
from services.catalogue.imports import countries, leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, MAX_KINDS, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.json_records import JsonReader
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
AWARDING = "qualification/awardingOpportunity/awardingBody"
MAX_KEPT = 32 << 20  # bytes of what opportunities refer to, as it is kept
_GEOMETRY = "{http://www.w3.org/ns/locn#}geometry"
_DEGREES = tuple(f"{{http://data.europa.eu/m8g/}}{name}" for name in ("latitude", "longitude"))
_encode = json.JSONEncoder(check_circular=False).encode  # in ASCII, so that whatever a file holds can be kept
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
        ("agent", "agent"),
        *((name, "") for name in ("learningOutcome", "learningAssessmentSpecification", "group")),
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
        qualification/ISCEDFCode/* qualification/educationSubject/* qualification/entitlesTo/*
        qualification/awardingOpportunity/awardingBody/*""",
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
    awarding: list[str]  # names of who awards
    left: list[tuple[str, str]]


@dataclass
class _Kept:
    """What opportunities may refer to as JSON, by kind and id; `told`: kinds of fields in `left`."""

    nodes: dict[str, dict[str, str]] = field(
        default_factory=lambda: {kind: {} for kind in (*CARRIED, "agent")}
    )
    size: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def keep(self, kind: str, key: str, node: str, line: int) -> None:
        """Keeps a node; raises FeedBroken when all together are too large."""
        self.size += len(node)
        if self.size > MAX_KEPT:
            raise FeedBroken(
                "NODES_TOO_LARGE",
                line,
                f"What courses refer to is larger than {MAX_KEPT >> 20} MiB.",
                "Leave out specifications and locations that no opportunity names, or split the file.",
            )
        self.nodes[kind][key] = node

    def named(self, kind: str, keys: Iterable[str]) -> list[str]:
        """Returns the nodes of these ids, `null` for one that is not there."""
        return [self.nodes[kind].get(key, "null") for key in keys]

    def note(self, element: Any, kind: str) -> None:
        """Notes what of an element is not carried, once a path."""
        here = CARRIED.get(kind)
        name = element.tag.removeprefix(ELM)
        for path, value in leftovers.of_element(element, here, self.told) if here else [(name, "")]:
            field_kind = leftovers.kind_of(path)
            if field_kind not in self.told and len(self.told) < MAX_KINDS:
                self.told.add(field_kind)
                self.left.append((path, value[:MAX_VALUE]))


class Elm(JsonReader):
    """Reader of ELM 3.1 (and 3.0) learning opportunities."""

    revision = "elm-3"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per `learningOpportunity`, once the file has ended; its content is a Content."""
        kept = _Kept()
        with SpooledTemporaryFile(_SPOOL, "w+b") as spool:
            for element in elements(stream, (f"{ELM}Courses",), _WANTED, _no_elm):
                parent = element.getparent()
                kind = _CONTAINERS.get(parent.tag) if parent is not None else None
                if kind is None:
                    continue  # a reference to one of them
                line, key = element.sourceline or 0, element.get("id", "")
                parts = _parts(element) if kind else {}
                kept.note(element, kind)
                if kind == "opportunity":
                    spool.write(f"{line} {_encode(_opportunity(key.strip(), parts))}\n".encode())
                elif kind and key:
                    kept.keep(kind, key, _encode(_EXTRACT[kind](key, parts)), line)
                stream.record_done()
                forget(element)
            spool.seek(0)
            for each in spool:
                number, _, own = each.decode().partition(" ")
                yield _raw(int(number), own, kept)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads an opportunity with what it refers to."""
        content: Content = raw.content
        own, specification = content.own, content.specification
        if context.once("what the file says besides"):  # they are of the file, which has ended
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
            **offerings.awarding(content.awarding, AWARDING, context, findings),
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


Parts = Mapping[str, list[Any]]


def _parts(element: Any) -> Parts:
    """The children of an element by name: one look at all of them takes far less than one for each name."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for child in element.iterchildren("*"):
        found[child.tag.removeprefix(ELM)].append(child)
    return found


def _below(found: list[Any], *path: str) -> list[Any]:
    """Elements at a path of names below those found."""
    for name in path:
        found = [child for each in found for child in each.iterchildren(ELM + name)]
    return found


def _opportunity(key: str, parts: Parts) -> Document:
    amounts = _below(parts["priceDetail"], "amount")
    return {
        "id": key,
        "titles": _texts(parts["title"]),
        "descriptions": _texts(parts["description"]),
        "pages": _said(_below(parts["homepage"], "contentUrl")),
        "start": _said(_below(parts["temporal"], "startDate")),
        "end": _said(_below(parts["temporal"], "endDate")),
        "modes": _uris(parts["mode"]),
        "deadlines": _said(parts["applicationDeadline"]),
        "prices": [
            [next(iter(_uris(_below([each], "unit"))), ""), next(iter(_said(_below([each], "value"))), "")]
            for each in amounts
        ],
        "locations": _references(parts["location"]),
        "specification": _references(parts["learningAchievementSpecification"]),
        "activity": _references(parts["learningActivitySpecification"]),
        "language": next(iter(_uris(parts["defaultLanguage"])), ""),
    }


def _specification(key: str, parts: Parts) -> Document:
    subjects = [each.findtext(f"{SKOS}prefLabel") or "" for each in parts["educationSubject"]]
    codes = [f"ISCED-F {uri.rpartition('/')[2]}" for uri in _uris(parts["ISCEDFCode"])]
    levels = [uri for uri in _uris(parts["educationLevel"]) if "/eqf/" in uri]  # those of the EQF
    return {
        "id": key,
        "level": next(iter(_uris(parts["EQFLevel"]) + levels), ""),
        "languages": _uris(parts["language"]),
        "subjects": subjects + codes,
        "entitles": _references(parts["entitlesTo"]),
        "awarding": _references(_below(parts["awardingOpportunity"], "awardingBody")),
    }


def _entitlement(key: str, parts: Parts) -> Document:
    return {"id": key, "occupations": _uris(parts["limitOccupation"])}


def _location(key: str, parts: Parts) -> Document:
    return {
        "id": key,
        "town": next(iter(_said(parts["geographicName"])), ""),
        "address": " ".join(_said(_below(parts["address"], "fullAddress", "noteLiteral"))),
        "codes": _uris(parts["spatialCode"]) + _uris(_below(parts["address"], "countryCode")),
        "degrees": [
            next(iter(_said([degree for each in parts[_GEOMETRY] for degree in each.iter(name)])), "")
            for name in _DEGREES
        ],
    }


def _agent(key: str, parts: Parts) -> Document:
    names = _texts(parts["legalName"])
    return {"id": key, "name": names.get("en") or next(iter(names.values()), "")}


_EXTRACT = {
    "specification": _specification,
    "activity": lambda key, parts: {"id": key, "languages": _uris(parts["language"])},
    "entitlement": _entitlement,
    "location": _location,
    "agent": _agent,
}


def _said(found: list[Any]) -> list[str]:
    """Texts that are not empty."""
    return [text for each in found if (text := (each.text or "").strip())]


def _texts(found: list[Any]) -> dict[str, str]:
    """Texts by the language that they say; of a language the first."""
    texts: dict[str, str] = {}
    for each in found:
        if text := (each.text or "").strip():
            texts.setdefault(each.get("language", "").strip(), text)
    return texts


def _uris(found: list[Any]) -> list[str]:
    return [uri for each in found if (uri := each.get("uri", "").strip())]


def _references(found: list[Any]) -> list[str]:
    return [key for each in found if (key := each.get("idref", "").strip())]


# --- reading


def _raw(line: int, text: str, kept: _Kept) -> Raw:
    """Joins an opportunity (JSON) with what it refers to: when one of these changes, it has changed too."""
    own: Document = json.loads(text)
    said = [kept.named(kind, own[kind][:1]) for kind in ("specification", "activity")]
    specification, activity = (json.loads(each[0]) or {} if each else {} for each in said)
    locations = kept.named("location", own["locations"])
    entitled = kept.named("entitlement", specification.get("entitles", ()))
    occupations = [uri for each in entitled for uri in (json.loads(each) or {}).get("occupations", ())]
    agents = kept.named("agent", specification.get("awarding", ()))
    awarding = [(json.loads(each) or {}).get("name", "") for each in agents]
    beside = list(map(json.loads, locations)), occupations, awarding, kept.left
    content = Content(own, specification, activity, *beside)
    raw = "\n".join(chain([text], *said, locations, entitled, agents)).encode()
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
