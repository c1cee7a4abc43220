"""A portfolio as documents and versions of a CV on the command line, on a real stack."""

from __future__ import annotations

import json
import re
import secrets
import zipfile
from pathlib import Path

import pytest

from tests.support.pdf import with_photo
from tests.support.portfolio import PDF
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]


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
    moved = other.gets("cv", "import", "--format", "leap2a", str(archive))
    assert moved["evidenceTitles"] == ["Welding certificate"]
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
    (made,) = other.gets("cv", "imports")
    assert (made["name"], made["thingCount"]) == (moved["documentImport"], 4)
    assert "taken back" in other.prints("cv", "undo", made["name"], "--dry-run")
    assert len(other.gets("evidence", "list")) == 1
    gone = other.gets("cv", "undo", made["name"])["things"]
    assert {each["outcome"] for each in gone} == {"OUTCOME_TAKEN_BACK"}
    assert [other.gets(kind, "list") for kind in ("evidence", "entry", "journal", "plan")] == [[], [], [], []]
    assert other.fails("cv", "undo", made["name"]) == (4, "WRONG_STATE")
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
