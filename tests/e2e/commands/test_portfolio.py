"""Nouns of the portfolio on the command line, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest

from tests.support.portfolio import PDF
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
OFFICE = "organisations/office"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(50)


def counsellor_of(learner: Person, purpose: str = "guidance") -> tuple[Person, str]:
    """A counsellor with a mandate of the learner, and the name of the mandate."""
    name = f"counsellor:{secrets.token_hex(4)}"
    mandate = learner.gets("mandate", "create", name, OFFICE, "--purpose", purpose)["name"]
    return Person(learner.stack, "--as", name, "--org", OFFICE), mandate


def test_a_person_is_read_and_changed_field_by_field(learner: Person) -> None:
    etag = learner.gets("holder", "show")["etag"]
    learner.prints("holder", "update", "--phone", "+32 3 555 01 23", "--born", "1990-05-17", "--etag", etag)
    shown = learner.gets("holder", "show")
    assert (shown["contact"]["email"], shown["contact"]["phone"]) == ("noor@example.org", "+32 3 555 01 23")
    assert (shown["givenName"], shown["birthDate"]["year"]) == ("Noor", 1990)
    assert re.search(r"^born +1990-05-17$", learner.prints("holder", "show"), re.MULTILINE)
    assert learner.fails("holder", "update", "--given", "Eve", "--etag", etag) == (4, "ETAG_STALE")
    assert learner.fails("holder", "create") == (4, "ALREADY_EXISTS")


def test_entries_are_added_changed_and_removed(learner: Person) -> None:
    more = '{"work": {"weeklyHours": 38}}'
    made = learner.gets("entry", "create", "work", "Welder", "--from", "2019-09", "--more", more)
    name = made["name"]
    assert made["startDate"] == {"year": 2019, "month": 9, "day": 0}
    assert made["work"]["weeklyHours"] == 38
    learner.prints("entry", "update", name, "--to", "2024", "--place", "Ghent")
    changed = learner.gets("entry", "update", name, "--title", "Welder II", "--clear", "endDate")
    assert (changed["title"], changed["place"]) == ("Welder II", "Ghent")
    assert not changed.get("endDate")
    assert re.search(r"^from +2019-09$", learner.prints("entry", "show", name), re.MULTILINE)
    learner.prints(
        "entry", "create", "driving-licence", "B", "--more", '{"drivingLicence": {"categories": ["B"]}}'
    )
    assert "driving licence" in learner.prints("entry", "list")
    assert [each["name"] for each in learner.gets("entry", "list", "--kind", "work")] == [name]
    assert learner.fails("entry", "delete", name, "--etag", made["etag"]) == (4, "ETAG_STALE")
    assert "in the trash until" in learner.prints("entry", "delete", name)
    assert [each["title"] for each in learner.gets("entry", "list")] == ["B"]
    (trashed,) = (each for each in learner.gets("entry", "list", "--trash") if "purgeTime" in each)
    assert trashed["name"] == name
    assert "purgeTime" not in learner.gets("entry", "restore", name)
    learner.prints("entry", "arrange", name)
    assert [each["title"] for each in learner.gets("entry", "list")] == ["Welder II", "B"]


def test_what_an_entry_said_before_is_shown_and_restored(learner: Person) -> None:
    name = learner.gets("entry", "create", "work", "Welder", "--place", "Ghent")["name"]
    assert learner.prints("entry", "revisions", name) == "it was never changed\n"
    etag = learner.gets("entry", "update", name, "--title", "Baker")["etag"]
    assert "Welder" in learner.prints("entry", "revisions", name)
    (former,) = learner.gets("entry", "revisions", name)
    assert "place         Ghent\n" in learner.prints("entry", "revision", former["name"])
    assert learner.gets("entry", "rollback", name, "1", "--etag", etag)["title"] == "Welder"
    assert learner.fails("entry", "rollback", name, "1", "--etag", etag) == (4, "ETAG_STALE")
    assert learner.fails("entry", "rollback", name, "7") == (5, "NOT_FOUND")


def test_a_list_goes_over_pages_and_says_when_there_is_more(learner: Person) -> None:
    made = [learner.gets("entry", "create", "interest", f"interest {n}")["name"] for n in range(3)]
    listed = learner.run("entry", "list", "--limit", "2", "--json")
    assert [each["name"] for each in json.loads(listed.stdout)] == made[:0:-1]
    assert "--limit shows more" in listed.stderr
    whole = learner.run("entry", "list", "--limit", "3", "--json")
    assert len(json.loads(whole.stdout)) == 3
    assert whole.stderr == ""


def test_wrong_usage_names_what_to_write(learner: Person) -> None:
    assert learner.fails("entry", "create", "work", "Welder", "--from", "2019-13") == (2, "")
    assert learner.fails("entry", "create", "work", "Welder", "--more", "38 hours") == (2, "")
    assert learner.fails("holder", "show", "--token", "nonsense") == (2, "")
    assert learner.run("entry", "create", "hobby", "Welder").returncode == 2


def test_skills_are_claimed_and_withdrawn(learner: Person) -> None:
    concept = "http://data.europa.eu/esco/skill/welding"
    made = learner.gets("skill", "create", concept, "--label", "welding", "--level", "advanced")
    assert "welding" in learner.prints("skill", "list")
    assert learner.gets("skill", "show", made["name"])["level"] == "SKILL_LEVEL_ADVANCED"
    assert learner.fails("skill", "create", concept) == (4, "ALREADY_EXISTS")
    changed = learner.gets("skill", "update", made["name"], "--level", "expert", "--last-used", "2024")
    assert (changed["level"], changed["label"]) == ("SKILL_LEVEL_EXPERT", {"en": "welding"})
    learner.prints("skill", "delete", made["name"])
    assert learner.prints("skill", "list") == "no skill yet\n"


def test_gaps_ideas_and_being_counted(learner: Person) -> None:
    assert learner.prints("skill", "ideas") == "no skill yet; see `waymark skill create --help`\n"
    assert learner.fails("skill", "gap", "urn:of:no:taxonomy")[1] in ("NOT_FOUND", "SEARCH_NOT_READY")
    assert learner.prints("skill", "counting", "list") == "no consent was ever given\n"
    receipt = learner.gets("skill", "counting", "give", "woman")
    assert (receipt["gender"], receipt["terms"]) == ("GENDER_WOMAN", "idea-exposure-1")
    assert learner.fails("skill", "counting", "give", "man") == (4, "ALREADY_EXISTS")
    assert "withdrawn" in learner.prints("skill", "counting", "withdraw", receipt["name"])
    auditor = Person(learner.stack, "--as", "auditor")
    assert auditor.gets("exposure", "ideas", "2026-01") == []
    assert auditor.fails("exposure", "ideas", "2999-01") == (4, "INVALID_ARGUMENT")


def test_a_file_goes_in_and_comes_out_the_same(learner: Person, tmp_path: Path) -> None:
    paper, copy = tmp_path / "certificate.pdf", tmp_path / "copy.pdf"
    paper.write_bytes(PDF + b"%" * 3_000_000)
    stored = learner.gets("evidence", "upload", str(paper), "--title", "Welding certificate")
    assert stored["state"] == "STATE_STORED"
    listed = learner.prints("evidence", "list")
    assert "Welding certificate" in listed
    assert listed.endswith(" MB of 5000 MB used\n")
    learner.prints("evidence", "download", stored["name"], "--out", str(copy))
    assert copy.read_bytes() == paper.read_bytes()
    show_a_still(learner, stored["name"], tmp_path)
    assert learner.gets("entry", "create", "certificate", "MIG", "--evidence", stored["name"])["evidence"]
    assert learner.fails("evidence", "delete", stored["name"], "--etag", '"0"') == (4, "ETAG_STALE")
    assert learner.prints("evidence", "delete", stored["name"]) == f"{stored['name']} is gone\n"
    assert learner.prints("evidence", "list") == "no file yet\n0.0 MB of 5000 MB used\n"
    assert learner.gets("entry", "list")[0]["evidence"] == []
    note = tmp_path / "note.txt"
    note.write_text("no type that evidence has")
    assert learner.fails("evidence", "upload", str(note)) == (4, "INVALID_ARGUMENT")


def show_a_still(learner: Person, file: str, folder: Path) -> None:
    """A file gets a small picture, shows it, and is without it again."""
    still, seen = folder / "still.jpg", folder / "seen.jpg"
    still.write_bytes(JPEG)
    assert learner.fails("evidence", "poster", file, "--out", str(seen)) == (5, "NOT_FOUND")
    assert learner.gets("evidence", "set-poster", file, str(still))["hasPoster"]
    learner.prints("evidence", "poster", file, "--out", str(seen))
    assert seen.read_bytes() == JPEG
    learner.prints("evidence", "set-poster", file)
    assert not learner.gets("evidence", "show", file).get("hasPoster")
    assert re.search(r"^title +Welding certificate$", learner.prints("evidence", "show", file), re.MULTILINE)


def test_a_counsellor_sees_under_a_mandate_and_is_seen(learner: Person) -> None:
    counsellor, mandate = counsellor_of(learner)
    holder = learner.gets("holder", "show")["name"]
    job = learner.gets("entry", "create", "work", "Welder")["name"]
    assert counsellor.gets("holder", "show", holder)["givenName"] == "Noor"
    assert "Welder" in counsellor.prints("entry", "list", holder)
    assert counsellor.fails("entry", "delete", job) == (4, "PERMISSION_DENIED")
    log = learner.gets("access-log")
    assert [each["action"] for each in log] == ["ListEntries", "GetHolder"]
    assert all(each["grant"] == mandate for each in log)
    assert "GetHolder" in learner.prints("access-log")
    assert "guidance" in learner.prints("mandate", "list")
    again = learner.gets("mandate", "create", counsellor.who[1], counsellor.who[3])["name"]
    assert "still opens" in learner.prints("mandate", "revoke", mandate)
    assert counsellor.gets("holder", "show", holder)["givenName"] == "Noor"
    assert "no other mandate" in learner.prints("mandate", "revoke", again)
    assert counsellor.fails("holder", "show", holder) == (5, "NOT_FOUND")


def test_a_portfolio_is_erased_after_a_word(learner: Person, employer: Person) -> None:
    learner.prints("entry", "create", "work", "Welder")
    link = learner.gets("share", "create", "holder", "--no-pin")["link"]
    employer.prints("share", "open", link)
    assert re.search(r"^entries +1$", learner.prints("holder", "erase", "--dry-run"), re.MULTILINE)
    refused = learner.run("holder", "erase")  # nobody there to say yes
    assert refused.returncode == 1
    assert "1 entries" in refused.stderr
    assert learner.gets("holder", "show")["givenName"] == "Noor"
    assert learner.gets("holder", "erase", "--yes")["entries"] == 1
    assert learner.fails("holder", "show") == (5, "NOT_FOUND")
    assert employer.fails("share", "open", link) == (5, "NOT_FOUND")
    assert [each["action"] for each in learner.gets("access-log")] == ["OpenShareLink"]
