"""The Candidate document of Europass (HR-XML 3.0), as its editor writes it beside a CV: written only.

No schema of it is published, so that nothing here can be held to one: names and places are those that files
of the editor have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry, EntryKind
from waymark.portfolio.v1.holder_pb2 import Holder

from services.portfolio.formats import languages
from services.portfolio.formats.europass import COUNTRIES, WORK
from services.portfolio.formats.format import Cv, Format, Opened
from services.portfolio.formats.texts import as_iso, as_markup, chosen, clean

_NSMAP: Any = {
    None: "http://www.europass.eu/1.0",
    "oa": "http://www.openapplications.org/oagis/9",
    "eures": "http://www.europass_eures.eu/1.0",
    "hr": "http://www.hr-xml.org/3",
}
_LEVELS = {
    "CEF-Understanding-Listening": "listening",
    "CEF-Understanding-Reading": "reading",
    "CEF-Speaking-Interaction": "spoken_interaction",
    "CEF-Speaking-Production": "spoken_production",
    "CEF-Writing-Production": "writing",
}
# Where entries are that are told by title, period, text and address alone.
_LISTED = {
    entries.ENTRY_KIND_PUBLICATION: ("PublicationHistory", "Publication"),
    entries.ENTRY_KIND_PROJECT: ("Projects", "Project"),
}
_AT_A_PLACE = ("title", "organisation", "place", "start_date", "end_date", "description")
_BY_ITSELF = ("kind", "title", "start_date", "end_date", "description", "uri")
SHOWN = (
    "holder.given_name",
    "holder.family_name",
    "holder.birth_date",
    "holder.contact",
    "holder.summary",
    "skill_claims.label",
)
SHOWN_OF_ENTRIES: dict[EntryKind.ValueType, tuple[str, ...]] = {
    entries.ENTRY_KIND_WORK: ("kind", *_AT_A_PLACE),
    entries.ENTRY_KIND_VOLUNTEERING: _AT_A_PLACE,
    entries.ENTRY_KIND_CARE_WORK: _AT_A_PLACE,
    entries.ENTRY_KIND_EDUCATION: ("kind", *_AT_A_PLACE, "education.eqf_level"),
    entries.ENTRY_KIND_LANGUAGE: ("kind", "title", "language"),
    entries.ENTRY_KIND_DRIVING_LICENCE: ("kind", "driving_licence.categories"),
    **dict.fromkeys(_LISTED, _BY_ITSELF),
}


def write(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, UTF-8."""
    root = etree.Element(f"{{{_NSMAP[None]}}}Candidate", nsmap=_NSMAP)
    _put(root, "hr:DocumentID", schemeName="DocumentIdentifier", schemeVersionID="4.0")
    _person(_put(root, "CandidatePerson"), cv)
    profile = _put(root, "CandidateProfile", languageCode=cv.language)
    _put(profile, "hr:ExecutiveSummary", as_markup(chosen(cv.portfolio.holder.summary, cv.language)))
    history = _put(profile, "EmploymentHistory")
    for entry in _of(cv, *WORK):
        _employer(_put(history, "EmployerHistory"), entry, cv.language)
    history = _put(profile, "EducationHistory")
    for entry in _of(cv, entries.ENTRY_KIND_EDUCATION):
        _attendance(_put(history, "EducationOrganizationAttendance"), entry, cv.language)
    licences = _put(profile, "eures:Licenses")
    for entry in _of(cv, entries.ENTRY_KIND_DRIVING_LICENCE):
        for category in entry.driving_licence.categories:
            _put(_put(licences, "eures:License"), "hr:LicenseTypeCode", category)
    qualifications = _put(profile, "PersonQualifications")
    for entry in _of(cv, entries.ENTRY_KIND_LANGUAGE):
        _language(_put(qualifications, "PersonCompetency"), entry)
    for claim in cv.portfolio.skill_claims:
        _competency(_put(qualifications, "PersonCompetency"), "", "skill", chosen(claim.label, cv.language))
    for kind, (several, one) in _LISTED.items():
        listed = _put(profile, several)
        for entry in _of(cv, kind):
            _item(_put(listed, one), entry, cv.language)
    yield etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True, pretty_print=True)


def _of(cv: Cv, *kinds: int) -> Iterator[Entry]:
    return (entry for entry in cv.portfolio.entries if entry.kind in kinds)


