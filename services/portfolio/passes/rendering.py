"""A pathway on paper: a tagged PDF in one of four languages, with a QR of a share link where one is given."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import segno
from babel.dates import format_date
from google.type.date_pb2 import Date
from waymark.portfolio.v1.pathway_pb2 import Pathway

from services.platform.paper import pages
from services.platform.paper.printing import typeset
from services.portfolio.domain.dates import to_date

_FOLDER = Path(__file__).parent


def as_pdf(pathway: Pathway, holder: str, language_code: str, address: str = "") -> bytes:
    """Returns the pass as PDF/UA-1. `holder`: the name; `language_code`: BCP 47, English for one that
    is not of pages.LANGUAGES; `address`: what the QR says, "" for none."""
    language = pages.language_of(language_code)
    said = said_of(pathway, holder, language) | {"qr": _qr(address) if address else ""}
    return typeset(_FOLDER / "pass.typ", said)


def said_of(pathway: Pathway, holder: str, language: str) -> dict[str, Any]:
    """Returns what the pass says, in words of one of pages.LANGUAGES."""
    words, target = pages.words_of(_FOLDER / "texts", language), pathway.target
    both = pathway.holder_agreed_revision == pathway.counsellor_agreed_revision == pathway.revision
    facts = [
        (words["holder"], holder),
        (words["target"], target.title or target.qualification_uri or target.occupation_uri),
        (words["level"], str(target.eqf_level or "")),
        (words["agreed" if both else "proposed"], str(pathway.revision)),
    ]
    steps = [
        f"{step.title}: {words['step'][str(int(step.state))]}"
        + (f", {words['until']} {_day(step.due_date, language)}" if step.HasField("due_date") else "")
        for step in pathway.steps
    ]
    spells = [
        f"{words['spell'][str(int(spell.kind))]}: {_day(spell.start_date, language)} – "
        + (_day(spell.end_date, language) if spell.HasField("end_date") else "")
        for spell in pathway.spells
    ]
    return {
        "lang": language,
        "title": pathway.title or words["title"],
        "facts": [fact for fact in facts if fact[1]],
        "parts": [
            {"title": words["steps"], "lines": steps or [words["none"]]},
            {"title": words["beside"], "lines": spells or [words["none"]]},
        ],
        "scan": words["scan"],
    }


def _qr(address: str) -> str:
    """Returns a QR code as SVG."""
    svg = io.BytesIO()
    segno.make(address, error="m", micro=False).save(svg, kind="svg", scale=4)
    return svg.getvalue().decode()


def _day(value: Date, language: str) -> str:
    day: date = to_date(value)
    return format_date(day, "long", locale=language)
