"""Courses that were pushed: a PushedCourse a line, as JSON with the names of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from waymark.catalogue.v1.course_pb2 import CourseMode, SessionStatus

from services.catalogue.domain.courses import Document
from services.catalogue.domain.features import KINDS, MAX_NAME, awarding_body
from services.catalogue.domain.findings import Findings
from services.catalogue.imports import json_ld, offerings, values
from services.catalogue.imports.feed import Bounded, Context, Raw
from services.catalogue.imports.json_ld import nodes, string, strings
from services.catalogue.imports.json_records import JsonReader
from services.catalogue.imports.offerings import Offerings

DAYS = {"start": "start_date", "end": "end_date", "apply_from": "apply_from", "apply_until": "apply_until"}

CANCELLED = SessionStatus.Name(SessionStatus.SESSION_STATUS_CANCELLED)
TAKING_PLACE = frozenset(SessionStatus.keys()) - {CANCELLED}


class Pushed(JsonReader):
    """Reader of pushed courses."""

    revision = "pushed-3"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Returns a record per course; its content is the object."""
        return json_ld.objects(stream, frozenset(), ("external_id",))

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a course."""
        node = raw.content
        default = context.default_language
        kind = string(node.get("kind")) or "course"
        if kind not in KINDS:
            message, remedy = "There is no such kind of course.", f"Write one of {', '.join(KINDS)}."
            findings.error("KIND_UNKNOWN", "kind", kind, message, remedy)
        uris = [values.plain(uri, 200) for uri in strings(node.get("occupations"))]
        limit = values.MAX_DESCRIPTION
        return {
            "titles": values.titles(_texts(node.get("titles")), default, "titles", findings),
            "descriptions": values.texts(_texts(node.get("descriptions")), limit, "descriptions", findings),
            "kind": kind,
            "eqf_level": _level(string(node.get("eqf_level")), findings),
            "url": values.web_address(string(node.get("url")), "url", findings),
            "subjects": offerings.subjects(strings(node.get("subjects")), "subjects", findings),
            "occupations": offerings.occupations(uris, "occupations", context, findings),
            "offerings": _offerings(node, course, context, findings),
            **awarding_body(values.plain(string(node.get("awarding_body")), MAX_NAME)),
        }


def _texts(value: Any) -> Mapping[str, str]:
    found = value.items() if isinstance(value, dict) else ()
    return {tag: text for tag, said in found if (text := string(said))}


def _level(said: str, findings: Findings) -> int:
    if said in ("", "0", *"12345678"):
        return int(said or 0)
    findings.warning("LEVEL_UNKNOWN", "eqf_level", said, "This is no EQF level.", "Write 1 to 8, or 0.")
    return 0


def _offerings(node: Document, course: str, context: Context, findings: Findings) -> list[Document]:
    found = Offerings(course, "sessions/external_id", findings)
    for item in nodes(node.get("sessions")):
        session = found.session(string(item.get("external_id")))
        for key, name in DAYS.items():
            if day := _day(item.get(name), f"sessions/{name}", findings):
                session[key] = day
        values.check_order(session, "sessions/end_date", findings)
        session.update(_price(item.get("price"), findings))
        said = string(item.get("capacity"))
        if capacity := values.whole(said, 0, 100_000, "sessions/capacity", findings):
            session["capacity"] = capacity
        said = string(item.get("status"))
        offerings.status(session, said, CANCELLED, TAKING_PLACE, "sessions/status", findings)
        mode = _mode(string(item.get("mode")), findings)
        if mode not in offerings.AFAR:
            _place(session, item, context, findings)
        language = values.language(string(item.get("language")), "sessions/language", findings)
        found.add(mode, language, session)
    return found.documents()


def _mode(said: str, findings: Findings) -> int:
    if said and said not in CourseMode.keys():  # noqa: SIM118 (an enum, not a dict)
        values.mode_unknown("sessions/mode", said, "Use a CourseMode of the contract.", findings)
        return 0
    return CourseMode.Value(said) if said else 0


def _day(value: Any, path: str, findings: Findings) -> str | None:
    """A google.type.Date as ISO 8601."""
    if not isinstance(value, dict):
        return None
    numbers = [string(value.get(name)) or "0" for name in ("year", "month", "day")]
    try:
        return date(*map(int, numbers)).isoformat()
    except (ValueError, OverflowError):
        message, remedy = "This is no date.", "Give year, month and day of an existing day."
        findings.error("DATE_INVALID", path, "-".join(numbers), message, remedy)
        return None


def _price(value: Any, findings: Findings) -> Document:
    """A google.type.Money in cents; what is finer than a cent is no amount."""
    if not isinstance(value, dict):
        return {}
    units, nanos = string(value.get("units")) or "0", string(value.get("nanos")) or "0"
    currency = string(value.get("currency_code"))
    sign = "-" if "-" in units + nanos else ""
    said = f"{sign}{units.lstrip('-')}.{nanos.lstrip('-').zfill(9)}"
    if not currency:
        values.currency_missing("sessions/price/currency_code", said, findings)
        return {}
    return values.money(said, currency, "sessions/price", "sessions/price/currency_code", findings)


def _place(session: Document, item: Document, context: Context, findings: Findings) -> None:
    there = item.get("location")
    point = there if isinstance(there, dict) else {}
    degrees = (
        (string(point.get("latitude")) or "0", string(point.get("longitude")) or "0") if point else ("", "")
    )
    nuts = values.nuts(string(item.get("nuts_code")), "sessions/nuts_code", findings)
    region = nuts or context.default_nuts_code
    town, code = (
        string(item.get("town")),
        values.postcode(string(item.get("postal_code")), "sessions/postal_code", findings),
    )
    offerings.place(session, town, degrees, region, "sessions/location", findings, code)