def _put(parent: Any, name: str, text: str = "", /, **attributes: str) -> Any:
    """Adds an element, `prefix:Name` or `Name`, and returns it."""
    prefix, _, local = name.rpartition(":")
    element = etree.SubElement(parent, f"{{{_NSMAP[prefix or None]}}}{local}", attributes)
    element.text = clean(text) or None
    return element


def _person(person: Any, cv: Cv) -> None:
    holder: Holder = cv.portfolio.holder
    name, contact = _put(person, "PersonName"), holder.contact
    _put(name, "oa:GivenName", holder.given_name)
    _put(name, "hr:FamilyName", holder.family_name)
    for channel, place, said in (
        ("Telephone", "oa:DialNumber", contact.phone),
        ("Email", "oa:URI", contact.email),
    ):
        if said:
            way = _put(person, "Communication")
            _put(way, "ChannelCode", channel)
            _put(way, place, said)
    if contact.address_lines or contact.postal_code or contact.locality or contact.region_code:
        way = _put(person, "Communication")
        _put(way, "UseCode", "home")
        address = _put(way, "Address", type="home")
        for line in contact.address_lines:
            _put(address, "oa:AddressLine", line)
        _put(address, "oa:CityName", contact.locality)
        _put(address, "CountryCode", COUNTRIES.get(contact.region_code, contact.region_code).lower())
        _put(address, "oa:PostalCode", contact.postal_code)
    if holder.birth_date.day:
        _put(person, "hr:BirthDate", as_iso(holder.birth_date))
    for entry in _of(cv, entries.ENTRY_KIND_LANGUAGE):
        if entry.language.native:
            _put(person, "PrimaryLanguageCode", _code(entry), name="NORMAL")


def _organisation(parent: Any, entry: Entry) -> None:
    _put(parent, "hr:OrganizationName", entry.organisation)
    if entry.place:
        way = _put(_put(parent, "OrganizationContact"), "Communication")
        _put(_put(way, "Address"), "oa:CityName", entry.place)


def _employer(employer: Any, entry: Entry, language: str) -> None:
    _organisation(employer, entry)
    position = _put(employer, "PositionHistory")
    _put(position, "PositionTitle", entry.title, typeCode="FREETEXT")
    _period(_put(position, "eures:EmploymentPeriod"), entry, "eures:")
    _put(position, "oa:Description", as_markup(chosen(entry.description, language)))


def _attendance(attendance: Any, entry: Entry, language: str) -> None:
    _organisation(attendance, entry)
    _period(_put(attendance, "AttendancePeriod"), entry, "")
    if level := entry.education.eqf_level:
        _put(attendance, "EducationLevelCode", str(level))
    degree = _put(attendance, "EducationDegree")
    _put(degree, "hr:DegreeName", entry.title)
    _put(degree, "OccupationalSkillsCovered", as_markup(chosen(entry.description, language)))


def _item(item: Any, entry: Entry, language: str) -> None:
    _put(item, "oa:Title", entry.title)
    _period(_put(item, "Date"), entry, "")
    _put(item, "oa:Description", as_markup(chosen(entry.description, language)))
    if entry.uri:
        _put(item, "Link", entry.uri)


def _period(period: Any, entry: Entry, prefix: str) -> None:
    for place, date in (("StartDate", entry.start_date), ("EndDate", entry.end_date)):
        if date.year:
            _put(_put(period, f"{prefix}{place}"), "hr:FormattedDateTime", as_iso(date))
    if entry.start_date.year:
        _put(period, "hr:CurrentIndicator", str(not entry.end_date.year).lower())


def _language(competency: Any, entry: Entry) -> None:
    _competency(competency, _code(entry), "language", entry.title)
    for code, skill in _LEVELS.items():
        if level := getattr(entry.language, skill):
            dimension = _put(competency, "eures:CompetencyDimension")
            _put(dimension, "hr:CompetencyDimensionTypeCode", code)
            _put(_put(dimension, "eures:Score"), "hr:ScoreText", languages.level_name(level))


def _competency(competency: Any, code: str, taxonomy: str, name: str) -> None:
    if code:
        _put(competency, "CompetencyID", code, schemeName="NORMAL")
    _put(competency, "hr:TaxonomyID", taxonomy)
    _put(competency, "hr:CompetencyName", name)


def _code(entry: Entry) -> str:
    return languages.three_letters(entry.language.language_code)


FORMAT = Format("application/xml", write, fields=SHOWN, of_entries=SHOWN_OF_ENTRIES)
