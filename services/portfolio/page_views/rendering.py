"""Pages as HTML and PDF: one text for both. Whatever a person wrote is escaped; tags are ours alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from waymark.portfolio.v1.credential_pb2 import Credential
from waymark.portfolio.v1.entry_pb2 import Entry, EntryKind
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.page_pb2 import PAGE_TEMPLATE_OVERVIEW, SharedItem, SharedPage

from services.platform.days import day_of
from services.platform.paper import pages as paper
from services.platform.paper.printing import pdf_of
from services.portfolio.domain.page_text import pieces
from services.portfolio.formats import page as cv_page
from services.portfolio.formats.texts import clean, line

_FOLDER = Path(__file__).parent
_TAGS = {"heading": "h2", "list": "ul", "paragraph": "p"}


class Element(NamedTuple):
    """One element of the page's body: `ul` with a text for each item, any other tag with one text."""

    tag: str
    texts: Sequence[str]


class Spoken(NamedTuple):
    """A language, and the words of headings and of levels and kinds in it."""

    language: str
    words: Mapping[str, Any]
    of_cv: Mapping[str, Any]


def as_html(pages: Sequence[SharedPage]) -> bytes:
    """Returns pages as one HTML, UTF-8, each beginning with its `h1`; on paper each begins a sheet."""
    elements = [element for page in pages for element in _page(page)]
    title = next((each.texts[0] for each in elements if each.tag == "h1"), "")
    language = _language(pages)
    template = paper.templates(_FOLDER).get_template("page.html")
    return template.render(lang=language, title=title, elements=elements).encode()


def as_pdf(pages: Sequence[SharedPage]) -> bytes:
    """Returns pages as PDF/UA-1."""
    return pdf_of(as_html(pages), _language(pages))


def _language(pages: Sequence[SharedPage]) -> str:
    return paper.language_of(pages[0].language_code if pages else "")


def _page(page: SharedPage) -> Iterator[Element]:
    language = paper.language_of(page.language_code)
    words = paper.words_of(_FOLDER / "words", language)
    spoken = Spoken(page.language_code or language, words, cv_page.words_in(language))
    yield Element("h1", [line(page.title) or words["untitled"]])
    yield from _overview(page, spoken) if page.template == PAGE_TEMPLATE_OVERVIEW else _story(page, spoken)
    if page.comments:
        yield Element("h2", [words["comments"]])
    for comment in page.comments:
        yield from _text(comment.text)
        day = day_of(comment.comment_time.ToDatetime(UTC))
        yield Element("p", [f"— {line(comment.author)}, {day.isoformat()}"])


def _story(page: SharedPage, spoken: Spoken) -> Iterator[Element]:
    """Block after block; skills, files and credentials that follow one another are a list."""
    for kind, items in groupby(page.items, _kind):
        if kind == "text":
            for item in items:
                yield from _text(item.text)
        elif kind == "entry":
            for item in items:
                yield from _entry(item.entry, spoken, "h2")
        else:
            yield Element("ul", [_line(item, spoken) for item in items])


def _overview(page: SharedPage, spoken: Spoken) -> Iterator[Element]:
    """Texts first, then things under a heading for each kind."""
    for item in page.items:
        if _kind(item) == "text":
            yield from _text(item.text)
    entries = [item.entry for item in page.items if _kind(item) == "entry"]
    for name in cv_page.ORDER:
        found = [entry for entry in entries if entry.kind == EntryKind.Value(f"ENTRY_KIND_{name}")]
        if found:
            yield Element("h2", [spoken.of_cv["kinds"][name]])
        for entry in found:
            yield from _entry(entry, spoken, "h3")
    headings = {
        "skill_claim": spoken.of_cv["skills"],
        "evidence": spoken.words["files"],
        "credential": spoken.words["credentials"],
    }
    for kind, heading in headings.items():
        lines = [_line(item, spoken) for item in page.items if _kind(item) == kind]
        if lines:
            yield Element("h2", [heading])
            yield Element("ul", lines)


def _kind(item: SharedItem) -> str:
    return item.WhichOneof("content") or ""


def _text(text: str) -> Iterator[Element]:
    for piece in pieces(clean(text)):
        yield Element(_TAGS[piece.kind], piece.texts)


def _entry(entry: Entry, spoken: Spoken, tag: str) -> Iterator[Element]:
    item = cv_page.item_of(entry, spoken.language, spoken.of_cv)
    yield Element(tag, [line(item.heading)])
    for said in (*item.lines, *item.paragraphs):
        yield Element("p", [said])


def _line(item: SharedItem, spoken: Spoken) -> str:
    if _kind(item) == "skill_claim":
        return cv_page.skill_of(item.skill_claim, spoken.language, spoken.of_cv)
    return _file(item.evidence) if _kind(item) == "evidence" else _credential(item.credential)


def _file(evidence: Evidence) -> str:
    name = line(evidence.file_name)
    return f"{line(evidence.title)} ({name})" if evidence.title else name


def _credential(credential: Credential) -> str:
    summary = credential.summary
    return ", ".join(filter(None, (line(summary.title), line(summary.issuer_name))))
