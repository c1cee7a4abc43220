"""Pathways on the command line, on a real stack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.commands.test_portfolio import counsellor_of
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
WELDER = "http://data.europa.eu/esco/isco/C7212"


def test_a_pathway_is_drawn_up_agreed_and_walked(learner: Person, tmp_path: Path) -> None:
    counsellor, _ = counsellor_of(learner, "pathway")
    holder = learner.gets("holder", "show")["name"]
    name = counsellor.gets("pathway", "create", "To welding", holder, "--occupation", WELDER)["name"]
    first = counsellor.gets("pathway", "add-step", name, "document", "Residence permit")["steps"][0]["name"]
    due = ("--after", first, "--due", "2030-01-31")
    exam = counsellor.gets("pathway", "add-step", name, "exam", "Entry", *due)["steps"][1]
    changed = counsellor.gets(
        "pathway", "change-step", exam["name"], "--title", "Entry test", "--due", "2030-02-01"
    )
    assert changed["steps"][1]["prerequisites"] == [first]
    etag = changed["etag"]
    moved = ("pathway", "change-step", exam["name"], "--due", "2030-01-31", "--etag", etag)
    counsellor.prints(*moved)
    assert counsellor.fails(*moved) == (4, "ETAG_STALE")
    learner.prints("pathway", "agree", name)
    assert learner.fails("pathway", "start", name) == (4, "WRONG_STATE")
    counsellor.prints("pathway", "agree", name)
    learner.prints("pathway", "start", name)
    learner.prints("pathway", "move-step", first, "evidence-submitted")
    counsellor.prints("pathway", "move-step", first, "confirmed")
    spell = learner.gets("pathway", "add-spell", name, "employed", "2026-09-01")["spells"][0]["name"]
    learner.prints("pathway", "end-spell", spell, "2026-10-31")
    learner.prints("pathway", "pause", name)
    learner.prints("pathway", "resume", name)
    shown = learner.prints("pathway", "show", name)
    for text in ("active", "Residence permit", "confirmed", "2030-01-31", "employed", "2026-10-31"):
        assert text in shown
    assert counsellor.fails("pathway", "achieve", name) == (4, "PATHWAY_STEPS_OPEN")
    assert "To welding" in learner.prints("pathway", "list")
    assert [each["actor"] for each in learner.gets("pathway", "words", name)][:2] == ["counsellor", "holder"]
    assert counsellor.prints("pathway", "stalled") == "every pathway moves\n"
    link, paper = learner.gets("share", "create", "pathways")["link"], tmp_path / "pass.pdf"
    learner.prints("pathway", "pass", name, "--language", "nl", "--link", link, "--out", str(paper))
    assert paper.read_bytes().startswith(b"%PDF-")
    learner.prints("pathway", "abandon", name, "another plan")
    assert learner.gets("pathway", "show", name)["state"] == "STATE_ABANDONED"


def test_a_pathway_goes_on_elsewhere(learner: Person) -> None:
    counsellor, _ = counsellor_of(learner, "pathway")
    name = learner.gets("pathway", "create", "To welding", "--occupation", WELDER)["name"]
    leaving = ("pathway", "transfer", name, "the office of Ghent")
    assert counsellor.fails(*leaving) == (4, "WRONG_STATE")  # nobody agreed to it yet
    for person in (learner, counsellor):
        person.prints("pathway", "agree", name)
    assert re.search(r"^ended for +the office of Ghent$", counsellor.prints(*leaving), re.MULTILINE)
    assert learner.gets("pathway", "show", name)["state"] == "STATE_TRANSFERRED"
    assert learner.fails("pathway", "start", name) == (4, "WRONG_STATE")
