"""Text blocks, templates, and that nothing a person wrote becomes markup."""

from __future__ import annotations

import pytest
from lxml import html
from waymark.portfolio.v1 import page_pb2 as pb
from waymark.portfolio.v1.credential_pb2 import Credential, CredentialSummary
from waymark.portfolio.v1.entry_pb2 import ENTRY_KIND_EDUCATION, ENTRY_KIND_WORK, Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_LEVEL_ADVANCED, SkillClaim

from services.portfolio.domain.page_text import Piece, pieces
from services.portfolio.page_views import rendering

HOSTILE = '<script>alert("x")</script> {{ 7 * 7 }} &amp; [a](javascript:b)'


def shared(*items: pb.SharedItem, **fields: object) -> pb.SharedPage:
    return pb.SharedPage(title="Me", items=items, **fields)  # type: ignore[arg-type]


def outline(page: pb.SharedPage) -> list[tuple[str, str]]:
    read = html.fromstring(rendering.as_html([page]).decode())
    return [
        (each.tag, " | ".join(line.strip() for line in each.itertext() if line.strip()))
        for each in read.find("body/main")
    ]


ITEMS = (
    pb.SharedItem(entry=Entry(kind=ENTRY_KIND_WORK, title="Welder")),
    pb.SharedItem(skill_claim=SkillClaim(label={"en": "weld"}, level=SKILL_LEVEL_ADVANCED)),
    pb.SharedItem(skill_claim=SkillClaim(label={"en": "read plans"})),
    pb.SharedItem(text="# About\nI weld.\n- arc\n- gas"),
    pb.SharedItem(entry=Entry(kind=ENTRY_KIND_EDUCATION, title="Yard school")),
    pb.SharedItem(evidence=Evidence(title="A seam", file_name="seam.mp4")),
    pb.SharedItem(credential=Credential(summary=CredentialSummary(title="Badge", issuer_name="Guild"))),
)


def test_a_text_has_headings_lists_and_paragraphs() -> None:
    said = "# One\n# Two\nA line\nof text.\n\nNext.\n- a\n-  b\n-c\n\n<b>bold</b> **bold**"
    assert pieces(said) == [
        Piece("heading", ["One"]),
        Piece("heading", ["Two"]),
        Piece("paragraph", ["A line of text."]),
        Piece("paragraph", ["Next."]),
        Piece("list", ["a", "b"]),
        Piece("paragraph", ["-c"]),
        Piece("paragraph", ["<b>bold</b> **bold**"]),
    ]
    assert pieces(" \n\n") == []


def test_a_story_keeps_the_order_and_an_overview_goes_by_kind() -> None:
    assert outline(shared(*ITEMS)) == [
        ("h1", "Me"),
        ("h2", "Welder"),
        ("ul", "weld (advanced) | read plans"),
        ("h2", "About"),
        ("p", "I weld."),
        ("ul", "arc | gas"),
        ("h2", "Yard school"),
        ("ul", "A seam (seam.mp4)"),
        ("ul", "Badge, Guild"),
    ]
    assert outline(shared(*ITEMS, template=pb.PAGE_TEMPLATE_OVERVIEW, language_code="nl-BE")) == [
        ("h1", "Me"),
        ("h2", "About"),
        ("p", "I weld."),
        ("ul", "arc | gas"),
        ("h2", "Werk"),
        ("h3", "Welder"),
        ("h2", "Opleiding"),
        ("h3", "Yard school"),
        ("h2", "Vaardigheden"),
        ("ul", "weld (gevorderd) | read plans"),
        ("h2", "Bestanden"),
        ("ul", "A seam (seam.mp4)"),
        ("h2", "Bewijzen"),
        ("ul", "Badge, Guild"),
    ]


@pytest.mark.parametrize("template", [pb.PAGE_TEMPLATE_STORY, pb.PAGE_TEMPLATE_OVERVIEW])
def test_whatever_a_person_wrote_is_words(template: pb.PageTemplate.ValueType) -> None:
    items = (
        pb.SharedItem(text=f"# {HOSTILE}\n{HOSTILE}\n- {HOSTILE}"),
        pb.SharedItem(entry=Entry(kind=ENTRY_KIND_WORK, title=HOSTILE, place=HOSTILE)),
        pb.SharedItem(skill_claim=SkillClaim(label={"en": HOSTILE})),
        pb.SharedItem(evidence=Evidence(title=HOSTILE, file_name=HOSTILE)),
        pb.SharedItem(credential=Credential(summary=CredentialSummary(title=HOSTILE))),
    )
    said = pb.SharedComment(author=HOSTILE, text=HOSTILE)
    page = pb.SharedPage(title=HOSTILE, items=items, comments=[said], template=template)
    written = rendering.as_html([page]).decode()
    read = html.fromstring(written)
    assert not read.xpath("//script | //a | //b | //@onload | //@href")
    assert {each.tag for each in read.find("body/main").iter()} <= {"main", "h1", "h2", "h3", "p", "ul", "li"}
    assert read.text_content().count(HOSTILE) == 13  # each is there, as it was written
    assert "49" not in written


def test_without_escaping_it_would_be_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""
    template = rendering.paper.templates(rendering._FOLDER)
    monkeypatch.setattr(template, "autoescape", False)
    monkeypatch.setattr(template, "cache", None)
    page = pb.SharedPage(title="Me", items=[pb.SharedItem(text=HOSTILE)])
    assert html.fromstring(rendering.as_html([page]).decode()).xpath("//script")


def test_pages_and_comments_are_printed_from_the_same_text() -> None:
    comment = pb.SharedComment(author="Tom", text="Good seams.")
    pages = [shared(*ITEMS, comments=[comment]), pb.SharedPage(items=[pb.SharedItem(text="Second.")])]
    printed = rendering.as_pdf(pages)
    assert printed.startswith(b"%PDF-")
    for mark in (b"<pdfuaid:part>1</pdfuaid:part>", b"/StructTreeRoot"):
        assert mark in printed
    assert len(printed) > len(rendering.as_pdf(pages[1:]))
    for said in (("h2", "Comments"), ("p", "Good seams."), ("p", "— Tom, 1970-01-01")):
        assert said in outline(pages[0])
    assert outline(pages[1])[0] == ("h1", "Page")
    written = rendering.as_html(pages).decode()
    assert "@media print" in written
    assert written.count("<h1>") == 2
