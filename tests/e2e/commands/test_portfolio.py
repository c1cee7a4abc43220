"""Nouns of the portfolio on the command line, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support.pdf import with_photo
from tests.support.portfolio import PDF
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
SAMPLES = Path(__file__).resolve().parents[3] / "samples"
OFFICE = "organisations/office"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(50)
WELDER = "http://data.europa.eu/esco/isco/C7212"


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


def test_an_archive_with_files_moves_into_another_portfolio(learner: Person, tmp_path: Path) -> None:
    paper, archive = tmp_path / "certificate.pdf", tmp_path / "all.zip"
    paper.write_bytes(PDF + bytes(n * n % 251 for n in range(900_000)))
    stored = learner.gets("evidence", "upload", str(paper), "--title", "Welding certificate")
    learner.gets("entry", "create", "certificate", "MIG", "--evidence", stored["name"])
    learner.gets("journal", "write", "Went up", "--tag", "heights")
    learner.gets("plan", "task", learner.gets("plan", "create", "To the yard")["name"], "Ask")
    assert "journal" not in learner.prints("cv", "report", "--format", "leap2a", "--journal-and-plans")
    learner.prints("cv", "export", "--format", "leap2a", "--out", str(archive), "--journal-and-plans")
    with zipfile.ZipFile(archive, "a") as packed:  # as one from elsewhere may have
        packed.writestr("files/notes.txt", "no type that evidence has")
    other = Person(learner.stack, "--as", f"learner:{secrets.token_hex(4)}")
    other.prints("holder", "create", "--given", "Noor", "--family", "Other", "--email", "n@example.org")
    moved = other.gets("cv", "import", "--format", "leap2a", str(archive), "--with-files")
    told = {each["field"] for each in moved["notCarried"]}
    assert told == {"holder.contact", "holder.family_name", "files/notes.txt"}
    assert (moved["journalEntries"], moved["planTitles"]) == (1, ["To the yard"])
    assert [each["tags"] for each in other.gets("journal", "list")] == [["heights"]]
    (there,) = other.gets("evidence", "list")
    assert (there["title"], there["fileName"]) == ("Welding certificate", "certificate.pdf")
    assert there["sha256"] == stored["sha256"]
    (entry,) = other.gets("entry", "list")
    assert entry["evidence"] == [there["name"]]
    again = other.gets("cv", "import", "--format", "leap2a", str(archive), "--with-files")
    assert again["duplicates"] == 3
    assert len(other.gets("evidence", "list")) == 1
    archive.write_bytes(b"%PDF-" + archive.read_bytes())
    assert other.fails("cv", "import", "--format", "leap2a", str(archive), "--with-files")[0] == 2
    assert other.fails("cv", "import", "--format", "pdf", str(archive), "--with-files")[0] == 2


def test_what_a_document_says_beyond_the_portfolio_is_kept_shown_and_forgotten(
    learner: Person, tmp_path: Path
) -> None:
    file, out = tmp_path / "cv.json", tmp_path / "out.json"
    gender, sings = {"Gender": {"Code": "F"}}, {"Other": {"Description": "Sings"}}
    said = {"LearnerInfo": {"Identification": {"Demographics": gender}, "Skills": sings}}
    file.write_text(json.dumps({"SkillsPassport": said}), encoding="utf-8")
    told = learner.gets("cv", "import", "--format", "europass-json", str(file))["notCarried"]
    assert all(each["setAside"] for each in told)
    kept = {each["path"]: each["name"] for each in learner.gets("cv", "set-aside")}
    assert kept.keys() == {
        "LearnerInfo.Identification.Demographics.Gender",
        "LearnerInfo.Skills.Other",
    }

    def written(*more: str) -> str:
        learner.prints("cv", "export", "--format", "europass-json", "--out", str(out), *more)
        return out.read_text(encoding="utf-8")

    assert '"F"' in written()
    assert "Sings" not in written("--portfolio-only")
    learner.prints("cv", "forget", kept["LearnerInfo.Identification.Demographics.Gender"])
    assert '"F"' not in written()
    assert "Sings" in written()


def test_a_cv_of_europass_comes_back_as_xml_and_as_pdf(learner: Person, tmp_path: Path) -> None:
    learner.gets("entry", "create", "work", "Welder", "--from", "2019-04", "--organisation", "Yard")
    learner.gets("entry", "create", "interest", "Bees")
    other = Person(learner.stack, "--as", f"learner:{secrets.token_hex(4)}")
    other.prints("holder", "create", "--given", "Noor", "--family", "Verbeke", "--email", "noor@example.org")
    for number, format_ in enumerate(("europass-candidate-xml", "pdf")):
        file = tmp_path / format_
        learner.prints("cv", "export", "--format", format_, "--out", str(file))
        brought = other.gets("cv", "import", "--format", format_, str(file))
        assert brought.get("entryTitles", []) == ([] if number else ["Welder", "Bees"])
        assert brought.get("duplicates", 0) == 2 * number
        assert not brought.get("notCarried")
    assert [each["title"] for each in other.gets("entry", "list")] == ["Welder", "Bees"]
    printed = tmp_path / "printed.pdf"
    printed.write_bytes(PDF)
    code, reason = other.fails("cv", "import", "--format", "pdf", str(printed))
    assert (code, reason in ("DOCUMENT_WITHOUT_DATA", "DOCUMENT_UNREADABLE")) == (4, True)
    version = learner.gets("cv", "create", "--title", "Welder", "--letter", str(_letter(tmp_path)))["name"]
    learner.prints("cv", "export", "--format", "pdf", "--cv", version, "--letter", "--out", str(printed))
    assert other.fails("cv", "import", "--format", "pdf", str(printed)) == (4, "DOCUMENT_WITHOUT_DATA")
    assert "Europass portal" in other.run("cv", "import", "--format", "pdf", str(printed)).stderr


def test_a_cv_too_large_for_a_request_goes_by_the_edges_upload(learner: Person, tmp_path: Path) -> None:
    learner.gets("entry", "create", "work", "Welder", "--from", "2019-04")
    file, other = tmp_path / "cv.pdf", Person(learner.stack, "--as", f"learner:{secrets.token_hex(4)}")
    other.prints("holder", "create")
    learner.prints("cv", "export", "--format", "pdf", "--out", str(file))
    file.write_bytes(with_photo(file.read_bytes(), 5_000_000))
    assert other.gets("cv", "import", "--format", "pdf", str(file), "--dry-run")["entryTitles"] == ["Welder"]
    assert other.gets("cv", "import", "--format", "pdf", str(file))["entryTitles"] == ["Welder"]
    file.write_bytes(file.read_bytes() + b" " * (20 << 20))
    assert other.fails("cv", "import", "--format", "pdf", str(file)) == (4, "INVALID_ARGUMENT")
    learner.prints("cv", "export", "--format", "html", "--out", str(file))
    assert other.gets("cv", "import", "--format", "html", str(file))["duplicates"] == 1
    learner.prints("cv", "export", "--format", "html", "--anonymous", "--out", str(file))
    assert b"data:application/xml;base64," in file.read_bytes()


def test_versions_of_a_cv_are_kept_beside_each_other(learner: Person, tmp_path: Path) -> None:
    weld, bake = (learner.gets("entry", "create", "work", each)["name"] for each in ("Welder", "Baker"))
    first = learner.gets("cv", "create", "--title", "Welder", "--entry", weld)
    second = learner.gets("cv", "create", "--title", "Baker", "--language", "nl", "--entry", bake)["name"]
    assert [each["name"] for each in learner.gets("cv", "list")] == [second, first["name"]]
    changed = ("cv", "update", first["name"], "--title", "Senior welder", "--letter", str(_letter(tmp_path)))
    learner.prints(*changed, "--etag", first["etag"])
    assert learner.fails(*changed, "--etag", first["etag"]) == (4, "ETAG_STALE")
    shown = learner.prints("cv", "show", first["name"])
    assert re.search(r"^title +Senior welder$", shown, re.MULTILINE)
    assert "I weld." in shown
    assert learner.gets("cv", "show", first["name"])["entries"] == [weld]
    for version, has, lacks in ((first["name"], b"Welder", b"Baker"), (second, b"Baker", b"Welder")):
        out = tmp_path / "cv.html"
        learner.prints("cv", "export", "--format", "html", "--cv", version, "--out", str(out))
        assert has in out.read_bytes()
        assert lacks not in out.read_bytes()
    assert learner.prints("cv", "delete", second) == f"{second} is gone\n"
    assert second not in learner.prints("cv", "list")
    assert learner.fails("cv", "show", second) == (5, "NOT_FOUND")


def _letter(folder: Path) -> Path:
    letter = folder / "letter.txt"
    letter.write_text("I weld.")
    return letter


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
    learner.prints("mandate", "revoke", mandate)
    assert counsellor.fails("holder", "show", holder) == (5, "NOT_FOUND")


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


def test_a_link_and_its_pin_are_shown_once_and_open_what_they_list(learner: Person, employer: Person) -> None:
    learner.prints("entry", "create", "work", "Welder", "--organisation", "Scheldt Logistics")
    made = learner.gets("share", "create", "holder.given_name", "entries.title", "--label", "dock")
    link, pin = made["link"], made["pin"]
    listed = learner.prints("share", "list")
    assert "dock" in listed
    assert made["token"] not in listed
    assert pin not in listed
    assert employer.fails("share", "open", link) == (4, "SHARE_LINK_PIN_WRONG")
    opened = employer.prints("share", "open", link, "--pin", pin)
    assert re.search(r"^given name +Noor$", opened, re.MULTILINE)
    assert "Welder" in opened
    assert "Verbeke" not in opened
    assert "Scheldt" not in opened
    by_token = employer.gets("share", "open", made["token"], "--pin", pin)
    assert by_token["remainingUses"] == 1
    assert [each["action"] for each in learner.gets("access-log")] == ["OpenShareLink"] * 2
    learner.prints("share", "revoke", made["shareLink"]["name"])
    assert employer.fails("share", "open", link, "--pin", pin) == (4, "SHARE_LINK_ENDED")


def test_a_link_shows_no_name_or_gives_the_files(learner: Person, employer: Person, tmp_path: Path) -> None:
    learner.prints("entry", "create", "work", "Welder", "--text", "Noor welds")
    link = learner.gets("share", "create", "entries", "--anonymous", "--no-pin")["link"]
    seen = employer.gets("share", "open", link)["portfolio"]["entries"][0]
    assert (seen["title"], seen["description"]) == ("Welder", {"en": "… welds"})
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(PDF)
    stored = learner.gets("evidence", "upload", str(paper))["name"]
    link = learner.gets("share", "create", "evidence", "--files", "--no-pin")["link"]
    address = employer.gets("share", "file", link, stored)["url"]
    assert httpx.get(address, trust_env=False).content == PDF
    assert "GetSharedFile" in learner.prints("access-log")


def test_people_read_link_and_pin_and_may_choose_or_leave_out_the_pin(
    learner: Person, employer: Person
) -> None:
    shown = learner.prints("share", "create", "holder", "--pin", "2468")
    assert re.search(r"^PIN +2468$", shown, re.MULTILINE)
    link = re.search(r"^link +(\S+)$", shown, re.MULTILINE)
    assert link is not None
    assert "Verbeke" in employer.prints("share", "open", link[1], "--pin", "2468")
    shown = learner.prints("share", "create", "pathways", "--no-pin")
    assert not re.search(r"^PIN", shown, re.MULTILINE)
    link = re.search(r"^link +(\S+)$", shown, re.MULTILINE)
    assert link is not None
    employer.prints("share", "open", link[1])
    assert learner.fails("share", "create", "shoe_size") == (4, "SHARE_FIELD_UNKNOWN")


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
