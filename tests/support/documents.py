"""Portfolios to be written as documents, and what holds such documents to their formats."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from lxml import etree
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.goal_pb2 import Deadline, Goal
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import Page, PageBlock
from waymark.portfolio.v1.plan_pb2 import Plan, Task
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_LEVEL_ADVANCED, SKILL_SOURCE_SELF, SkillClaim

from services.portfolio.formats.format import Cv, Format, Read, no_files
from tests.support.real_data import real_data

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = "https://europass.cedefop.europa.eu/"
# What the schema takes from elsewhere, which is not at hand: the names of its types. Driving licences are
# those of the JSON schema, which is.
_ELSEWHERE = {
    "xml/included/EuropassISOCountries_V1.7.0.xsd": ("", {"countryCode": "[A-Z]{2}"}),
    "xml/included/EuropassNationalities_V1.7.0.xsd": ("", {"nationalityCountryCode": "[A-Z]{2}"}),
    "xml/included/EuropassISOLanguages": ("", {"motherCode": "[a-z-]{2,}", "foreignCode": "[a-z-]{2,}"}),
    "xml/included/EuropassAddressFormats_V1.3.0.xsd": ("", {"AddressFieldFormatPattern": ".*"}),
    "xml/imported/EUDrivingLicence_V1.1.0.xsd": (
        "EUDriving",
        {"drivinglicence": "A|A1|B|B1|BE|C|C1|C1E|CE|D|D1|D1E|DE"},
    ),
    "xml/imported/EQF_08_V1.0.0.xsd": ("EQF/08", {"level": "[1-8]"}),
    "xml/imported/ISCED97_V1.0.0.xsd": ("ISCED/97", {"field-level2": "[0-9]{2}"}),
    "xml/imported/NACE_COM_V1.0.0.xsd": ("NACE", {"sector-level1": "[A-U]"}),
}


def written(format_: Format, cv: Cv) -> bytes:
    """The document of a CV, without files."""
    return b"".join(format_.write(cv, no_files))


def read(format_: Format, content: bytes, language: str = "en") -> Read:
    """What a document says."""
    return format_.read(io.BytesIO(content), language)


def renamed(found: Read) -> None:
    """Names what was read by the ids that it has in a feed of our own."""
    things: list[tuple[str, Iterable[Any]]] = [
        ("entry", found.portfolio.entries),
        ("skill", found.portfolio.skill_claims),
        ("file", found.portfolio.evidence),
    ]
    names: dict[str, str] = {}
    for kind, parts in things:
        for number, each in enumerate(parts):
            names[each.name] = f"portfolio:{kind}/{number}"
            each.name = names[each.name]
    for block in (block for page in found.pages for block in page.blocks):
        field = block.WhichOneof("content") or "text"
        setattr(block, field, names.get(getattr(block, field), getattr(block, field)))
    naming: list[Any] = [*found.portfolio.entries, *found.portfolio.skill_claims, *found.journal]
    for part in naming:
        part.evidence[:] = [names[name] for name in part.evidence]


def cv(*made: Entry, **parts: Any) -> Cv:
    """A CV in English of entries and other parts of a portfolio."""
    return Cv(SharedPortfolio(entries=made, **parts), "en", NOW)


def full() -> Cv:
    """A CV that has everything once."""
    kinds = [kind for kind in entries.EntryKind.values() if kind]
    made = [Entry(name=f"holders/h/entries/{kind}", kind=kind, title=f"Title {kind}") for kind in kinds]
    for entry in made:
        entry.organisation, entry.place, entry.uri = f"Org {entry.kind}", "Ghent", "https://yard.example/"
        entry.start_date.year, entry.start_date.month = 2015, 5
        entry.end_date.year = 2019
        entry.description.update({"en": "First line\nSecond <b> & line", "nl": "In het Nederlands"})
        entry.evidence.append("holders/h/evidence/e")
    by_kind = {entry.kind: entry for entry in made}
    by_kind[entries.ENTRY_KIND_EDUCATION].education.eqf_level = 4
    by_kind[entries.ENTRY_KIND_WORK].work.weekly_hours = 38
    language = by_kind[entries.ENTRY_KIND_LANGUAGE].language
    language.language_code, language.listening, language.writing = "nl", 5, 3  # type: ignore[assignment]
    by_kind[entries.ENTRY_KIND_CERTIFICATE].certificate.identifier = "C-17"
    by_kind[entries.ENTRY_KIND_DRIVING_LICENCE].driving_licence.categories.extend(["B", "BE"])
    return cv(*made, holder=person(), skill_claims=[claim()], evidence=[file()])


def whole() -> Cv:
    """The same with a journal, plans, goals and a page."""
    day, later = {"year": 2026, "month": 2, "day": 3}, {"year": 2026, "month": 12, "day": 31}
    journal = (
        JournalEntry(
            name="holders/h/journalEntries/2", title="A <good> day", text="One\n\nTwo", entry_date=day
        ),
        JournalEntry(
            name="holders/h/journalEntries/1",
            text="Untitled",
            entry_date=day,
            entry_time=Timestamp(seconds=1770103815),
            draft=True,
            tags=["steel & tin", "a"],
            evidence=["holders/h/evidence/e"],
        ),
    )
    reminded = Deadline(
        date=Date(**later), time_zone="Europe/Brussels", remind_days_before=[7, 0], remind_time="07:30"
    )
    tasks = [
        Task(
            title="Ask", description="The <yard>", state=Task.STATE_DONE, deadline=Deadline(date=Date(**day))
        ),
        Task(title="Learn", state=Task.STATE_OPEN, deadline=reminded),
        Task(title="Leave it", state=Task.STATE_DROPPED),
    ]
    plans = (
        Plan(
            name="holders/h/plans/1",
            title="Weld",
            description="For a living\n& for fun",
            goal="holders/h/goals/1",
            tasks=tasks,
        ),
        Plan(name="holders/h/plans/2", title="Rest"),
    )
    goals = (
        Goal(
            name="holders/h/goals/1",
            title="Be a welder",
            description="At the <yard>",
            kind=Goal.KIND_CAREER,
            state=Goal.STATE_REACHED,
            deadline=reminded,
        ),
        Goal(name="holders/h/goals/2", title="Sing", state=Goal.STATE_DROPPED),
    )
    return replace(full(), journal=journal, plans=plans, goals=goals, pages=(_page(),))


def _page() -> Page:
    """Words, an entry, a skill and a file."""
    blocks = [
        PageBlock(text="# Welding\n\n- seams & <joints>"),
        PageBlock(entry="holders/h/entries/3"),
        PageBlock(skill_claim="holders/h/skillClaims/s"),
        PageBlock(evidence="holders/h/evidence/e"),
        PageBlock(entry="holders/h/entries/1"),
    ]
    return Page(name="holders/h/pages/1", title="Me", language_code="en", template=2, blocks=blocks)  # type: ignore[arg-type]


def person() -> Holder:
    """A holder with everything that is asked of one."""
    contact = Contact(
        email="an@peeters.example",
        phone="+32 470 12 34 56",
        address_lines=["Kaai 1", "Bus 2"],
        postal_code="9000",
        locality="Ghent",
        region_code="GR",
    )
    holder = Holder(name="holders/h", given_name="An Maria", family_name="Peeters", contact=contact)
    holder.birth_date.year, holder.birth_date.month, holder.birth_date.day = 1971, 4, 30
    holder.summary["en"] = "Welds & teaches."
    return holder


def claim() -> SkillClaim:
    """A skill of ESCO."""
    return SkillClaim(
        name="holders/h/skillClaims/s",
        concept_uri="http://data.europa.eu/esco/skill/welding",
        label={"en": "weld <steel>"},
        level=SKILL_LEVEL_ADVANCED,
        source=SKILL_SOURCE_SELF,
    )


def file() -> Evidence:
    """A stored file."""
    return Evidence(
        name="holders/h/evidence/e",
        title="Diploma",
        file_name="diploma.pdf",
        content_type="application/pdf",
        size_bytes=12,
        sha256="ab" * 32,
    )


def europass_schema() -> etree.XMLSchema:
    """The schema of Europass 3.4."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Elsewhere())
    path = real_data("portfolio/europass-3.4/xsd/EuropassSchema.xsd")
    return etree.XMLSchema(etree.parse(path, parser))


class _Elsewhere(etree.Resolver):
    def resolve(self, url: Any, public_id: Any, context: Any) -> Any:  # type: ignore[override]
        for start, (name, types) in _ELSEWHERE.items():
            if str(url).startswith(PLACE + start):
                return self.resolve_string(_types(name, types), context, base_url=url)
        return None


def _types(name: str, types: dict[str, str]) -> str:
    space = f'targetNamespace="{PLACE.replace("https", "http")}{name}"' if name else ""
    simple = "".join(
        f'<xs:simpleType name="{each}"><xs:restriction base="xs:string"><xs:pattern value="{pattern}"/>'
        "</xs:restriction></xs:simpleType>"
        for each, pattern in types.items()
    )
    return f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" {space}>{simple}</xs:schema>'
