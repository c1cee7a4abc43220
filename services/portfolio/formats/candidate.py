"""The Candidate document of Europass (HR-XML 3), as its editor writes it and attaches it to its PDF: written.

Names, places and order are those of the Commission's schema documentation 3.0.0; where the editor differs, it
is followed (docs/decisions/0151).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.type.date_pb2 import Date
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import languages, skills
from services.portfolio.formats.format import Cv, Opened
from services.portfolio.formats.texts import as_iso, as_markup, chosen, clean

ROOT = "Candidate"
NAMESPACE = "http://www.europass.eu/1.0"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NSMAP: Any = {
    None: NAMESPACE,
    "oa": "http://www.openapplications.org/oagis/9",
    "eures": "http://www.europass_eures.eu/1.0",
    "hr": "http://www.hr-xml.org/3",
    "xsi": _XSI,
}
LEVELS = {
    "CEF-Understanding-Listening": "listening",
    "CEF-Understanding-Reading": "reading",
    "CEF-Speaking-Interaction": "spoken_interaction",
    "CEF-Speaking-Production": "spoken_production",
    "CEF-Writing-Production": "writing",
}
# Sections of what has a title, a time, a text and an address: what one of them is called, and its kind.
LISTED = {
    "HobbiesAndInterests": ("HobbyOrInterest", entries.ENTRY_KIND_INTEREST),
    "Projects": ("Project", entries.ENTRY_KIND_PROJECT),
    "VoluntaryWorks": ("VoluntaryWork", entries.ENTRY_KIND_VOLUNTEERING),
}
_EQF = {
    "listName": "EURES_EQF",
    "listURI": "http://ec.europa.eu/esco/ConceptScheme/EQF2012/ConceptScheme",
    "listVersionID": "2008/C11/01",
}
# What the editor calls the sections that it is to show.
_SHOWN = {
    "EmploymentHistory": "work-experience",
    "EducationHistory": "education-training",
    "PersonQualifications": "language",
    "Licenses": "driving-licence",
    "Certifications": "certifications",
    "PublicationHistory": "publication",
    "Projects": "projects",
    "VoluntaryWorks": "volunteering",
    "HobbiesAndInterests": "hobbies-interests",
}
# ITU-T E.164: no code of a country begins with another.
_DIALLED = re.compile(
    r"(?:\+|00)(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9]\d\d)[ ./-]*(\(?\d.*)"
)


Items = Iterator[tuple[str, Any]]


class Laid(NamedTuple):
    """A document, and the items of its sections, each with the name of the entry or skill that it is of."""

    root: Any
    items: list[tuple[str, Any]]


def write(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, UTF-8, in the language of the CV alone."""
    yield as_bytes(laid(cv).root)


def as_bytes(root: Any) -> bytes:
    """Returns a document as it goes out."""
    return bytes(
        etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True, pretty_print=True)
    )


def laid(cv: Cv) -> Laid:
    """Lays out a document of the portfolio alone."""
    root = etree.Element(f"{{{NAMESPACE}}}{ROOT}", nsmap=_NSMAP)
    root.set(f"{{{_XSI}}}schemaLocation", f"{NAMESPACE} Candidate.xsd")
    holder = cv.portfolio.holder
    _put(root, "hr:DocumentID", schemeName="DocumentIdentifier", schemeVersionID="4.0")
    supplier = _put(root, "CandidateSupplier")
    _put(supplier, "hr:PartyName", "Owner")  # of the document: who it is about
    _name(_put(supplier, "PersonContact"), holder)
    _put(supplier, "hr:PrecedenceCode", "1")
    _person(_put(root, "CandidatePerson"), cv)
    profile = _put(root, "CandidateProfile", languageCode=cv.language)
    items = list(_profile(profile, cv))
    order = _put(_put(_put(root, "RenderingInformation"), "Design"), "SectionsOrder")
    for title in _shown(profile, cv):
        _put(_put(order, "Section"), "Title", title)
    return Laid(root, items)


