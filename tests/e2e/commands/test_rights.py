"""The rights of a holder on the command line, on a real stack."""

from __future__ import annotations

import json
import secrets
import zipfile
from pathlib import Path

import pytest

from tests.support.portfolio import PDF
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
OFFICE = "organisations/office"


def test_everything_goes_into_a_file_that_opens(learner: Person, tmp_path: Path) -> None:
    paper, out = tmp_path / "certificate.pdf", tmp_path / "all.zip"
    paper.write_bytes(PDF + b"%" * 3_000_000)
    learner.prints("evidence", "upload", str(paper), "--title", "Welding certificate")
    told = learner.gets("holder", "export", "--output", str(out))
    assert told == {"file": str(out), "bytes": out.stat().st_size}
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("data/holder.json"))[0]["givenName"] == "Noor"
        assert "Welding certificate" in archive.read("index.html").decode()
        (file,) = json.loads(archive.read("data/files.json"))
        assert archive.read(file["path"]) == paper.read_bytes()
    draft = tmp_path / ".again.zip.part"  # as a break leaves it
    draft.write_bytes(out.read_bytes()[:2_000_000])
    again = tmp_path / "again.zip"
    learner.prints("holder", "export", "--output", str(again))
    assert again.read_bytes() == out.read_bytes()
    small = tmp_path / "small.zip"
    assert "small.zip: " in learner.prints("holder", "export", "--output", str(small), "--no-files")
    assert small.stat().st_size < 100_000
    nobody = Person(learner.stack, "--as", f"learner:{secrets.token_hex(4)}")
    missing = tmp_path / "none.zip"
    assert nobody.fails("holder", "export", "--output", str(missing)) == (5, "NOT_FOUND")
    assert sorted(tmp_path.iterdir()) == [again, out, paper, small]  # nothing half is left behind


def test_a_restriction_is_asked_for_answered_and_lifted(learner: Person) -> None:
    desk = Person(learner.stack, "--as", f"caseworker:{secrets.token_hex(4)}")
    counsellor = Person(learner.stack, "--as", f"counsellor:{secrets.token_hex(4)}", "--org", OFFICE)
    holder = learner.gets("holder", "show")["name"]
    learner.prints("mandate", "create", counsellor.who[1], OFFICE)
    name = learner.gets("rights", "ask", "restriction", "--text", "while I am away")["name"]
    due = desk.gets("rights", "due", "--days", "32", "--limit", "500")
    assert name in [each["name"] for each in due]
    assert desk.fails("rights", "deliver", name) == (4, "WRONG_STATE")
    assert desk.gets("rights", "show", name)["text"] == "while I am away"
    desk.prints("rights", "check-identity", name, "in-person")
    desk.prints("rights", "prepare", name)
    extended = desk.gets("rights", "extend", name, "the register is closed")
    assert extended["dueTime"] > extended["createTime"]
    assert desk.gets("rights", "deliver", name, "--note", "done")["state"] == "STATE_DELIVERED"
    assert counsellor.fails("holder", "show", holder) == (4, "PROCESSING_RESTRICTED")
    assert "restricted" in learner.prints("holder", "show")
    learner.prints("holder", "lift-restriction")
    assert counsellor.gets("holder", "show", holder)["givenName"] == "Noor"
    again = learner.gets("rights", "ask", "access")["name"]
    desk.prints("rights", "refuse", again, "identity-not-shown", "--note", "bring a document")
    third = learner.gets("rights", "ask", "rectification")["name"]
    assert "withdrawn" in learner.prints("rights", "withdraw", third)
    assert "partly refused" in learner.prints("rights", "list")


def test_the_law_holds_an_erasure_up(learner: Person) -> None:
    desk = Person(learner.stack, "--as", f"caseworker:{secrets.token_hex(4)}")
    holder = learner.gets("holder", "show")["name"]
    hold = desk.gets("legal-hold", "set", holder, "Art. 17(3)(e): a claim is pending")["name"]
    assert "a claim is pending" in learner.prints("legal-hold", "list")
    assert learner.fails("holder", "erase", "--yes") == (4, "ERASURE_HELD")
    learner.gets("holder", "update", "--given", "Eve")
    (kept,) = learner.gets("legal-hold", "kept")
    assert kept["holder"]["givenName"] == "Noor"
    assert holder in learner.prints("legal-hold", "kept")
    assert desk.gets("legal-hold", "lift", hold, "settled")["state"] == "STATE_LIFTED"
    assert learner.gets("holder", "erase", "--yes")["eraseTime"]


def test_a_look_without_leave_is_opened_ended_and_reviewed(learner: Person) -> None:
    night = Person(learner.stack, "--as", f"counsellor:{secrets.token_hex(4)}", "--org", OFFICE)
    head = Person(learner.stack, "--as", f"supervisor:{secrets.token_hex(4)}")
    holder = learner.gets("holder", "show")["name"]
    assert night.fails("holder", "show", holder) == (5, "NOT_FOUND")
    name = night.gets("break-glass", "open", holder, "danger", "found unconscious at the quay")["name"]
    assert night.gets("holder", "show", holder)["givenName"] == "Noor"
    waiting = head.gets("break-glass", "unreviewed", "--limit", "500")
    assert name in [each["name"] for each in waiting]
    assert "ended" in night.prints("break-glass", "end", name)
    assert night.fails("holder", "show", holder) == (5, "NOT_FOUND")
    head.prints("break-glass", "review", name, "unjustified", "no reason for it")
    listed = learner.prints("break-glass", "list")
    assert all(each in listed for each in ("unjustified", "reason", "because"))
    assert learner.gets("break-glass", "show", name)["reviewNote"] == "no reason for it"
    assert head.gets("break-glass", "alarms") == []  # nobody here looks at as many as anybody may
    assert learner.fails("break-glass", "alarms") == (4, "PERMISSION_DENIED")
    assert name in {each["grant"] for each in learner.gets("access-log")}
