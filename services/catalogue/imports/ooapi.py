"""Feeds of the Open Education API 6: courses and programmes, each with its offerings put into it.

A file is an object a line, as the puller writes it (`courseOfferings` and `programmeOfferings` hold what the
API answers for them), or a page of the API with its `items`. An offering becomes a session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports import countries, json_ld, leftovers, offerings, values
from services.catalogue.imports.feed import Bounded, Context, Raw
from services.catalogue.imports.json_ld import Node, many, nodes, string, strings
from services.catalogue.imports.json_records import JsonReader
from services.catalogue.imports.offerings import Offerings

CONTAINERS = frozenset(("items",))
IDS = ("courseId", "programmeId")
SESSIONS = ("courseOfferings", "programmeOfferings")
SESSION_IDS = ("courseOfferingId", "programmeOfferingId")
MODES: dict[str, int] = {
    "presential": CourseMode.COURSE_MODE_ON_SITE,
    "work_based": CourseMode.COURSE_MODE_ON_SITE,
    "online": CourseMode.COURSE_MODE_ONLINE,
    "coil": CourseMode.COURSE_MODE_ONLINE,
    "blended": CourseMode.COURSE_MODE_BLENDED,
    "hybrid": CourseMode.COURSE_MODE_BLENDED,
}
WRITE_A_MODE = "Write presential, online, blended, hybrid or work_based."
LEVELS = {
    **{f"eqf_{level}": level for level in range(1, 9)},
    **{f"secondary_vocational_education_{level}": level for level in range(1, 5)},
    "nlqf_4plus": 4,
    "associate_degree": 5,
    "bachelor": 6,
    "master": 7,
    "doctoral": 8,
}
UNKNOWN_LEVELS = ("eqf_0", "undefined", "undivided")
ABSENT = "concept"  # nobody can book it yet
CLOSED = "inactive"
CANCELLED = "cancelled"
TOTAL = "total_costs"
PLACES = ("teaching", "visit")  # types of address at which a course may be held
_SESSION = """courseOfferingId programmeOfferingId state teachingLanguages modesOfDelivery maxNumberStudents
    startDateTime endDateTime enrolmentPeriods/startDateTime enrolmentPeriods/endDateTime
    priceInformation/amount priceInformation/currency priceInformation/costType
    addresses/addressType addresses/city addresses/postCode addresses/countryCode/*
    addresses/geolocation/*"""
CARRIED = leftovers.Carried(
    """courseId programmeId name/* description/* link fieldsOfStudy level levelOfQualification
    teachingLanguages modesOfDelivery addresses/addressType addresses/city addresses/postCode
    addresses/countryCode/* addresses/geolocation/* """
    + " ".join(f"{name}/{path}" for name in SESSIONS for path in _SESSION.split())
)


class Ooapi(JsonReader):
    """Reader of OOAPI 6."""

    revision = "ooapi-3"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Returns a record per course or programme; its content is the object."""
        return json_ld.objects(stream, CONTAINERS, IDS)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a course or programme."""
        node: Node = raw.content
        leftovers.tell(leftovers.of_node(node, CARRIED), context, findings)
        default = context.default_language
        fields = [f"ISCED-F {code}" for code in strings(node.get("fieldsOfStudy"))]
        return {
            "titles": values.titles(_texts(node.get("name"), default), default, "name", findings),
            "descriptions": values.texts(
                _texts(node.get("description"), default), values.MAX_DESCRIPTION, "description", findings
            ),
            "kind": "course",
            "eqf_level": _level(node, findings),
            "url": values.web_address(string(node.get("link")), "link", findings),
            "subjects": offerings.subjects(fields, "fieldsOfStudy", findings),
            "occupations": [],
            "offerings": _offerings(node, course, context, findings),
        }


def _texts(value: Any, default: str) -> Mapping[str, str]:
    """Texts by the tag of their language; of a language the first."""
    found: dict[str, str] = {}
    for each in many(value):
        if isinstance(each, dict):
            tag, text = string(each.get("language")) or default, string(each.get("value"))
        else:
            tag, text = default, string(each)
        if text:
            found.setdefault(tag, text)
    return found


def _level(node: Node, findings: Findings) -> int:
    for name in ("levelOfQualification", "level"):
        said = string(node.get(name))
        if said in LEVELS:
            return LEVELS[said]
        if said and name == "levelOfQualification" and said not in UNKNOWN_LEVELS:
            message, remedy = "No EQF level is known for this one.", "Use eqf_1 to eqf_8."
            findings.warning("LEVEL_UNKNOWN", name, said, message, remedy)
    return 0


def _offerings(node: Node, course: str, context: Context, findings: Findings) -> list[Document]:
    found = Offerings(course, "courseOfferingId", findings)
    for item in (each for name in SESSIONS for each in nodes(node.get(name))):
        if _absent(item, context, findings):
            continue
        session = found.session(json_ld.first(item, SESSION_IDS))
        if string(item.get("state")) == CANCELLED:
            session["cancelled"] = True
        ways = strings(item.get("modesOfDelivery")) or strings(node.get("modesOfDelivery"))
        mode = offerings.mode(ways, MODES, "modesOfDelivery", WRITE_A_MODE, context, findings)
        for name, path in (("start", "startDateTime"), ("end", "endDateTime")):
            if day := values.day(string(item.get(path)), f"courseOfferings/{path}", findings):
                session[name] = day
        values.check_order(session, "courseOfferings/endDateTime", findings)
        _enrolment(session, item, context, findings)
        session.update(_price(nodes(item.get("priceInformation")), findings))
        places = string(item.get("maxNumberStudents"))
        if capacity := values.whole(places, 0, 100_000, "courseOfferings/maxNumberStudents", findings):
            session["capacity"] = capacity
        if mode not in offerings.AFAR:
            _place(session, item, node, context, findings)
        spoken = strings(item.get("teachingLanguages")) or strings(node.get("teachingLanguages"))
        leftovers.tell_several("teachingLanguages", len(spoken), context, findings)
        language = values.language(spoken[0], "teachingLanguages", findings) if spoken else ""
        found.add(mode, language, session)
    return found.documents()


def _absent(item: Node, context: Context, findings: Findings) -> bool:
    state = string(item.get("state"))
    if state == CLOSED:
        values.enrolment_closed("courseOfferings/state", state, findings)
    if state != ABSENT:
        return False
    if context.once("SESSION_LEFT_OUT"):
        findings.add(
            INFO,
            "SESSION_LEFT_OUT",
            "courseOfferings/state",
            state,
            "Nobody can book an offering in this state, so all such offerings of the file are left out.",
            "Make it active when it can be booked.",
        )
    return True


def _enrolment(session: Document, item: Node, context: Context, findings: Findings) -> None:
    periods = nodes(item.get("enrolmentPeriods"))
    path = "courseOfferings/enrolmentPeriods"
    leftovers.tell_several(path, len(periods), context, findings)
    for period in periods[:1]:
        for name, key in (("apply_from", "startDateTime"), ("apply_until", "endDateTime")):
            said = string(period.get(key))
            if day := values.day(said, f"{path}/{key}", findings, reject=False):
                session[name] = day


def _price(costs: list[Node], findings: Findings) -> Document:
    """The total cost with VAT, else the first amount; several different ones are told."""
    priced = [each for each in costs if string(each.get("amount"))]
    total = [each for each in priced if string(each.get("costType")) == TOTAL] or priced
    if not total:
        return {}
    path = "courseOfferings/priceInformation"
    if len({string(each.get("amount")) for each in total}) > 1:
        shown = ", ".join(string(each.get("amount")) for each in total[:10])
        values.price_ambiguous(f"{path}/amount", shown, findings)
    amount, currency = string(total[0].get("amount")), string(total[0].get("currency"))
    if not currency:
        values.currency_missing(f"{path}/currency", amount, findings)
        return {}
    return values.money(amount, currency, f"{path}/amount", f"{path}/currency", findings)


def _place(session: Document, item: Node, node: Node, context: Context, findings: Findings) -> None:
    """The address at which an offering is taught, else of its course."""
    found = nodes(item.get("addresses")) or nodes(node.get("addresses"))
    held = [each for each in found if string(each.get("addressType")) in PLACES]
    leftovers.tell_several("courseOfferings/addresses", len(held), context, findings)
    address: Node = held[0] if held else {}
    country = address.get("countryCode")
    codes = country if isinstance(country, dict) else {}
    code = string(codes.get("iso3166-1-alpha2")) or countries.two_letters(
        string(codes.get("iso3166-1-alpha3"))
    )
    geo = address.get("geolocation")
    there = geo if isinstance(geo, dict) else {}
    degrees = string(there.get("latitude")), string(there.get("longitude"))
    region = countries.region(code, context)
    path = "courseOfferings/addresses/geolocation"
    postcode = values.postcode(
        string(address.get("postCode")), "courseOfferings/addresses/postCode", findings
    )
    offerings.place(session, string(address.get("city")), degrees, region, path, findings, postcode)
