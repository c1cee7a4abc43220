"""JSON Resume 1.0 (https://jsonresume.org/schema): what it has no word for stands in `waymark` beside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry, LanguageDetail
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.domain.credentials import strict_json
from services.portfolio.formats import beside, languages, skills
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import IN_JSON, Cv, DocumentBrokenError, Format, Opened, Read
from services.portfolio.formats.remainders import Laid, Parts, Placed, put_all_back, set_aside
from services.portfolio.formats.texts import MAX_TEXT, as_iso, chosen, cleaned, of_iso, say
from services.portfolio.formats.trees import Tree

SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"
_TEXTS = {"title": 300, "organisation": 300, "place": 200, "uri": 2000}  # and how long they may be


class Section(NamedTuple):
    """What a section calls the fields of an entry; "" where it has none."""

    kind: int
    title: str
    organisation: str = ""
    place: str = ""
    start: str = ""
    end: str = ""
    text: str = ""
    uri: str = "url"


_AWARD = Section(entries.ENTRY_KIND_CERTIFICATE, "title", "awarder", start="date", text="summary")
SECTIONS = {
    "work": Section(
        entries.ENTRY_KIND_WORK, "position", "name", "location", "startDate", "endDate", "summary"
    ),
    "volunteer": Section(
        entries.ENTRY_KIND_VOLUNTEERING, "position", "organization", "", "startDate", "endDate", "summary"
    ),
    "education": Section(entries.ENTRY_KIND_EDUCATION, "area", "institution", "", "startDate", "endDate", ""),
    "certificates": Section(entries.ENTRY_KIND_CERTIFICATE, "name", "issuer", start="date"),
    "publications": Section(
        entries.ENTRY_KIND_PUBLICATION, "name", "publisher", start="releaseDate", text="summary"
    ),
    "languages": Section(entries.ENTRY_KIND_LANGUAGE, "language", uri=""),
    "interests": Section(entries.ENTRY_KIND_INTEREST, "name", uri=""),
    "projects": Section(
        entries.ENTRY_KIND_PROJECT, "name", "entity", "", "startDate", "endDate", "description"
    ),
}
# Care work is work, and a driving licence is a certificate; `waymark` says which.
_OF = {section.kind: key for key, section in SECTIONS.items()} | {
    entries.ENTRY_KIND_CARE_WORK: "work",
    entries.ENTRY_KIND_DRIVING_LICENCE: "certificates",
}


def write(cv: Cv, _: Opened) -> Iterator[bytes]:
    """Yields the document, UTF-8."""
    yield json.dumps(cleaned(_laid(cv).tree), ensure_ascii=False, indent=2).encode()


def left_out(cv: Cv) -> list[tuple[str, str]]:
    """Returns (resource name, path) of what was set aside and is not in the document."""
    return _laid(cv).left_out


def _laid(cv: Cv) -> Laid:
    resume: Parts = {"$schema": SCHEMA, "basics": _basics(cv.portfolio.holder, cv.language)}
    placed: Placed = {"": (resume, "")}
    for key in SECTIONS:
        of = [each for each in cv.portfolio.entries if _OF[each.kind] == key]
        items = [_item(each, cv.language) for each in of]
        placed |= {each.name: (item, f"{key}.") for each, item in zip(of, items, strict=True)}
        resume |= {key: items} if items else {}
    if cv.portfolio.skill_claims:
        resume["skills"] = [_skill(claim, cv.language) for claim in cv.portfolio.skill_claims]
    return Laid(resume, put_all_back(cv.remainders, placed))


def read(file: BinaryIO, language: str) -> Read:
    """Reads a document; raises DocumentBrokenError."""
    try:
        tree = Tree(strict_json.parsed(file.read()))
    except strict_json.UnreadableError as error:
        raise DocumentBrokenError("no JSON object") from error
    if not tree:
        raise DocumentBrokenError("an empty object")
    found = Read()
    tree.take("$schema")
    tree.again("meta")
    _read_basics(tree.tree("basics"), found, language)
    for key, section in [*SECTIONS.items(), ("awards", _AWARD)]:
        for number, item in enumerate(tree.trees(key)):
            entry = found.portfolio.entries.add()
            found.left += _read_item(item, section, entry, language)
            entry.name = item.owner = f"{key}/{number}"
    for item in tree.trees("skills"):
        _read_skill(item, found, language)
    found.left += tree.left()
    found.remainders = set_aside(tree.rests())
    return found


def _basics(holder: Holder, language: str) -> dict[str, Any]:
    contact, summary = holder.contact, chosen(holder.summary, language)
    location = {
        "address": "\n".join(contact.address_lines),
        "postalCode": contact.postal_code,
        "city": contact.locality,
        "countryCode": contact.region_code,
    }
    basics: dict[str, Any] = {
        "name": f"{holder.given_name} {holder.family_name}".strip(),
        "email": contact.email,
        "phone": contact.phone,
        "summary": summary,
        "location": {key: value for key, value in location.items() if value},
        beside.KEY: beside.rest(holder, ("contact",), language, "summary"),
    }
    return {key: value for key, value in basics.items() if value}


def _read_basics(basics: Tree, found: Read, language: str) -> None:
    holder, name = _beside(basics, Holder), basics.text("name")
    if name and f"{holder.given_name} {holder.family_name}".strip() != name:
        holder.given_name, _, holder.family_name = name.rpartition(" ")
    place = basics.tree("location")
    contact = Contact(
        email=basics.text("email"),
        phone=basics.text("phone"),
        address_lines=[line.strip() for line in place.text("address", 1600).split("\n") if line.strip()],
        postal_code=place.text("postalCode"),
        locality=place.text("city"),
        region_code=place.text("countryCode"),
    )
    if contact.ListFields():
        holder.contact.CopyFrom(contact)
    if summary := basics.text("summary", 5000):
        say(holder.summary, language, summary)
    found.left += fit(holder, "basics")
    if holder.ListFields():
        found.portfolio.holder.CopyFrom(holder)


def _item(entry: Entry, language: str) -> dict[str, Any]:
    section = SECTIONS[_OF[entry.kind]]
    text = chosen(entry.description, language) if section.text else ""
    item: dict[str, Any] = {
        section.title: entry.title,
        section.organisation: entry.organisation,
        section.place: entry.place,
        section.start: as_iso(entry.start_date),
        section.end: as_iso(entry.end_date),
        section.text: text,
        section.uri: entry.uri,
    }
    if entry.HasField("language"):
        item["fluency"] = languages.fluency(entry.language)
    said = [field for field in _TEXTS if getattr(section, field)]
    said += [field for field, key in _days(section) if key]
    item[beside.KEY] = beside.rest(entry, said, language if section.text else "")
    if entry.kind == section.kind:
        item[beside.KEY].pop("kind")
    return {key: value for key, value in item.items() if key and value}


def _days(section: Section) -> tuple[tuple[str, str], ...]:
    return ("start_date", section.start), ("end_date", section.end)


def _read_item(item: Tree, section: Section, entry: Entry, language: str) -> Counter[str]:
    """Reads an item into an empty entry; returns what does not fit the contract."""
    entry.CopyFrom(_beside(item, Entry))
    if entry.kind not in _OF:
        entry.kind = section.kind  # type: ignore[assignment]  # one of the kinds, as a number
    for field, longest in _TEXTS.items():
        key = getattr(section, field)
        if key and (text := item.text(key, longest)):
            setattr(entry, field, text)
    for field, key in _days(section):
        said = item.text(key) if key else ""
        if date := of_iso(said):
            getattr(entry, field).CopyFrom(date)
        else:
            item.leave(key, said)
    if section.title == "area" and (degree := item.text("studyType")):
        entry.title = ", ".join(filter(None, (degree, entry.title)))[:300]
    told = [item.text(section.text, MAX_TEXT)] if section.text else []
    told += [f"- {each}" for each in item.texts("highlights", MAX_TEXT)] if section.text else []
    if text := "\n".join(filter(None, told))[:MAX_TEXT]:
        say(entry.description, language, text)
    if section.kind == entries.ENTRY_KIND_LANGUAGE:
        _read_fluency(item, entry, language)
    return fit(entry, "entries")


def _read_fluency(item: Tree, entry: Entry, language: str) -> None:
    fluency = item.text("fluency")
    if not entry.HasField("language"):
        code = languages.code_of(entry.title, language)
        entry.language.CopyFrom(LanguageDetail(language_code=code))
        languages.take_fluency(fluency, entry.language)


def _skill(claim: SkillClaim, language: str) -> dict[str, Any]:
    item = {
        "name": chosen(claim.label, language),
        "level": skills.level_word(claim.level),
        beside.KEY: beside.rest(claim, ("level", "source"), language, "label"),
    }
    return {key: value for key, value in item.items() if value}


def _read_skill(item: Tree, found: Read, language: str) -> None:
    item.goes_with("name")
    claim = _beside(item, SkillClaim)
    if label := item.text("name", 500):
        say(claim.label, language, label)
    level = item.text("level")
    claim.level = skills.level_of(level)
    if not claim.level:
        item.leave("level", level)
    for each in [claim, *(SkillClaim(label={language: word}) for word in item.texts("keywords"))]:
        skills.add(found, each, language, "skills")


def _beside(item: Tree, message: Any) -> Any:
    """Takes what stands beside; what is no such message is left."""
    value = item.take(beside.KEY)
    found = beside.beside(value, message)
    if found is None:
        item.leave(beside.KEY, value)
    return found or message()


FORMAT = Format("application/json", write, read, most_bytes=IN_JSON, left_out=left_out)