def _shown(profile: Any, cv: Cv) -> Iterator[str]:
    """Yields what the editor calls each section that has anything in it."""
    spoken = any(_of(cv, entries.ENTRY_KIND_LANGUAGE))  # mother tongues stand with the person
    for section in profile:
        title = _SHOWN.get(etree.QName(section).localname, "")
        if title and (spoken if title == "language" else len(section)):
            yield title


def _profile(profile: Any, cv: Cv) -> Items:
    """Writes the sections; yields their items."""
    language = cv.language
    _put_if(profile, "hr:ExecutiveSummary", as_markup(chosen(cv.portfolio.holder.summary, language)))
    section = _put(profile, "EmploymentHistory")
    for entry in _of(cv, *_AT_AN_EMPLOYER):
        if not _stands_alone(entry):
            yield entry.name, _employer(_put(section, "EmployerHistory"), entry, language)
    section = _put(profile, "EducationHistory")
    for entry in _of(cv, entries.ENTRY_KIND_EDUCATION):
        yield entry.name, _attendance(_put(section, "EducationOrganizationAttendance"), entry, language)
    section = _put(profile, "eures:Licenses")
    for entry in _of(cv, entries.ENTRY_KIND_DRIVING_LICENCE):
        yield from _licences(section, entry)
    section = _put(profile, "Certifications")
    for entry in _of(cv, entries.ENTRY_KIND_CERTIFICATE):
        yield entry.name, _certification(_put(section, "Certification"), entry, language)
    section = _put(profile, "PublicationHistory")
    for entry in _of(cv, entries.ENTRY_KIND_PUBLICATION):
        yield entry.name, _publication(_put(section, "Publication"), entry, language)
    section = _put(profile, "PersonQualifications")
    for entry in _of(cv, entries.ENTRY_KIND_LANGUAGE):
        if not entry.language.native or _levels(entry):
            yield entry.name, _language(_put(section, "PersonCompetency"), entry)
    for claim in cv.portfolio.skill_claims:
        yield claim.name, _skill(_put(section, "PersonCompetency"), claim, language)
    for name, (one, kind) in LISTED.items():
        section = _put(profile, name)
        for entry in _of(cv, kind):
            if kind != entries.ENTRY_KIND_VOLUNTEERING or _stands_alone(entry):
                yield entry.name, _activity(_put(section, one), entry, language)


_AT_AN_EMPLOYER = (
    entries.ENTRY_KIND_WORK,
    entries.ENTRY_KIND_VOLUNTEERING,
    entries.ENTRY_KIND_CARE_WORK,
)


def _stands_alone(entry: Entry) -> bool:
    """True for voluntary work that names nobody it was done for: its section has no place for that."""
    return entry.kind == entries.ENTRY_KIND_VOLUNTEERING and not clean(entry.organisation)


def _of(cv: Cv, *kinds: int) -> Iterator[Entry]:
    return (entry for entry in cv.portfolio.entries if entry.kind in kinds)


def _put(parent: Any, name: str, text: str = "", /, **attributes: str) -> Any:
    """Adds an element, `prefix:Name` or `Name`, and returns it."""
    prefix, _, local = name.rpartition(":")
    element = etree.SubElement(parent, f"{{{_NSMAP[prefix or None]}}}{local}", attributes)
    element.text = clean(text) or None
    return element


def _put_if(parent: Any, name: str, text: str, /, **attributes: str) -> None:
    """Adds an element, if there is anything to say in it."""
    if clean(text):
        _put(parent, name, text, **attributes)


def _name(parent: Any, holder: Holder) -> None:
    name = _put(parent, "PersonName")
    _put(name, "oa:GivenName", holder.given_name)
    _put(name, "hr:FamilyName", holder.family_name)


