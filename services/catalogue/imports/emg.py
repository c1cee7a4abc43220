"""Feeds in EMG 3.0, the XML import of Educations Media Group.

Streamed: one course is in memory at a time, and the locations of its provider. An event becomes a session.
The id of a course is that of its provider and its own with a slash between, since it is unique within its
provider only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from lxml import etree
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports import countries, leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, MAX_RECORD_BYTES, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.offerings import Offerings
from services.catalogue.imports.xml_records import XmlReader, elements, forget, text_of

EMG = "{http://educations.com/XmlImport}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ON_SITE, ONLINE = CourseMode.COURSE_MODE_ON_SITE, CourseMode.COURSE_MODE_ONLINE
BLENDED, DISTANCE = CourseMode.COURSE_MODE_BLENDED, CourseMode.COURSE_MODE_DISTANCE
# Words in the free text of deliveryMethod; the first that is found decides, else the type of the event.
DELIVERY = (
    ("blended", BLENDED),
    ("hybrid", BLENDED),
    ("mixed", BLENDED),
    ("online", ONLINE),
    ("e-learning", ONLINE),
    ("elearning", ONLINE),
    ("virtual", ONLINE),
    ("webinar", ONLINE),
    ("distance", DISTANCE),
    ("class", ON_SITE),
    ("in-house", ON_SITE),
    ("inhouse", ON_SITE),
    ("campus", ON_SITE),
)
EVENT_TYPES = {"LocationEvent": ON_SITE, "AreaEvent": ON_SITE, "DistanceEvent": DISTANCE}
LANGUAGES = {
    "Afrikaans": "af",
    "Arabic": "ar",
    "Balinese": "ban",
    "Basque": "eu",
    "Buginese": "bug",
    "Bulgarian": "bg",
    "Catalan": "ca",
    "Chinese": "zh",
    "Croatian": "hr",
    "Czech": "cs",
    "Danish": "da",
    "Dutch": "nl",
    "English": "en",
    "Estonian": "et",
    "Filipino": "fil",
    "Finnish": "fi",
    "French": "fr",
    "Frisian": "fy",
    "Georgian": "ka",
    "German": "de",
    "Greek": "el",
    "Hebrew": "he",
    "Hindi": "hi",
    "Hungarian": "hu",
    "Indonesian": "id",
    "Italian": "it",
    "Japanese": "ja",
    "Javanese": "jv",
    "Khmer": "km",
    "Korean": "ko",
    "Latin": "la",
    "Latvian": "lv",
    "Norwegian": "no",
    "Persian": "fa",
    "Polish": "pl",
    "Portuguese": "pt",
    "Romanian": "ro",
    "Russian": "ru",
    "Sami": "se",
    "Sanskrit": "sa",
    "Serbian": "sr",
    "Slovakian": "sk",
    "Slovenian": "sl",
    "Somali": "so",
    "Spanish": "es",
    "Sundanese": "su",
    "Swedish": "sv",
    "Tamil": "ta",
    "Thai": "th",
    "Tibetan": "bo",
    "Turkish": "tr",
    "Urdu": "ur",
    "Vietnamese": "vi",
}
CURRENCIES = {"RMB": "CNY"}  # where the format differs from ISO 4217
CARRIED = leftovers.place(
    """@uniqueIdentifier @name link contentFields/* keywords/* categories/* application@startDate
    application@endDate events/event@uniqueIdentifier events/event@type events/event@deliveryMethod
    events/event@language events/event@locationUID events/event@place events/event/start@type
    events/event/start@startDate events/event/start@endDate events/event/start@year events/event/start@month
    events/event/start@semester events/event/start@description events/event/price@price
    events/event/price@currency events/event/price@vat events/event/price@vatIncluded
    events/event/applicationInfo@startDate events/event/applicationInfo@endDate
    events/event/lastApplicationDate/*"""
)
LOCATION_CARRIED = leftovers.place(
    """location@uniqueIdentifier location/place location/visitingAddress@city location/visitingAddress@country
    location/visitingAddress@zip location/coordinates@latitude location/coordinates@longitude""",
    "location",
)
_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d{1,2}")


class Location(NamedTuple):
    """A location of a provider, its XML, and what of it is not carried."""

    town: str
    country: str
    postcode: str
    degrees: tuple[str, str]
    raw: bytes
    left: tuple[tuple[str, str], ...]


class Content(NamedTuple):
    """A course with the locations that its events name."""

    element: Any
    locations: dict[str, Location]


class Emg(XmlReader):
    """Reader of EMG 3.0."""

    revision = "emg-2"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per `course`; its content is a Content."""
        tags = f"{EMG}course", f"{EMG}location"
        provider, known, size = "", dict[str, Location](), 0
        for element in elements(stream, (f"{EMG}import",), tags, _no_import):
            of = _provider(element)
            if of != provider:
                provider, known, size = of, {}, 0
            if element.tag == f"{EMG}location":
                location = _location(element)
                size += len(location.raw)
                if size > MAX_RECORD_BYTES:
                    raise _too_many_locations(element.sourceline or 0)
                known[element.get("uniqueIdentifier", "")] = location
                continue
            yield _raw(element, provider, known)
            stream.record_done()
            forget(element)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a course element."""
        element = raw.content.element
        leftovers.tell(leftovers.of_element(element, CARRIED, context.told), context, findings)
        language = context.default_language
        title = values.title(element.get("name", ""), "@name", findings)
        path = "contentFields/field"
        description = values.prose(_description(element), values.MAX_DESCRIPTION, path, findings)
        subjects = [word.text or "" for word in element.iterfind(f"{EMG}keywords/{EMG}keyword")]
        subjects += [each.get("name", "") for each in element.iterfind(f"{EMG}categories/{EMG}category")]
        return {
            "titles": {language: title},
            "descriptions": {language: description} if description else {},
            "kind": "course",
            "eqf_level": 0,
            "url": values.web_address(text_of(element, f"{EMG}link"), "link", findings),
            "subjects": offerings.subjects(subjects, "keywords", findings),
            "occupations": [],
            "offerings": _offerings(raw.content, course, context, findings),
        }


def _no_import(root: str) -> FeedBroken:
    return FeedBroken(
        "NO_EMG_IMPORT", 1, "This is no EMG 3.0 file.", "Its root must be an `import` of version 3.0.", root
    )


def _too_many_locations(line: int) -> FeedBroken:
    return FeedBroken(
        "LOCATIONS_TOO_LARGE",
        line,
        f"The locations of one provider are larger than {MAX_RECORD_BYTES >> 20} MiB.",
        "Leave out locations that no event names.",
    )


def _provider(element: Any) -> str:
    found = next(element.iterancestors(f"{EMG}provider"), None)
    return "" if found is None else found.get("uniqueIdentifier", "")


def _raw(element: Any, provider: str, known: dict[str, Location]) -> Raw:
    """Cuts out a course with the locations that it names: when one of them changes, it has changed too."""
    own = element.get("uniqueIdentifier", "").strip()
    key = f"{provider.strip()}/{own}" if own else ""
    named = {each.get("locationUID", "") for each in element.iterfind(f"{EMG}events/{EMG}event")}
    locations = {name: known[name] for name in sorted(named) if name in known}
    raw = etree.tostring(element, with_tail=False) + b"".join(each.raw for each in locations.values())
    usable = key if len(key) <= MAX_ID else ""
    return Raw(usable, element.sourceline or 0, raw, Content(element, locations))


def _location(element: Any) -> Location:
    address, degrees = element.find(f"{EMG}visitingAddress"), element.find(f"{EMG}coordinates")
    here = {} if address is None else address.attrib
    there = {} if degrees is None else degrees.attrib
    return Location(
        here.get("city", "") or text_of(element, f"{EMG}place"),
        here.get("country", ""),
        here.get("zip", ""),
        (there.get("latitude", ""), there.get("longitude", "")),
        etree.tostring(element, with_tail=False),
        tuple(leftovers.of_element(element, LOCATION_CARRIED)),
    )


def _description(element: Any) -> str:
    """All content fields, the description first, others after their name."""
    texts: list[str] = []
    for field in element.iterfind(f"{EMG}contentFields/{EMG}field"):
        name, text = field.get("name", "").strip(), "".join(field.itertext()).strip()
        if name == "description":
            texts.insert(0, text)
        elif text:
            texts.append(f"{name}: {text}")
    return " ".join(texts)


def _offerings(content: Content, course: str, context: Context, findings: Findings) -> list[Document]:
    found = Offerings(course, "events/event@uniqueIdentifier", findings)
    window = content.element.find(f"{EMG}application")
    if window is not None and content.element.find(f"{EMG}events/{EMG}event") is None:
        days = f"{window.get('startDate', '')} {window.get('endDate', '')}"
        leftovers.tell([("application (without events)", days)], context, findings)
    for event in content.element.iterfind(f"{EMG}events/{EMG}event"):
        session = found.session(event.get("uniqueIdentifier", ""))
        mode = _mode(event, context, findings)
        _dates(session, event, context, findings)
        _enrolment(session, window, event, findings)
        session.update(_price(event.find(f"{EMG}price"), context, findings))
        if mode in (ON_SITE, BLENDED):
            _place(session, event, content.locations, context, findings)
        found.add(mode, _language(event, findings), session)
    return found.documents()


def _type(element: Any) -> str:
    """The type that an element says it has, without prefix."""
    found: str = element.get(TYPE, "").rpartition(":")[2].strip()
    return found


def _mode(event: Any, context: Context, findings: Findings) -> int:
    said = event.get("deliveryMethod", "")
    lowered = said.lower()
    for word, mode in DELIVERY:
        if word in lowered:
            return mode
    if context.once(f"MODE_UNKNOWN {said[:200]}"):
        remedy = "Write one like Open class, Online or Blended; until then the type of the event decides."
        values.mode_unknown("events/event@deliveryMethod", said, remedy, findings)
    return EVENT_TYPES.get(_type(event), 0)


def _language(event: Any, findings: Findings) -> str:
    said = event.get("language", "").strip()
    if said and said not in LANGUAGES:
        findings.warning(
            "LANGUAGE_INVALID",
            "events/event@language",
            said,
            "The format has no such language.",
            "Write its English name as the XSD lists it, like Dutch.",
        )
    return LANGUAGES.get(said, "")


def _dates(session: Document, event: Any, context: Context, findings: Findings) -> None:
    start = event.find(f"{EMG}start")
    kind = "" if start is None else _type(start)
    path = "events/event/start"
    if kind == "Fixed":
        for key, name in (("start", "startDate"), ("end", "endDate")):
            if found := values.day(start.get(name, ""), f"{path}@{name}", findings):
                session[key] = found
        values.check_order(session, f"{path}@endDate", findings)
    elif (
        kind == "Month"
        and _YEAR.fullmatch(start.get("year", ""))
        and _MONTH.fullmatch(start.get("month", ""))
    ):
        year, month = int(start.get("year")), int(start.get("month")) or 13
        if found := values.month_day(year, month, f"{path}@month", findings, last=False):
            session["start"] = found
    elif kind in ("Month", "Semester", "Text"):
        said = " ".join(start.get(name, "") for name in ("semester", "month", "year", "description"))
        values.date_in_words(" ".join(said.split()), path, findings)
    elif kind != "AlwaysOpen" and context.once(f"START_UNKNOWN {kind[:50]}"):
        findings.add(
            INFO,
            "START_UNKNOWN",
            path,
            kind,
            "An event says no start that can be read; like all such events it counts as open at any time.",
            "Give each event a `start` of type Fixed, or AlwaysOpen.",
        )


def _enrolment(session: Document, window: Any, event: Any, findings: Findings) -> None:
    """The event's own window goes before that of the course, the last day of application before both."""
    own = event.find(f"{EMG}applicationInfo")
    for key, name in (("apply_from", "startDate"), ("apply_until", "endDate")):
        days = [each.get(name, "") for each in (own, window) if each is not None]
        path = f"events/event/applicationInfo@{name}"
        if found := values.day(next(filter(None, days), ""), path, findings, reject=False):
            session[key] = found
    last = event.find(f"{EMG}lastApplicationDate")
    if last is None:
        return
    path = "events/event/lastApplicationDate"
    if found := values.day(text_of(last, f"{EMG}date"), f"{path}/date", findings, reject=False):
        session["apply_until"] = found
    if said := text_of(last, f"{EMG}text"):
        message, remedy = "The last day to apply is given in words only.", "Give it as `date`, YYYY-MM-DD."
        findings.add(INFO, "DEADLINE_IN_WORDS", f"{path}/text", said, message, remedy)


def _price(price: Any, context: Context, findings: Findings) -> Document:
    """The price with VAT; where the feed gives it without, VAT is added and rounded half up to a cent."""
    if price is None:
        return {}
    path = "events/event/price"
    currency = price.get("currency", "").strip()
    if not currency:
        values.currency_missing(f"{path}@currency", price.get("price", ""), findings)
        return {}
    code = values.currency(CURRENCIES.get(currency, currency), f"{path}@currency", findings)
    cents = values.cents(price.get("price", ""), f"{path}@price", findings)
    if code is None or cents is None:
        return {}
    included = price.get("vatIncluded", "").strip()
    if included in ("false", "0"):
        rate = _rate(price.get("vat", ""), findings)
        if rate is None:
            return {}
        cents = int((cents * (100 + rate) / 100).quantize(Decimal(1), ROUND_HALF_UP))
    elif not included and context.once("VAT_UNSAID"):
        findings.add(
            INFO,
            "VAT_UNSAID",
            f"{path}@vatIncluded",
            "",
            "A price does not say whether it includes VAT; all such prices count as including it.",
            'Write vatIncluded="true", or "false" and the rate.',
        )
    return {"currency": code, "cents": cents}


def _rate(said: str, findings: Findings) -> Decimal | None:
    """VAT in percent, None (a warning) when it is none."""
    if re.fullmatch(r"\d{1,3}([.]\d{1,4})?", said.strip(), re.ASCII) and Decimal(said.strip()) <= 100:
        return Decimal(said.strip())
    values.vat_missing("events/event/price@vat", said, findings)
    return None


def _place(
    session: Document, event: Any, locations: dict[str, Location], context: Context, findings: Findings
) -> None:
    if "place" in event.attrib:
        session["town"] = values.plain(event.get("place"), 100)
    uid = event.get("locationUID", "")
    location = locations.get(uid)
    if location is None:
        if uid:
            findings.warning(
                "LOCATION_UNKNOWN",
                "events/event@locationUID",
                uid,
                "No location with this id stands before the course.",
                "Put the locations of a provider before its courses.",
            )
        offerings.place(session, session.get("town", ""), ("", ""), context.default_nuts_code, "", findings)
        return
    leftovers.tell(location.left, context, findings)
    nuts = countries.region(location.country, context)
    code = values.postcode(location.postcode, "location/visitingAddress@zip", findings)
    offerings.place(session, location.town, location.degrees, nuts, "location/coordinates", findings, code)
