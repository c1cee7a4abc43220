"""A CV for people: as a web page, and as PDF from that page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from waymark.portfolio.v1.entry_pb2 import Entry, EntryKind
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim, SkillLevel

from services.platform.paper import pages
from services.platform.paper.printing import Attached, lacking, pdf_of
from services.portfolio.formats import candidate, carried_reading, languages
from services.portfolio.formats.format import LARGE, Cv, Format, Opened
from services.portfolio.formats.texts import as_iso, chosen, clean

_FOLDER = Path(__file__).parent
# What a reader of a CV looks for first.
ORDER = (
    "WORK",
    "EDUCATION",
    "VOLUNTEERING",
    "CARE_WORK",
    "CERTIFICATE",
    "LANGUAGE",
    "PROJECT",
    "PUBLICATION",
    "DRIVING_LICENCE",
    "INTEREST",
)


class Item(NamedTuple):
    """An entry as it is shown."""

    heading: str
    lines: list[str]
    paragraphs: list[str]


def words_in(language: str) -> Mapping[str, Any]:
    """Returns the words of headings, kinds and levels in one of pages.LANGUAGES."""
    return pages.words_of(_FOLDER / "words", language)


def as_html(cv: Cv, carried: bytes = b"") -> bytes:
    """Returns the CV as HTML, UTF-8: one `h1`, sections in order, the language of the words named. `carried`:
    an XML document of the same CV for machines, which is its alternate."""
    language = pages.language_of(cv.language)
    words, holder = words_in(language), cv.portfolio.holder
    name = clean(f"{holder.given_name} {holder.family_name}")
    page = (
        pages.templates(_FOLDER)
        .get_template("cv.html")
        .render(
            lang=language,
            t=words,
            title=name or words["title" if cv.portfolio.HasField("holder") else "anonymous"],
            contact=list(_contact(holder)),
            headline=clean(cv.headline),
            **(_letter(cv) if cv.letter else _body(cv, words)),
            said_in=cv.language if cv.language != language else "",
            carried=b64encode(carried).decode(),
        )
    )
    return page.encode()


def _body(cv: Cv, words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "summary": _paragraphs(cv.portfolio.holder.summary, cv.language),
        "sections": list(_sections(cv, words)),
        "skills": [skill_of(claim, cv.language, words) for claim in cv.portfolio.skill_claims],
    }


def _letter(cv: Cv) -> dict[str, Any]:
    return {"summary": _paragraphs({cv.language: cv.letter}, cv.language), "sections": [], "skills": []}


def write_html(cv: Cv, files: Opened) -> Iterator[bytes]:
    """Yields the page; a CV carries what Europass reads in a link of its head."""
    yield as_html(cv, _data(cv, files))


def write_pdf(cv: Cv, files: Opened) -> Iterator[bytes]:
    """Yields the page as PDF/UA-1; a CV has what Europass reads attached, by the name that its PDFs have."""
    data = _data(cv, files)
    attached = Attached("attachment.xml", data) if data else None
    yield pdf_of(as_html(cv), pages.language_of(cv.language), attached)


def _data(cv: Cv, files: Opened) -> bytes:
    """Returns for machines what a CV shows people; a letter has nothing of the kind."""
    return b"" if cv.letter else b"".join(candidate.write(cv, files))


def _contact(holder: Holder) -> Iterator[str]:
    contact = holder.contact
    town = " ".join(filter(None, (contact.postal_code, contact.locality, contact.region_code)))
    address = ", ".join(filter(None, (*map(clean, contact.address_lines), town)))
    yield from filter(None, (address, contact.email, contact.phone, as_iso(holder.birth_date)))


def _sections(cv: Cv, words: Mapping[str, Any]) -> Iterator[tuple[str, list[Item]]]:
    for kind in ORDER:
        number = EntryKind.Value(f"ENTRY_KIND_{kind}")
        items = [item_of(each, cv.language, words) for each in cv.portfolio.entries if each.kind == number]
        if items:
            yield words["kinds"][kind], items


def item_of(entry: Entry, language: str, words: Mapping[str, Any]) -> Item:
    """Returns an entry as it is shown, what it says in several languages in one of them."""
    where = ", ".join(filter(None, (clean(entry.organisation), clean(entry.place))))
    lines = [_period(entry, words), where, *_details(entry, words), entry.uri]
    heading = clean(entry.title) or where or words["kinds"][EntryKind.Name(entry.kind)[len("ENTRY_KIND_") :]]
    return Item(heading, list(filter(None, lines)), _paragraphs(entry.description, language))


def _period(entry: Entry, words: Mapping[str, Any]) -> str:
    start, end = as_iso(entry.start_date), as_iso(entry.end_date)
    if not start:
        return end
    return f"{start} – {end or words['current']}"


def _details(entry: Entry, words: Mapping[str, Any]) -> Iterator[str]:
    if entry.education.eqf_level:
        yield f"{words['eqf']} {entry.education.eqf_level}"
    if entry.work.weekly_hours:
        yield f"{entry.work.weekly_hours} {words['hours']}"
    if entry.language.native:
        yield words["native"]
    levels = ((skill, languages.level_name(getattr(entry.language, skill))) for skill in languages.SKILLS)
    yield ", ".join(f"{words[skill]} {level}" for skill, level in levels if level)
    if entry.certificate.identifier:
        yield f"{words['number']} {clean(entry.certificate.identifier)}"
    if entry.driving_licence.categories:
        yield f"{words['categories']} {', '.join(entry.driving_licence.categories)}"
    for expires in (entry.certificate.expire_date, entry.driving_licence.expire_date):
        if expires.year:
            yield f"{words['valid']} {as_iso(expires)}"


def skill_of(claim: SkillClaim, language: str, words: Mapping[str, Any]) -> str:
    """Returns a skill as it is shown, in one line."""
    label = clean(chosen(claim.label, language)) or claim.concept_uri
    if not claim.level:
        return label
    return f"{label} ({words['levels'][SkillLevel.Name(claim.level)[len('SKILL_LEVEL_') :]]})"


def _paragraphs(texts: Mapping[str, str], language: str) -> list[str]:
    return [line for line in clean(chosen(texts, language)).split("\n") if line]


# What a page shows of a portfolio, and so what its report does not list.
_SHOWN = (
    "holder.given_name",
    "holder.family_name",
    "holder.birth_date",
    "holder.contact",
    "holder.summary",
    "entries.kind",
    "entries.title",
    "entries.organisation",
    "entries.place",
    "entries.start_date",
    "entries.end_date",
    "entries.description",
    "entries.uri",
    "entries.education.eqf_level",
    "entries.work.weekly_hours",
    "entries.language",
    "entries.certificate",
    "entries.driving_licence",
    "skill_claims.label",
    "skill_claims.level",
)
_read_html = partial(carried_reading.read, carried_reading.PAGE)
_read_pdf = partial(carried_reading.read, carried_reading.PDF)
HTML = Format("text/html; charset=utf-8", write_html, _read_html, _SHOWN, LARGE)
PDF = Format("application/pdf", write_pdf, _read_pdf, _SHOWN, LARGE, lacking)
