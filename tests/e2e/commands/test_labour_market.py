"""Nouns of the labour market on the command line, on a real stack."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.demo.data import SAMPLES
from tests.support.stacks import Stack
from tests.support.terminal import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(400)]
GROUPS = SAMPLES / "taxonomy" / "ISCOGroups_en.csv"
WELDERS, PLACE = "7212", "BE211"


@pytest.fixture
def staff(stack: Stack) -> Person:
    """Whose stack knows the occupations of the samples."""
    person = Person(stack)
    columns = ("--scheme", "isco-08", "--columns", "isco-groups", "--version", "market-1")
    person.run("taxonomy", "import", str(GROUPS), *columns)  # refused where it is there already
    return person


def test_the_page_of_an_occupation_names_programmes_that_may_pay(staff: Person, tmp_path: Path) -> None:
    content = json.loads((SAMPLES / "programmes" / "dutch-temporary-training-voucher.json").read_text())
    called = f"Voucher {secrets.token_hex(4)}"
    content["programme"]["displayNames"] = {"en": called}
    content["version"]["effectiveDate"] = {"year": datetime.now(UTC).year, "month": 1, "day": 1}
    del content["version"]["shortageRule"]
    file = tmp_path / "programme.json"
    file.write_text(json.dumps(content))
    staff.prints("programme", "activate", staff.gets("programme", "create", str(file))["version"]["name"])
    said = eventually(lambda: _names(staff, called))
    assert "it asks for no shortage" in said
    assert "accredited provider" in said
    assert "waymark application programmes" in said
    eventually(lambda: _money(staff, called) == "MONEY_LEFT_NOTHING")
    said = _names(staff, called)  # a column of a table: its words are there, on one line or several
    assert all(word in said for word in ("used", "up:", "wait", "for", "it"))


def _names(staff: Person, called: str) -> str:
    said = staff.prints("occupation", "show", WELDERS, PLACE)
    return said if called in said else ""


def _money(staff: Person, called: str) -> str:
    programmes = staff.gets("occupation", "show", WELDERS, PLACE)["payingProgrammes"]
    (found,) = (each for each in programmes if each["displayNames"].get("en") == called)
    return str(found.get("moneyLeft"))


def test_a_list_with_evidence_answers_many_questions(staff: Person, tmp_path: Path) -> None:
    study, tag = "https://study.example/7", secrets.token_hex(4)
    file = tmp_path / "list.csv"
    file.write_text(f"occupation,region,severity,cause,evidence\n{WELDERS},BE2,4,,{study}\n")
    name = staff.gets("shortage", "create", tag, "--name", "Short", "--region", "BE2")["name"]
    draft = staff.gets("shortage", "import", name, str(file), "--from", "2026-01-01")["version"]["name"]
    staff.prints("shortage", "publish", draft)
    assert study in staff.prints("shortage", "entries", draft)
    assert staff.gets("shortage", "prove", WELDERS, PLACE, "--list", name, "--on", "2026-06-01")["answer"][
        "entry"
    ]["evidence"] == [study]
    asked = tmp_path / "asked.csv"
    rows = [f"{WELDERS},{PLACE},", f"{WELDERS},{PLACE},2025-12-31", "7112,BE211,", f"{WELDERS},NL,"]
    asked.write_text("\n".join(["occupation,region,date", *rows * 200]))  # more than one call answers
    found = staff.gets("shortage", "check-all", str(asked), "--list", name, "--on", "2026-06-01")
    assert [each.get("short", False) for each in found] == [True, False, False, False] * 200
    said = staff.prints("shortage", "check-all", str(asked), "--list", name, "--on", "2026-06-01")
    assert f"{draft}/entries/1" in said
    asked.write_text("occupation\n7212\n")
    assert staff.run("shortage", "check-all", str(asked)).returncode == 2
