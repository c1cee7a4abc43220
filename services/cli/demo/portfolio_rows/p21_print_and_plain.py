"""Accessibility: who reads no screen, or not well, has it on paper and in plain words of their language."""

from __future__ import annotations

import re

from services.cli.client import Caller
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.guidance import QUALIFICATION, post
from services.cli.demo.portfolio_rows.p18_cv import WORK, export

LEARNER = "Odile"
LANGUAGES = ("da", "de", "el", "en", "et", "fr", "nl", "pt")
CODES = re.compile(r"\b(?:STATE|KIND|ENTRY_KIND)_[A-Z]+")  # what no person should have to read


def show(journey: Journey) -> str:
    """REST: the pass of a pathway for print, which screen readers read too, and the CV as a page in plain
    words; each in eight languages."""
    learner, name = holder(journey, LEARNER)
    learner.rest("POST", f"/v1/{name}/entries", WORK)
    target = {"qualificationUri": QUALIFICATION, "eqfLevel": 4, "title": "Beekeeper"}
    way = learner.rest("POST", f"/v1/{name}/pathways", {"title": "To the hives", "target": target})["name"]
    post(learner, f"{way}:addStep", {"step": {"kind": "KIND_EXAM", "title": "Hive inspection"}})
    sizes = [printed(learner, way, language) for language in LANGUAGES]
    headings = {headed(export(learner, name, "HTML", language_code=each), each) for each in LANGUAGES}
    expect(len(headings) == len(LANGUAGES), f"the pages are headed {sorted(headings)}")
    return (
        f"the pass on paper in {', '.join(LANGUAGES)}, of {min(sizes)} to {max(sizes)} bytes, each read "
        f"aloud in order; the page in plain words: {', '.join(sorted(headings))}"
    )


def printed(learner: Caller, way: str, language: str) -> int:
    """The pass in a language, as PDF/UA-1 that names it; returns its size in bytes."""
    paper = learner.rest_bytes("POST", f"/v1/{way}:pass", {"languageCode": language})
    for mark in (b"<pdfuaid:part>1</pdfuaid:part>", f"<rdf:li>{language}</rdf:li>".encode()):
        expect(mark in paper, f"the pass in {language!r} lacks {mark.decode()}")
    return len(paper)


def headed(page: bytes, language: str) -> str:
    """The heading of a page's first part; the page names its language, has one title and says no codes."""
    text = page.decode()
    expect(f'<html lang="{language}"' in text, f"the page does not say that it is in {language!r}")
    expect(text.count("<h1") == 1, f"the page in {language!r} has {text.count('<h1')} titles")
    expect(not CODES.search(text), f"the page in {language!r} says {CODES.findall(text)}")
    heading = re.search(r"<h2[^>]*>([^<]+)</h2>", text)
    expect(heading is not None, f"the page in {language!r} has no heading")
    return heading[1].strip() if heading else ""


STEP = Step("print-and-plain", "On paper and in plain words, in eight languages", ("P21",), show)
