"""Frameworks, instruments and questionnaires on the command line, on a real stack."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from tests.support.real_data import real_data
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
SAMPLES = Path(__file__).resolve().parents[3] / "samples"


def published(stack: Stack, kind: str, sample: str, *more: str) -> str:
    """Drafts a sample of a kind, publishes it as somebody else, and returns the name of the version."""
    maker, checker = (Person(stack, "--as", f"catalogue_manager:{secrets.token_hex(4)}") for _ in range(2))
    file, name = str(SAMPLES / f"{kind}s" / f"{sample}.json"), f"{kind}s/{sample}-{secrets.token_hex(4)}"
    draft = maker.gets(kind, "draft", name, file, *more)["name"]
    assert maker.fails(kind, "publish", draft) == (4, "SAME_PERSON")
    maker.prints(kind, "change", draft, file, *more)
    checker.prints(kind, "publish", draft)
    return str(draft)


def test_frameworks_are_drafted_imported_published_and_read(stack: Stack, employer: Person) -> None:
    version = published(stack, "framework", "career-management")
    assert "Horizons" in employer.prints("framework", "show", version, "--json")
    assert "With some help" not in employer.prints("framework", "show", version)
    assert "networks-give" in employer.prints("framework", "show", version)
    assert version in employer.prints("framework", "list", version.partition("/versions")[0])
    maker = Person(stack, "--as", f"catalogue_manager:{secrets.token_hex(4)}")
    name = f"frameworks/nace-{secrets.token_hex(4)}"
    file = str(real_data("portfolio/smart-evidence/nace_usa.matrix"))
    said = maker.prints("framework", "import", name, file)
    assert "institution" in said
    assert name in maker.prints("framework", "list", name)
    assert employer.prints("framework", "list", name) == "no framework yet\n"


def test_a_check_is_filled_scored_and_seen_over_time(
    learner: Person, stack: Stack, employer: Person, tmp_path: Path
) -> None:
    framework = published(stack, "framework", "basic-digital-skills")
    version = published(stack, "instrument", "digital-check", "--framework", framework)
    assert "assisted" in employer.prints("instrument", "show", version)
    assert version in employer.prints("instrument", "list", version.partition("/versions")[0])
    asked = [each["id"] for each in employer.gets("instrument", "show", version)["questions"]]
    name = learner.gets("questionnaire", "begin", version)["name"]
    assert learner.fails("questionnaire", "complete", name) == (4, "QUESTIONNAIRE_INCOMPLETE")
    wrong = learner.run("questionnaire", "fill", f"{name}/parts/me", "none=yes")
    assert (wrong.returncode, "device-access" in wrong.stderr) == (2, True)
    learner.prints("questionnaire", "fill", f"{name}/parts/me", *(f"{each}=no" for each in asked))
    assert "assisted" in learner.prints("questionnaire", "complete", name)
    assert "individual" in learner.prints("questionnaire", "ask-human", name)
    assert "services-login" in learner.prints("questionnaire", "show", name)
    assert name in learner.prints("questionnaire", "list")
    chart = tmp_path / "way.svg"
    instrument = version.partition("/versions")[0]
    said = learner.prints("questionnaire", "progress", instrument, "--language", "nl", "--out", str(chart))
    assert said.startswith("Dag")
    assert 'role="img"' in chart.read_text()
    assert learner.prints("questionnaire", "delete", name) == f"{name} is gone\n"


def test_a_doctor_fills_a_part_that_only_its_own_mandate_opens(
    learner: Person, stack: Stack, employer: Person
) -> None:
    version = published(stack, "instrument", "school-questionnaire")
    name = learner.gets("questionnaire", "begin", version)["name"]
    part = f"{name}/parts/health"
    link = learner.gets("questionnaire", "ask", part, "--days", "7")["link"]
    assert "Noor Verbeke" in employer.prints("questionnaire", "open", link)
    giving = ("questionnaire", "give", link, "--giver", "Dr Novak", "limits=no dust=none", "aids=no")
    assert "thank you" in employer.prints(*giving)
    assert employer.fails(*giving) == (4, "SHARE_LINK_ENDED")
    assert "no dust=none" in learner.prints("questionnaire", "read", part)
    subject = f"counsellor:{secrets.token_hex(4)}"
    counsellor = Person(stack, "--as", subject, "--org", "organisations/office")
    learner.prints("mandate", "create", subject, "organisations/office")
    for reading in (("read", part), ("read", part, "--special")):
        assert counsellor.fails("questionnaire", *reading)[1] == "NOT_FOUND"
    special = ("mandate", "create", subject, "organisations/office", "--purpose", "special-category")
    assert learner.fails(*special)[1] == "INVALID_ARGUMENT"  # it says of which questionnaire
    assert name in learner.prints(*special, "--questionnaire", name)
    found = counsellor.gets("questionnaire", "read", part, "--special")
    assert json.dumps(found).count("no dust") == 1
    school = f"{name}/parts/school"
    learner.prints("questionnaire", "ask", school)
    assert "open" in learner.prints("questionnaire", "withdraw", school)
