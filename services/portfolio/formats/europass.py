"""Europass CV 3.4 as a tree, alike in XML and JSON: what stands where."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import Any

from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.remainder_pb2 import RemainderPart

from services.portfolio.formats import languages
from services.portfolio.formats.format import Cv
from services.portfolio.formats.remainders import Laid, Parts, Placed, filled, put_all_back
from services.portfolio.formats.texts import as_markup, chosen, clean, of_markup, primary

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
_KINDS = {code: kind for kind, code in ACHIEVEMENTS.items()}
# What stands where only a label tells, by the nearest kind; the code itself is then told as left.
_NEAR = {
    "presentations": entries.ENTRY_KIND_PUBLICATION,
    "citations": entries.ENTRY_KIND_PUBLICATION,
    "conferences": entries.ENTRY_KIND_PUBLICATION,
    "memberships": entries.ENTRY_KIND_INTEREST,
    "references": entries.ENTRY_KIND_INTEREST,
    "signature_equivalent": entries.ENTRY_KIND_INTEREST,
}
_LOCALES = 2  # letters: of ISO 639-1, as the schema has no place for other tags
_ID, _IDREF = re.compile(r'"[Ii]d":"([^"]*)"'), re.compile(r'"idref":"([^"]*)"')
_EMAIL = re.compile(r"[^@]+@[^.]+\..+")  # what the schema takes for one


def laid(cv: Cv) -> Laid:
    """Lays out a document as a tree whose keys are in the order of the schema."""
    placed: Placed = {}
    tree = _tree(cv, placed)
    placed[""] = (tree, "")
    parts = [part for each in cv.remainders for part in each.parts if part.path == "Attachment"]
    attached = {key for part in parts for key in _ID.findall(part.content)}

    def may(part: RemainderPart) -> bool:  # the schema asks for what is pointed to
        return attached.issuperset(_IDREF.findall(part.content))

    left_out = put_all_back(cv.remainders, placed, _alike, may)
    whole = {key: filled(each) for key, each in tree.items()}
    return Laid({key: each for key, each in whole.items() if each or key == "LearnerInfo"}, left_out)


def kind_of(code: str) -> entries.EntryKind.ValueType:
    """Returns the kind of entry that an achievement with a code is, or the nearest one."""
    return _KINDS.get(code) or _NEAR.get(code, entries.ENTRY_KIND_CERTIFICATE)


def _alike(path: str, own: Any, value: Any) -> bool:
    """Whether a text says the same in other markup, or a code more of the same kind of achievement."""
    if not (isinstance(own, str) and isinstance(value, str)):
        return False
    nearer = path == "LearnerInfo.Achievement.Title.Code" and kind_of(own) == kind_of(value)
    return nearer or of_markup(own) == of_markup(value)


def _tree(cv: Cv, placed: Placed) -> Parts:
    """Returns all of it, what is empty included: that keeps a place for what is put back."""
    written = f"{cv.written_at:%Y-%m-%dT%H:%M:%S.000Z}"
    return {
        "Locale": _locale(cv.language),
        "DocumentInfo": {
            "DocumentType": "ECV",
            "CreationDate": written,
            "LastUpdateDate": written,
            "XSDVersion": VERSION,
            "Generator": "Waymark",
            "Comment": "",
            "EuropassLogo": False,
        },
        "PrintingPreferences": {},
        "LearnerInfo": _learner(cv, placed),
    }


def _locale(language: str) -> str:
    code = primary(language)
    return code if len(code) == _LOCALES else "en"


def _learner(cv: Cv, placed: Placed) -> Parts:
    holder = cv.portfolio.holder
    summary = chosen(holder.summary, cv.language)
    return {
        "Identification": _identification(holder),
        "Headline": {"Type": {"Code": STATEMENT}, "Description": {"Label": clean(summary)}}
        if summary
        else {},
        "WorkExperience": _items(cv, WORK, "WorkExperience", _work, placed),
        "Education": _items(cv, (entries.ENTRY_KIND_EDUCATION,), "Education", _education, placed),
        "Skills": _skills(cv, placed),
        "Achievement": _items(cv, ACHIEVEMENTS, "Achievement", _achievement, placed),
    }


def _items(
    cv: Cv,
    kinds: Container[int],
    path: str,
    write: Callable[[Entry, str], Parts],
    placed: Placed,
) -> list[Parts]:
    """Writes entries of some kinds, and notes where each stands."""
    made = []
    for entry in (each for each in cv.portfolio.entries if each.kind in kinds):
        made.append(write(entry, cv.language))
        placed[entry.name] = (made[-1], f"LearnerInfo.{path}.")
    return made


def _identification(holder: Holder) -> Parts:
    contact = holder.contact
    address = {
        "AddressLine": clean("\n".join(contact.address_lines)),
        "AddressLine2": "",
        "PostalCode": clean(contact.postal_code),
        "Municipality": clean(contact.locality),
        "Country": {"Code": COUNTRIES.get(contact.region_code, contact.region_code)},
    }
    return {
        "PersonName": {
            "Title": {},
            "FirstName": clean(holder.given_name),
            "Surname": clean(holder.family_name),
        },
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
        "Documentation": {},
        "Position": {"Label": clean(entry.title)},
        "Activities": as_markup(chosen(entry.description, language)),
        "Employer": _organisation(entry),
    }


def _education(entry: Entry, language: str) -> Parts:
    level = entry.education.eqf_level
    return {
        "Period": _period(entry),
        "Documentation": {},
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


def _skills(cv: Cv, placed: Placed) -> Parts:
    spoken = [each for each in cv.portfolio.entries if each.kind == entries.ENTRY_KIND_LANGUAGE]
    linguistic: dict[str, list[Parts]] = {"MotherTongue": [], "ForeignLanguage": []}
    for each in spoken:
        key = "MotherTongue" if each.language.native else "ForeignLanguage"
        linguistic[key].append(_language(each))
        placed[each.name] = (linguistic[key][-1], f"LearnerInfo.Skills.Linguistic.{key}.")
    held = dict.fromkeys(
        category for each in cv.portfolio.entries for category in each.driving_licence.categories
    )
    labels = filter(None, (clean(chosen(each.label, cv.language)) for each in cv.portfolio.skill_claims))
    items = "".join(f"<li>{as_markup(label)}</li>" for label in labels)
    return {
        "Linguistic": linguistic,
        "Communication": {},
        "Organisational": {},
        "JobRelated": {"Description": f"<ul>{items}</ul>" if items else ""},
        "Computer": {},
        "Driving": {"Description": {"Licence": [each for each in held if each in LICENCES]}},
    }


def _language(entry: Entry) -> Parts:
    code = entry.language.language_code
    known = languages.code_of(entry.title, "en") if code == languages.UNKNOWN else code
    said = {"Code": "" if known == languages.UNKNOWN else known, "Label": clean(entry.title)}
    return {"Description": said, "ProficiencyLevel": {} if entry.language.native else _levels(entry)}


def _levels(entry: Entry) -> Parts:
    names = ("Listening", "Reading", "SpokenInteraction", "SpokenProduction", "Writing")
    levels = (languages.level_name(getattr(entry.language, skill)) for skill in languages.SKILLS)
    return dict(zip(names, levels, strict=True))


def _organisation(entry: Entry) -> Parts:
    contact = {
        "Address": {
            "Contact": {
                "AddressLine": "",
                "AddressLine2": "",
                "PostalCode": "",
                "Municipality": clean(entry.place),
            }
        },
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
    whole = {"Year": date.year, "Month": date.month, "Day": date.day if date.month else 0}
    return {key: each for key, each in whole.items() if each} if date.year else {}