def _person(person: Any, cv: Cv) -> None:
    holder: Holder = cv.portfolio.holder
    _name(person, holder)
    _email(person, holder.contact.email)
    if dialled := _DIALLED.fullmatch(clean(holder.contact.phone)):
        way = _way(person, "Telephone")
        _put(way, "CountryDialing", dialled[1])
        _put(way, "oa:DialNumber", dialled[2])
    _address(person, holder.contact)
    if holder.birth_date.day:
        _put(person, "hr:BirthDate", as_iso(holder.birth_date))
    for entry in _of(cv, entries.ENTRY_KIND_LANGUAGE):
        if entry.language.native:
            code, scheme = _code(entry)
            _put(person, "PrimaryLanguageCode", code, name=scheme)


def _email(person: Any, email: str) -> None:
    if email:
        _put(_way(person, "Email"), "oa:URI", email)


def _way(parent: Any, channel: str) -> Any:
    way = _put(parent, "Communication")
    _put(way, "ChannelCode", channel)
    return way


def _address(person: Any, contact: Any) -> None:
    if not (contact.address_lines or contact.postal_code or contact.locality or contact.region_code):
        return
    way = _put(person, "Communication")
    _put(way, "UseCode", "home")
    address = _put(way, "Address", type="home")
    for line in contact.address_lines:
        _put_if(address, "oa:AddressLine", line)
    _put_if(address, "oa:CityName", contact.locality)
    _put_if(address, "CountryCode", contact.region_code.lower())
    _put_if(address, "oa:PostalCode", contact.postal_code)


def _organisation(parent: Any, entry: Entry) -> None:
    _put(parent, "hr:OrganizationName", entry.organisation)
    if clean(entry.place):
        way = _put(_put(parent, "OrganizationContact"), "Communication")
        _put(_put(way, "Address"), "oa:CityName", entry.place)


def _employer(employer: Any, entry: Entry, language: str) -> Any:
    _organisation(employer, entry)
    position = _put(employer, "PositionHistory")
    occupation = entry.work.occupation_uri
    said = {"typeCode": "URI", "languageID": occupation} if occupation else {"typeCode": "FREETEXT"}
    _put(position, "PositionTitle", entry.title, **said)
    period = _put(position, "eures:EmploymentPeriod")
    _dates(period, ("eures:StartDate", entry.start_date), ("eures:EndDate", entry.end_date))
    if entry.start_date.year:
        _put(period, "hr:CurrentIndicator", str(not entry.end_date.year).lower())
    _describe(position, "oa:Description", entry, language)
    _put_if(position, "City", entry.place)
    _put_if(employer, "Link", entry.uri)
    return employer


def _attendance(attendance: Any, entry: Entry, language: str) -> Any:
    _organisation(attendance, entry)
    _put_if(attendance, "hr:ProgramName", entry.title)
    if level := entry.education.eqf_level:
        _put(attendance, "EducationLevelCode", str(level), **_EQF)
    _period(_put(attendance, "AttendancePeriod"), entry)
    degree = _put(attendance, "EducationDegree")
    _put(degree, "hr:DegreeName", entry.title)
    if code := entry.education.isced_f_code:
        field = _put(degree, "FieldOfStudy", typeCode="URI")
        _put(_put(field, "MainFieldOfStudy"), "ProgramConcentration", code[:2])
        if len(code) > 2:
            _put(_put(field, "SpecificFieldOfStudy"), "ProgramConcentration", code)
    _describe(degree, "OccupationalSkillsCovered", entry, language)
    _put_if(attendance, "Link", entry.uri)
    return attendance


def _licences(section: Any, entry: Entry) -> Items:
    for category in entry.driving_licence.categories:
        licence = _put(section, "eures:License")
        _put(licence, "hr:LicenseTypeCode", category)
        _put_if(licence, "hr:LicenseName", entry.title)
        _dates(licence, ("FirstIssuedDate", entry.start_date))
        _ends(licence, "FreeFormPeriod", entry.driving_licence.expire_date)
        yield entry.name, licence


