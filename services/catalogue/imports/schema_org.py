"""Feeds in schema.org JSON-LD: Course and EducationalOccupationalProgram.

Streamed: one course is in memory at a time, and the nodes of a graph that stand apart from their course,
which must stand before it. A CourseInstance becomes a session; a program is its own session. The id is the
first of `identifier`, `@id`, `courseCode` and `url`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.features import KINDS, features, module
from services.catalogue.domain.findings import Findings
from services.catalogue.imports import countries, json_ld, json_records, leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, Bounded, Context, Raw
from services.catalogue.imports.json_ld import Node, by_language, many, name_of, nodes, string, strings, types
from services.catalogue.imports.offerings import Offerings

CONTAINERS = frozenset(("@graph", "graph", "itemListElement", "dataFeedElement"))
PROGRAMS = frozenset(("EducationalOccupationalProgram", "WorkBasedProgram"))
COURSES = PROGRAMS | {"Course"}
INSTANCE = "CourseInstance"
# Nodes that a graph may hold beside its courses; others are records that are rejected.
BESIDE = frozenset(
    (
        *("AdministrativeArea", "AggregateOffer", "BreadcrumbList", "City", "CollegeOrUniversity", "Country"),
        *("DefinedTerm", "DefinedTermSet", "EducationalOrganization", "GeoCoordinates", "ImageObject"),
        *("LocalBusiness", "Offer", "Organization", "Person", "Place", "PostalAddress", "PropertyValue"),
        *("Schedule", "School", "UnitPriceSpecification", "VirtualLocation", "WebPage", "WebSite", INSTANCE),
    )
)
# Fields in which references are followed.
FOLLOWED = frozenset(
    ("hasCourseInstance", "offers", "location", "address", "geo", "courseSchedule", "priceSpecification")
)
OWN_SESSION = ("startDate", "endDate", "applicationDeadline", "offers", "educationalProgramMode", "location")
CLOSED = frozenset(("SoldOut", "Discontinued", "OutOfStock"))
CANCELLED = "EventCancelled"
TAKING_PLACE = frozenset(("EventScheduled", "EventRescheduled", "EventMovedOnline"))
MODES: dict[str, int] = {
    "online": CourseMode.COURSE_MODE_ONLINE,
    "mooc": CourseMode.COURSE_MODE_ONLINE,
    "remote": CourseMode.COURSE_MODE_ONLINE,
    "onlineeventattendancemode": CourseMode.COURSE_MODE_ONLINE,
    "onsite": CourseMode.COURSE_MODE_ON_SITE,
    "inperson": CourseMode.COURSE_MODE_ON_SITE,
    "classroom": CourseMode.COURSE_MODE_ON_SITE,
    "offline": CourseMode.COURSE_MODE_ON_SITE,
    "offlineeventattendancemode": CourseMode.COURSE_MODE_ON_SITE,
    "blended": CourseMode.COURSE_MODE_BLENDED,
    "hybrid": CourseMode.COURSE_MODE_BLENDED,
    "mixedeventattendancemode": CourseMode.COURSE_MODE_BLENDED,
    "distance": CourseMode.COURSE_MODE_DISTANCE,
    "correspondence": CourseMode.COURSE_MODE_DISTANCE,
}
_OFFER = """offers/price offers/priceCurrency offers/lowPrice offers/availability offers/validFrom
    offers/validThrough offers/priceSpecification/price offers/priceSpecification/priceCurrency
    offers/priceSpecification/valueAddedTaxIncluded"""
_SESSION = f"""{_OFFER} inLanguage/* courseMode/* eventAttendanceMode eventStatus startDate endDate
    courseSchedule/startDate courseSchedule/endDate maximumAttendeeCapacity location location/address
    location/address/addressLocality location/address/addressRegion location/address/addressCountry/*
    location/address/postalCode location/geo/latitude location/geo/longitude"""
_COURSE = """additionalType identifier/* name/* description/* url keywords/* about/* teaches/*
    educationalLevel/* educationalAlignment/* occupationalCategory/* hasPart/name/* hasPart/educationalLevel/*
    audience/audienceType/* spatialCoverage/name/* educationalCredentialAwarded/recognizedBy/name/*"""
_INSTANCE = " ".join(f"hasCourseInstance/{path}" for path in ("identifier/*", *_SESSION.split()))
_PROGRAM = "educationalProgramMode/* applicationStartDate applicationDeadline maximumEnrollment"
CARRIED = {
    False: leftovers.Carried(f"{_COURSE} courseCode inLanguage/* {_OFFER} {_INSTANCE}"),
    True: leftovers.Carried(f"{_COURSE} {_SESSION} {_PROGRAM}"),
}
_MONTH = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
_EQF = re.compile(r"\bEQF\b\D{0,20}([1-8])\b|/eqf/([1-8])\b", re.IGNORECASE)
_REGION = re.compile(r"[A-Z]{2}[A-Z0-9]{1,3}")


class Content(NamedTuple):
    """A node, its language, and the (field, id) of references that lead nowhere."""

    node: Node
    language: str
    missing: list[tuple[str, str]]


class SchemaOrg(json_records.JsonReader):
    """Reader of schema.org JSON-LD."""

    revision = "schema-org-5"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per course, and per object that is neither a course nor of use for one."""
        apart = json_ld.References(frozenset((INSTANCE,)))
        for value, context, line in json_records.cut(stream, CONTAINERS):
            node = json_ld.normal(value)
            if isinstance(node, dict) and "item" in node and not COURSES.intersection(types(node)):
                node = node["item"]  # of a list
            kinds = types(node)
            if COURSES.isdisjoint(kinds) and BESIDE.intersection(kinds):
                apart.keep(node, line)
                continue
            node, missing = apart.resolved(node if isinstance(node, dict) else {}, FOLLOWED)
            yield _raw(node, line, context, missing)
            stream.record_done()
        for left in apart.left(INSTANCE):
            yield _raw(left.node, left.line, None, [])

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a course or program."""
        node, language, missing = raw.content
        kinds = types(node)
        if COURSES.isdisjoint(kinds):
            findings.error(
                "TYPE_UNKNOWN",
                "@type",
                " ".join(kinds),
                "This is neither a course nor anything that a course of the file refers to.",
                f"Write {' or '.join(sorted(COURSES))}; refer to a session in `hasCourseInstance`.",
            )
            return {}
        is_program = not PROGRAMS.isdisjoint(kinds)
        leftovers.tell(leftovers.of_node(node, CARRIED[is_program]), context, findings)
        for name, key in missing:
            _unresolved(name, key, findings)
        default = language or context.default_language
        return {
            "titles": values.titles(by_language(node.get("name"), default), default, "name", findings),
            "descriptions": values.texts(
                by_language(node.get("description"), default), values.MAX_DESCRIPTION, "description", findings
            ),
            "kind": next((kind for kind in strings(node.get("additionalType")) if kind in KINDS), "course"),
            "eqf_level": _eqf_level(node, context, findings),
            "url": values.web_address(string(node.get("url")), "url", findings),
            "subjects": _subjects(node, findings),
            "occupations": _occupations(node, context, findings),
            "offerings": _offerings(node, course, is_program, context, findings),
            **features(
                map(_module, nodes(node.get("hasPart"))),
                _names(node, "audience", "audienceType"),
                _names(node, "spatialCoverage", "name"),
            ),
            **_awarding_body(node, context, findings),
        }


def _raw(node: Node, line: int, context: Any, missing: list[tuple[str, str]]) -> Raw:
    own = node.get("@id")
    candidates = [
        node.get("identifier"),
        own if isinstance(own, str) and not own.startswith("_:") else None,
        node.get("courseCode"),
        node.get("url"),
    ]
    key = next(filter(None, map(string, candidates)), "")
    language = json_ld.language_of(node.get("@context")) or json_ld.language_of(context)
    raw = b"\n".join((language.encode(errors="replace"), json_ld.dumped(node)))
    return Raw(key if len(key) <= MAX_ID else "", line, raw, Content(node, language, missing))


def _unresolved(name: str, key: str, findings: Findings) -> None:
    findings.warning(
        "REFERENCE_UNRESOLVED",
        name,
        key,
        "No node with this id stands before the course, or the course refers to too many.",
        "Put what a course refers to before it, or write it within the course.",
    )


def _eqf_level(node: Node, context: Context, findings: Findings) -> int:
    said = many(node.get("educationalLevel"))
    for each in (*said, *many(node.get("educationalAlignment"))):
        if isinstance(each, dict) and "eqf" in string(each.get("inDefinedTermSet")).lower():
            code = string(each.get("termCode"))
            if code in tuple("12345678"):
                return int(code)
        keys = ("name", "url", "@id", "targetName", "targetUrl") if isinstance(each, dict) else ()
        texts = [string(each.get(key)) for key in keys] or [string(each)]
        for text in texts:
            if match := _EQF.search(text):
                return int(match.group(1) or match.group(2))
    left = (("educationalLevel", string(each)) for each in said if string(each))
    leftovers.tell(left, context, findings)
    return 0


def _subjects(node: Node, findings: Findings) -> list[str]:
    """Keywords, of which one text may hold several apart by commas, and what the course is about.

    A field of ISCED-F comes as an alignment; an alignment to an EQF level is none of them.
    """
    found = [word for text in strings(node.get("keywords")) for word in text.split(",")]
    for name in ("about", "teaches"):
        found += strings(node.get(name))
    named = (string(each.get("targetName")) for each in nodes(node.get("educationalAlignment")))
    found += [name for name in named if not _EQF.search(name)]
    return offerings.subjects([word.strip() for word in found], "keywords", findings)


def _module(node: Node) -> Document:
    title, level = string(node.get("name")), string(node.get("educationalLevel"))
    return module(values.plain(title, 200), values.plain(level, 40))


def _names(node: Node, field: str, name: str) -> list[str]:
    """Short texts that the nodes in a field have as `name`."""
    return [values.plain(text, 60) for each in nodes(node.get(field)) for text in strings(each.get(name))]


def _awarding_body(node: Node, context: Context, findings: Findings) -> Document:
    credentials = nodes(node.get("educationalCredentialAwarded"))
    named = [string(body.get("name")) for each in credentials for body in nodes(each.get("recognizedBy"))]
    return offerings.awarding(named, "educationalCredentialAwarded/recognizedBy", context, findings)


def _occupations(node: Node, context: Context, findings: Findings) -> list[Document]:
    """Tags of the concept URIs; categories without one are told."""
    uris, left = [], []
    for each in many(node.get("occupationalCategory")):
        keys = ("url", "@id", "codeValue") if isinstance(each, dict) else ()
        texts = [string(each.get(key)) for key in keys] or [string(each)]
        uri = next((text for text in texts if text.startswith("http")), "")
        if uri:
            uris.append(values.plain(uri, 200))
        elif said := string(each):
            left.append(("occupationalCategory", said))
    leftovers.tell(left, context, findings)
    return offerings.occupations(uris, "occupationalCategory", context, findings)


def _offerings(
    node: Node, course: str, is_program: bool, context: Context, findings: Findings
) -> list[Document]:
    found = Offerings(course, "hasCourseInstance/identifier", findings)
    instances = nodes(node.get("hasCourseInstance"))
    if is_program:
        instances = [node] if any(node.get(key) for key in OWN_SESSION) else []
    elif not instances and node.get("offers"):
        leftovers.tell([("offers (without hasCourseInstance)", "")], context, findings)
    for item in instances:
        if "@id" in item and not set(item) - {"@id", "@type"}:
            continue  # a reference that led nowhere
        session = found.session("" if is_program else _session_id(item))
        mode = _mode(item, context, findings)
        said = name_of(string(item.get("eventStatus")))
        offerings.status(session, said, CANCELLED, TAKING_PLACE, "eventStatus", findings)
        _dates(session, item, findings)
        _offer(session, nodes(item.get("offers")) or nodes(node.get("offers")), findings)
        places = string(item.get("maximumAttendeeCapacity")) or string(item.get("maximumEnrollment"))
        if capacity := values.whole(places, 0, 100_000, "maximumAttendeeCapacity", findings):
            session["capacity"] = capacity
        if item.get("location") or mode not in offerings.AFAR:
            _place(session, item, context, findings)
        spoken = strings(item.get("inLanguage")) or strings(node.get("inLanguage"))
        leftovers.tell_several("inLanguage", len(spoken), context, findings)
        language = values.language(spoken[0], "inLanguage", findings) if spoken else ""
        found.add(mode, language, session)
    return found.documents()


def _session_id(item: Node) -> str:
    own = item.get("@id")
    named = own if isinstance(own, str) and not own.startswith("_:") else ""
    return string(item.get("identifier")) or named


def _mode(item: Node, context: Context, findings: Findings) -> int:
    """The first mode that is known; one that is not is told once a run."""
    found = 0
    for name in ("courseMode", "educationalProgramMode", "eventAttendanceMode"):
        for said in strings(item.get(name)):
            word = re.sub(r"[^a-z]", "", re.split(r"[/#:]", said)[-1].lower())
            found = found or MODES.get(word, 0)
            if word not in MODES and context.once(f"MODE_UNKNOWN {said[:200]}"):
                values.mode_unknown(name, said, "Write Onsite, Online, Blended or Distance.", findings)
    if not found and any("VirtualLocation" in types(each) for each in nodes(item.get("location"))):
        return CourseMode.COURSE_MODE_ONLINE
    return found


def _dates(session: Document, item: Node, findings: Findings) -> None:
    """Days of the session, else of its schedule, and those of application, of a program."""
    schedules = nodes(item.get("courseSchedule"))
    for key, name in (("start", "startDate"), ("end", "endDate")):
        said = next(filter(None, (string(each.get(name)) for each in (item, *schedules))), "")
        if match := _MONTH.fullmatch(said):
            year, month = int(match.group(1)), int(match.group(2)) if match.group(2) else None
            found = values.month_day(year, month, name, findings, last=key == "end")
        else:
            found = values.day(said, name, findings)
        if found:
            session[key] = found
    values.check_order(session, "endDate", findings)
    for key, name in (("apply_from", "applicationStartDate"), ("apply_until", "applicationDeadline")):
        if day := values.day(string(item.get(name)), name, findings, reject=False):
            session[key] = day


def _offer(session: Document, offers: list[Node], findings: Findings) -> None:
    """The first offer with a price, with its days; several prices are told, and an offer that is closed."""
    priced = [(offer, price) for offer in offers if (price := _price(offer))]
    if len({price for _, price in priced}) > 1 or any(offer.get("lowPrice") for offer, _ in priced[:1]):
        shown = ", ".join(" ".join(price[:2]) for _, price in priced)
        values.price_ambiguous("offers/price", shown, findings)
    if priced:
        session.update(_money(*priced[0][1], findings))
    offer = priced[0][0] if priced else next(iter(offers), {})
    for key, name in (("apply_from", "validFrom"), ("apply_until", "validThrough")):
        said = string(offer.get(name))
        if key not in session and (day := values.day(said, f"offers/{name}", findings, reject=False)):
            session[key] = day
    state = name_of(string(offer.get("availability")))
    if state in CLOSED:
        values.enrolment_closed("offers/availability", state, findings)


def _price(offer: Node) -> tuple[str, str, str] | None:
    """Price, currency, and whether VAT is included, as they are written; None without a price."""
    for each in (offer, *nodes(offer.get("priceSpecification"))):
        if price := string(each.get("price")) or string(each.get("lowPrice")):
            currency = string(each.get("priceCurrency")) or string(offer.get("priceCurrency"))
            return price, currency, str(each.get("valueAddedTaxIncluded", "")).lower()
    return None


def _money(price: str, currency: str, vat_included: str, findings: Findings) -> Document:
    if not currency:
        values.currency_missing("offers/priceCurrency", price, findings)
        return {}
    if vat_included == "false":
        values.vat_missing("offers/priceSpecification/valueAddedTaxIncluded", price, findings)
        return {}
    return values.money(price, currency, "offers/price", "offers/priceCurrency", findings)


def _place(session: Document, item: Node, context: Context, findings: Findings) -> None:
    """Where it is. A region that is a NUTS code is taken, else what its country and the source say."""
    location = item.get("location")
    found = [each for each in many(location) if "VirtualLocation" not in types(each)]
    leftovers.tell_several("location", len(found), context, findings)
    if location and not found:
        return
    place: Any = found[0] if found else {}
    address = place.get("address", place) if isinstance(place, dict) else place
    address = next(iter(many(address)), "")
    town, country, region, postcode = string(address), "", "", ""
    if isinstance(address, dict):
        keys = ("addressLocality", "addressCountry", "addressRegion", "postalCode")
        town, country, region, postcode = (string(address.get(key)) for key in keys)
    nuts = region if _REGION.fullmatch(region) and countries.known(region[:2]) else ""
    if region and not nuts:
        leftovers.tell([("location/address/addressRegion", region)], context, findings)
    geo = next(iter(nodes(place.get("geo") if isinstance(place, dict) else None)), {})
    degrees = string(geo.get("latitude")), string(geo.get("longitude"))
    nuts = nuts or countries.region(country, context)
    postcode = values.postcode(postcode, "location/address/postalCode", findings)
    offerings.place(session, town, degrees, nuts, "location/geo", findings, postcode)
