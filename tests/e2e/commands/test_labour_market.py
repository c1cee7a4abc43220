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


def _names(staff: Person, called: str) -> str:
    said = staff.prints("occupation", "show", WELDERS, PLACE)
    return said if called in said else ""