def _certification(certification: Any, entry: Entry, language: str) -> Any:
    _put(certification, "hr:CertificationName", entry.title)
    _dates(certification, ("FirstIssuedDate", entry.start_date))
    _ends(certification, "FreeFormEffectivePeriod", entry.certificate.expire_date)
    if clean(entry.organisation):
        _put(_put(certification, "IssuingAuthority"), "oa:Name", entry.organisation)
    _describe(certification, "oa:Description", entry, language)
    _put_if(certification, "Link", entry.uri)
    return certification


def _publication(publication: Any, entry: Entry, language: str) -> Any:
    _describe(publication, "hr:FormattedPublicationDescription", entry, language)
    _put(publication, "Title", entry.title)
    if entry.start_date.year:
        _put(publication, "Year", f"{entry.start_date.year:04}")
    _put_if(publication, "Link", entry.uri)
    _put_if(publication, "Publisher", entry.organisation)
    return publication


def _activity(item: Any, entry: Entry, language: str) -> Any:
    _put(item, "Title", entry.title)
    if entry.start_date.year or entry.end_date.year:
        _period(_put(item, "Date"), entry)
    _describe(item, "Description", entry, language)
    if entry.kind == entries.ENTRY_KIND_VOLUNTEERING:
        _put_if(item, "Location", entry.place)
    _put_if(item, "Link", entry.uri)
    return item


def _describe(parent: Any, name: str, entry: Entry, language: str) -> None:
    _put_if(parent, name, as_markup(chosen(entry.description, language)))


def _period(period: Any, entry: Entry) -> None:
    _dates(period, ("StartDate", entry.start_date), ("EndDate", entry.end_date))
    if entry.start_date.year:
        _put(period, "Ongoing", str(not entry.end_date.year).lower())


def _dates(parent: Any, *dates: tuple[str, Date]) -> None:
    for name, date in dates:
        if date.year:
            _put(_put(parent, name), "hr:FormattedDateTime", as_iso(date))


def _ends(parent: Any, period: str, date: Date) -> None:
    if date.year:
        _dates(_put(parent, period), ("EndDate", date))


def _language(competency: Any, entry: Entry) -> Any:
    code, scheme = _code(entry)
    _competency(competency, code, scheme, "language", entry.title)
    for type_code, level in _levels(entry):
        dimension = _put(competency, "eures:CompetencyDimension")
        _put(dimension, "hr:CompetencyDimensionTypeCode", type_code)
        _put(_put(dimension, "eures:Score"), "hr:ScoreText", level)
    return competency


def _levels(entry: Entry) -> list[tuple[str, str]]:
    levels = ((code, languages.level_name(getattr(entry.language, skill))) for code, skill in LEVELS.items())
    return [(code, level) for code, level in levels if level]


def _skill(competency: Any, claim: SkillClaim, language: str) -> Any:
    label = chosen(claim.label, language)
    concept = "" if claim.concept_uri.startswith(skills.OWN) else claim.concept_uri
    _competency(competency, concept or label, "", "other", label, claim.taxonomy_version)
    if word := skills.level_word(claim.level):
        _put(_put(competency, "eures:ProficiencyLevel"), "hr:ScoreText", word)
    return competency


def _competency(competency: Any, code: str, scheme: str, taxonomy: str, name: str, version: str = "") -> None:
    _put(competency, "CompetencyID", code, **_given(schemeName=scheme))
    _put(competency, "hr:TaxonomyID", taxonomy, **_given(schemeVersionID=clean(version)))
    _put_if(competency, "hr:CompetencyName", name)


def _given(**attributes: str) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value}


def _code(entry: Entry) -> tuple[str, str]:
    """Returns what the document calls a language, and whether that is a code or words."""
    code = entry.language.language_code
    if code == languages.UNKNOWN:
        return entry.title, "FREE_TEXT"
    return languages.three_letters(code), "NORMAL"
