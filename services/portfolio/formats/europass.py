"""Europass CV 3.4 as a tree, alike in XML and JSON: what stands where."""

from __future__ import annotations

import re
from typing import Any

from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.holder_pb2 import Holder

from services.portfolio.formats import languages
from services.portfolio.formats.format import Cv
from services.portfolio.formats.texts import as_markup, chosen, clean, primary

VERSION = "V3.4"
STATEMENT = "personal_statement"
# As the European Union writes them, beside ISO 3166.
COUNTRIES = {"GB": "UK", "GR": "EL"}
LICENCES = ("A1", "A", "B1", "B", "BE", "C1", "C1E", "C", "CE", "D1", "D1E", "D", "DE")
WORK = (entries.ENTRY_KIND_WORK, entries.ENTRY_KIND_VOLUNTEERING, entries.ENTRY_KIND_CARE_WORK)
ACHIEVEMENTS = {
    entries.ENTRY_KIND_CERTIFICATE: "certifications",
    entries.ENTRY_KIND_PROJECT: "projects",
    entries.ENTRY_KIND_PUBLICATION: "publications",
    entries.ENTRY_KIND_INTEREST: "",
}
Parts = dict[str, Any]
_LOCALES = 2  # letters: of ISO 639-1, as the schema has no place for other tags
_EMAIL = re.compile(r"[^@]+@[^.]+\..+")  # what the schema takes for one


def tree_of(cv: Cv) -> Parts:
    """Returns the document as a tree whose keys are in the order of the schema."""
    written = f"{cv.written_at:%Y-%m-%dT%H:%M:%S.000Z}"
    return {
        "Locale": _locale(cv.language),
        "DocumentInfo": {
            "DocumentType": "ECV",
            "CreationDate": written,
            "LastUpdateDate": written,
            "XSDVersion": VERSION,
            "Generator": "Waymark",
            "EuropassLogo": False,
        },
        "LearnerInfo": _filled(_learner(cv)),
    }


def _locale(language: str) -> str:
    code = primary(language)
    return code if len(code) == _LOCALES else "en"


def _learner(cv: Cv) -> Parts:
    holder, of = cv.portfolio.holder, cv.portfolio.entries
    summary = chosen(holder.summary, cv.language)
    return {
        "Identification": _identification(holder),
        "Headline": {"Type": {"Code": STATEMENT}, "Description": {"Label": clean(summary)}}
        if summary
        else {},
        "WorkExperience": [_work(each, cv.language) for each in of if each.kind in WORK],
        "Education": [
            _education(each, cv.language) for each in of if each.kind == entries.ENTRY_KIND_EDUCATION
        ],
        "Skills": _skills(cv),
        "Achievement": [_achievement(each, cv.language) for each in of if each.kind in ACHIEVEMENTS],
    }


def _identification(holder: Holder) -> Parts:
    contact = holder.contact
    address = {
        "AddressLine": clean("\n".join(contact.address_lines)),
        "PostalCode": clean(contact.postal_code),
        "Municipality": clean(contact.locality),
        "Country": {"Code": COUNTRIES.get(contact.region_code, contact.region_code)},
    }
    return {
        "PersonName": {"FirstName": clean(holder.given_name), "Surname": clean(holder.family_name)},
        "ContactInfo": {
            "Address": {"Contact": address},
            "Email": {"Contact": contact.email if _EMAIL.fullmatch(contact.email) else ""},
            "Telephone": [{"Contact": clean(contact.phone)}] if contact.phone else [],
        },
        "Demographics": {"Birthdate": _date(holder.birth_date)},
    }


def _work(entry: Entry, language: str) -> Parts:
    return {
        "Period": _period(entry),
        "Position": {"Label": clean(entry.title)},
        "Activities": as_markup(chosen(entry.description, language)),
        "Employer": _organisation(entry),
    }


def _education(entry: Entry, language: str) -> Parts:
    level = entry.education.eqf_level
    return {
        "Period": _period(entry),
        "Title": clean(entry.title),
        "Activities": as_markup(chosen(entry.description, language)),
        "Organisation": _organisation(entry),
        "Level": {"Code": str(level)} if level else {},
    }


def _achievement(entry: Entry, language: str) -> Parts:
    return {
        "Title": {"Code": ACHIEVEMENTS[entry.kind], "Label": clean(entry.title)},
        "Description": as_markup(chosen(entry.description, language)),
    }


def _skills(cv: Cv) -> Parts:
    spoken = [each for each in cv.portfolio.entries if each.kind == entries.ENTRY_KIND_LANGUAGE]
    held = dict.fromkeys(
        category for each in cv.portfolio.entries for category in each.driving_licence.categories
    )
    labels = filter(None, (clean(chosen(each.label, cv.language)) for each in cv.portfolio.skill_claims))
    items = "".join(f"<li>{as_markup(label)}</li>" for label in labels)
    return {
        "Linguistic": {
            "MotherTongue": [{"Description": _language(each)} for each in spoken if each.language.native],
            "ForeignLanguage": [
                {"Description": _language(each), "ProficiencyLevel": _levels(each)}
                for each in spoken
                if not each.language.native
            ],
        },
        "JobRelated": {"Description": f"<ul>{items}</ul>" if items else ""},
        "Driving": {"Description": {"Licence": [each for each in held if each in LICENCES]}},
    }


def _language(entry: Entry) -> Parts:
    code = entry.language.language_code
    known = languages.code_of(entry.title, "en") if code == languages.UNKNOWN else code
    return {"Code": "" if known == languages.UNKNOWN else known, "Label": clean(entry.title)}


def _levels(entry: Entry) -> Parts:
    names = ("Listening", "Reading", "SpokenInteraction", "SpokenProduction", "Writing")
    levels = (languages.level_name(getattr(entry.language, skill)) for skill in languages.SKILLS)
    return dict(zip(names, levels, strict=True))


def _organisation(entry: Entry) -> Parts:
    contact = {
        "Address": {"Contact": {"Municipality": clean(entry.place)}},
        "Website": {"Contact": entry.uri},
    }
    return {"Name": clean(entry.organisation), "ContactInfo": contact}


def _period(entry: Entry) -> Parts:
    current = not entry.HasField("end_date") and entry.start_date.year
    return {
        "From": _date(entry.start_date),
        "To": _date(entry.end_date),
        "Current": True if current else None,
    }


def _date(date: Date) -> Parts:
    return {"Year": date.year, "Month": date.month, "Day": date.day if date.month else 0} if date.year else {}


def _filled(value: Any) -> Any:
    """Returns a tree without what is empty in it. Items of lists stay: each stands for something."""
    if isinstance(value, dict):
        below = {key: _filled(each) for key, each in value.items()}
        return {key: each for key, each in below.items() if each or each is False}
    return [_filled(each) for each in value] if isinstance(value, list) else value
