"""The entries of a Candidate document, by the sections that they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import EducationDetail, Entry, EntryKind

from services.portfolio.formats.candidate_values import (
    Made,
    date_of,
    each,
    first,
    note_description,
    note_organisation,
    note_period,
    text_of,
)
from services.portfolio.formats.texts import as_iso, of_iso
from services.portfolio.formats.trees import Tree

_EQF = re.compile(r"(?:EQF[ _-]?)?([1-8])", re.IGNORECASE)
_FIELD = re.compile(r"(?:.*/)?(\d{2,4})")


def employments(profile: Tree, language: str) -> Iterator[Made]:
    """Yields an entry for each position that somebody had with an employer."""
    for employer in each(profile.tree("EmploymentHistory"), "EmployerHistory"):
        common = Entry(kind=entries.ENTRY_KIND_WORK)
        note_organisation(common, employer)
        note_period(common, first(employer, "EmploymentPeriod"))
        for position in each(employer, "PositionHistory") or [Tree({})]:
            entry = Entry()
            entry.CopyFrom(common)
            _note_position(entry, position, language)
            if common.place not in ("", entry.place):
                employer.leave("OrganizationContact", common.place)
            yield Made(entry, employer.element, position.element)


def _note_position(entry: Entry, position: Tree, language: str) -> None:
    title = first(position, "PositionTitle")
    if title.text("typeCode").upper() == "URI":
        entry.work.occupation_uri = title.text("languageID", 2000)
    title.take("languageID", "name")
    entry.title = title.text("text")
    note_period(entry, first(position, "EmploymentPeriod"))
    note_description(entry, position, "Description", language)
    entry.place = text_of(position, "City", 200) or entry.place


def education(profile: Tree, language: str) -> Iterator[Made]:
    """Yields what was learnt, and where."""
    for attendance in each(profile.tree("EducationHistory"), "EducationOrganizationAttendance"):
        entry, degree = Entry(kind=entries.ENTRY_KIND_EDUCATION), first(attendance, "EducationDegree")
        note_organisation(entry, attendance)
        program, entry.title = text_of(attendance, "ProgramName"), text_of(degree, "DegreeName")
        if not entry.title:
            entry.title = program
        elif program != entry.title:
            attendance.leave("ProgramName", program)
        note_period(entry, first(attendance, "AttendancePeriod"))
        note_description(entry, degree, "OccupationalSkillsCovered", language)
        detail = EducationDetail(eqf_level=_eqf_level(attendance), isced_f_code=_field(degree))
        if detail.ListFields():
            entry.education.CopyFrom(detail)
        yield Made(entry, attendance.element)


def _eqf_level(attendance: Tree) -> int:
    """Takes the level of the European Qualifications Framework; one of another list is left."""
    for element in each(attendance, "EducationLevelCode"):
        said, of_list = element.text("text"), element.text("listName")
        level = _EQF.fullmatch(said)
        if level and (not of_list or "EQF" in of_list.upper()):
            element.take("listURI", "listVersionID", "name", "listSchemeURI")
            return int(level[1])
        element.leave("text", said)
    return 0


def _field(degree: Tree) -> str:
    """Takes the field of study where it has a code of ISCED-F, the narrower one."""
    element = first(degree, "FieldOfStudy")
    element.take("typeCode")
    code = ""
    for key in ("MainFieldOfStudy", "SpecificFieldOfStudy"):
        field = first(element, key)
        said = text_of(field, "ProgramConcentration") or text_of(field, "text")
        found = _FIELD.fullmatch(said)
        if found and found[1].startswith(code):
            code = found[1]
        else:
            field.leave("ProgramConcentration", said)
    return code


def licences(profile: Tree) -> Iterator[Made]:
    """Yields driving licences: the categories that were got and end alike are those of one, which comes with
    each."""
    made: dict[tuple[str, str, str], Entry] = {}
    for licence in each(profile.tree("Licenses"), "License"):
        category, title = text_of(licence, "LicenseTypeCode"), text_of(licence, "LicenseName")
        start, end = date_of(licence, "FirstIssuedDate"), _end(licence, "FreeFormPeriod")
        key = title, as_iso(start or Date()), as_iso(end or Date())
        entry = made.setdefault(key, Entry(kind=entries.ENTRY_KIND_DRIVING_LICENCE, title=title))
        if category and category not in entry.driving_licence.categories:
            entry.driving_licence.categories.append(category)
        if start:
            entry.start_date.CopyFrom(start)
        if end:
            entry.driving_licence.expire_date.CopyFrom(end)
        yield Made(entry, licence.element)


def certifications(profile: Tree, language: str) -> Iterator[Made]:
    """Yields certificates."""
    for item in each(profile.tree("Certifications"), "Certification"):
        entry = Entry(kind=entries.ENTRY_KIND_CERTIFICATE, title=text_of(item, "CertificationName"))
        entry.organisation = text_of(first(item, "IssuingAuthority"), "Name")
        entry.uri = text_of(item, "Link", 2000)
        if issued := date_of(item, "FirstIssuedDate"):
            entry.start_date.CopyFrom(issued)
        if end := _end(item, "FreeFormEffectivePeriod"):
            entry.certificate.expire_date.CopyFrom(end)
        note_description(entry, item, "Description", language)
        yield Made(entry, item.element)


def _end(item: Tree, key: str) -> Date | None:
    return date_of(first(item, key), "EndDate")


def publications(profile: Tree, language: str) -> Iterator[Made]:
    """Yields publications."""
    for item in each(profile.tree("PublicationHistory"), "Publication"):
        entry = Entry(kind=entries.ENTRY_KIND_PUBLICATION, title=text_of(item, "Title"))
        entry.organisation = text_of(item, "Publisher")
        entry.uri = text_of(item, "Link", 2000) or text_of(first(item, "DOI"), "Link", 2000)
        if published := of_iso(year := text_of(item, "Year")):
            entry.start_date.CopyFrom(published)
        else:
            item.leave("Year", year)
        note_description(entry, item, "FormattedPublicationDescription", language)
        yield Made(entry, item.element)


def listed(section: Tree, one: str, kind: EntryKind.ValueType, language: str) -> Iterator[Made]:
    """Yields what a section lists by title, time, text, place and address."""
    for item in each(section, one):
        activity = first(item, "Activity") or item
        entry = Entry(kind=kind, title=text_of(activity, "Title"))
        note_period(entry, first(activity, "Date"))
        note_description(entry, activity, "Description", language)
        entry.place = text_of(item, "Location", 200)
        entry.uri = text_of(activity, "Link", 2000)
        yield Made(entry, item.element)
