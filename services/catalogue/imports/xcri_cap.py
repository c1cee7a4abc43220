"""Feeds in XCRI-CAP 1.2 (eXchanging Course Related Information, Course Advertising Profile; CEN EN 15982
MLO).

Streamed: one course is in memory at a time. A presentation becomes a session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports import leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.offerings import Offerings
from services.catalogue.imports.xml_records import XmlReader, elements, forget, text_of

XCRI = "{http://xcri.org/profiles/1.2/catalog}"
DC = "{http://purl.org/dc/elements/1.1/}"
DCT = "{http://purl.org/dc/terms/}"
MLO = "{http://purl.org/net/mlo}"
CREDIT = "{http://purl.org/net/cm}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# Codes and texts of attendanceMode (XCRI-CAP vocabulary), first letters of the text in lower case.
ATTENDANCE: dict[str, int] = {
    "cm": CourseMode.COURSE_MODE_ON_SITE,
    "campus": CourseMode.COURSE_MODE_ON_SITE,
    "da": CourseMode.COURSE_MODE_BLENDED,
    "distance with attendance": CourseMode.COURSE_MODE_BLENDED,
    "ds": CourseMode.COURSE_MODE_DISTANCE,
    "distance without attendance": CourseMode.COURSE_MODE_DISTANCE,
    "self-study": CourseMode.COURSE_MODE_DISTANCE,
    "nc": CourseMode.COURSE_MODE_ON_SITE,
    "face-to-face non-campus": CourseMode.COURSE_MODE_ON_SITE,
    "mm": CourseMode.COURSE_MODE_BLENDED,
    "mixed mode": CourseMode.COURSE_MODE_BLENDED,
    "on": CourseMode.COURSE_MODE_ONLINE,
    "online": CourseMode.COURSE_MODE_ONLINE,
    "wb": CourseMode.COURSE_MODE_ON_SITE,
    "work-based": CourseMode.COURSE_MODE_ON_SITE,
}
# Referencing of the Scottish framework to the EQF.
SCQF_TO_EQF = {"3": 1, "4": 2, "5": 3, "6": 4, "7": 5, "8": 5, "9": 6, "10": 6, "11": 7, "12": 8}
CARRIED = leftovers.place(
    """identifier/* title@lang title description/* abstract/* subject/* url credit/scheme credit/level
    qualification/awardedBy
    presentation/identifier/* presentation/start@dtf presentation/end@dtf presentation/applyFrom
    presentation/applyUntil presentation/attendanceMode@identifier presentation/languageOfInstruction
    presentation/cost presentation/venue/provider/location/town
    presentation/venue/provider/location/postcode"""
)
_FEE = re.compile(r"(?:([A-Za-z][A-Za-z ]{0,40}?) fee: ?)?\b([A-Z]{3}) ?(-?\d[\d.,]*\d|-?\d)")


class XcriCap(XmlReader):
    """Reader of XCRI-CAP 1.2."""

    revision = "xcri-cap-4"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per `course`; its content is the element."""
        for element in elements(stream, (f"{XCRI}catalog",), (f"{XCRI}course",), _no_catalog):
            yield _raw(element)
            stream.record_done()
            forget(element)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a course element."""
        element = raw.content
        leftovers.tell(leftovers.of_element(element, CARRIED, context.told), context, findings)
        title, language = _localized(element.find(f"{DC}title"), context, findings)
        title = values.title(title, "dc:title", findings)
        texts = [*element.findall(f"{DC}description"), *element.findall(f"{DCT}description")]
        texts = texts or element.findall(f"{XCRI}abstract")
        text = " ".join(" ".join(part.itertext()) for part in texts)
        description = values.prose(text, values.MAX_DESCRIPTION, "dc:description", findings)
        subjects = [subject.text or "" for subject in element.findall(f"{DC}subject")]
        return {
            "titles": {language: title},
            "descriptions": {language: description} if description else {},
            "kind": "course",
            "eqf_level": _eqf_level(element),
            "url": values.web_address(text_of(element, f"{MLO}url"), "mlo:url", findings),
            "subjects": offerings.subjects(subjects, "dc:subject", findings),
            "occupations": [],
            "offerings": _offerings(element, course, context, findings),
            **_awarding_body(element, context, findings),
        }


def _no_catalog(root: str = "") -> FeedBroken:
    return FeedBroken(
        "NO_CATALOG", 1, "This is no XCRI-CAP 1.2 file.", "Its root must be a 1.2 `catalog`.", root
    )


def _raw(element: Any) -> Raw:
    """Cuts out a course. Its id is the first identifier without a type, else the first of all."""
    identifiers = element.findall(f"{DC}identifier")
    plain = [i for i in identifiers if XSI_TYPE not in i.attrib] or identifiers
    key = (plain[0].text or "").strip() if plain else ""
    raw = etree.tostring(element, with_tail=False)
    return Raw(key if len(key) <= MAX_ID else "", element.sourceline or 0, raw, element)


def _localized(element: Any, context: Context, findings: Findings) -> tuple[str, str]:
    if element is None:
        return "", context.default_language
    language = values.language(element.get(LANG, ""), "xml:lang", findings)
    return "".join(element.itertext()), language or context.default_language


def _awarding_body(element: Any, context: Context, findings: Findings) -> Document:
    named = [each.text or "" for each in element.iterfind(f"{MLO}qualification/{XCRI}awardedBy")]
    return offerings.awarding(named, "qualification/awardedBy", context, findings)


def _eqf_level(element: Any) -> int:
    for credit in element.findall(f"{MLO}credit"):
        if text_of(credit, f"{CREDIT}scheme").upper() == "SCQF":
            return SCQF_TO_EQF.get(text_of(credit, f"{CREDIT}level"), 0)
    return 0


def _offerings(element: Any, course: str, context: Context, findings: Findings) -> list[Document]:
    found = Offerings(course, "presentation/dc:identifier", findings)
    for item in element.iterfind(f"{XCRI}presentation"):
        session = found.session(text_of(item, f"{DC}identifier"))
        path = "mlo:languageOfInstruction"
        spoken = values.language(text_of(item, f"{MLO}languageOfInstruction"), path, findings)
        mode = _mode(item)
        _fill(session, item, mode, context, findings)
        found.add(mode, spoken, session)
    return found.documents()


def _mode(item: Any) -> int:
    found = item.find(f"{XCRI}attendanceMode")
    if found is None:
        return 0
    code = found.get("identifier", "").strip().lower()
    return ATTENDANCE.get(code, ATTENDANCE.get((found.text or "").strip().lower(), 0))


def _fill(session: Document, item: Any, mode: int, context: Context, findings: Findings) -> None:
    for key, tag, path in (
        ("start", f"{MLO}start", "presentation/mlo:start"),
        ("end", f"{XCRI}end", "presentation/end"),
    ):
        if found := _day(item.find(tag), path, findings):
            session[key] = found
    for key, tag in (("apply_from", "applyFrom"), ("apply_until", "applyUntil")):
        text = text_of(item, f"{XCRI}{tag}")
        if found := values.day(text, f"presentation/{tag}", findings, reject=False):
            session[key] = found
    values.check_order(session, "presentation/end", findings)
    session.update(_price(text_of(item, f"{MLO}cost"), findings))
    if mode in (CourseMode.COURSE_MODE_ON_SITE, CourseMode.COURSE_MODE_BLENDED):
        town, code = (text_of(item, f"{XCRI}venue//{MLO}{name}") for name in ("town", "postcode"))
        code = values.postcode(code, "presentation/venue/mlo:postcode", findings)
        offerings.place(session, town, ("", ""), context.default_nuts_code, "", findings, code)


def _day(element: Any, path: str, findings: Findings) -> str | None:
    """Reads a date: the `dtf` attribute, else the text. Text without any digit first is prose, not a date."""
    if element is None:
        return None
    dtf, text = element.get("dtf", "").strip(), "".join(element.itertext()).strip()
    if dtf or text[:4].isdecimal():
        return values.day(dtf or text, path, findings)
    if text:
        values.date_in_words(text, path, findings)
    return None


def _price(text: str, findings: Findings) -> Document:
    """Reads the price out of prose such as `UK fee:

    GBP495.00; Ireland fee: GBP510.00`: home fee, else the first.
    """
    fees = _FEE.findall(text)
    if not fees:
        if text:
            findings.add(
                INFO,
                "PRICE_IN_WORDS",
                "presentation/mlo:cost",
                text,
                "No amount can be read from this.",
                "Write currency and amount, like EUR1250.00.",
            )
        return {}
    if len({fee[1:] for fee in fees}) > 1:
        findings.add(
            INFO,
            "PRICE_AMBIGUOUS",
            "presentation/mlo:cost",
            text,
            "Several prices are given; the first is used, or the one marked UK.",
            "Give one price, or one presentation per price.",
        )
    chosen = next((fee for fee in fees if fee[0].strip() == "UK"), fees[0])
    cents = values.cents(chosen[2].replace(",", ""), "presentation/mlo:cost", findings)
    return {} if cents is None else {"currency": chosen[1], "cents": cents}
