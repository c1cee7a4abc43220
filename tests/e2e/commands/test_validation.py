"""Recognition of what was learnt at work on the command line, from a case to an appeal, on a real stack."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.portfolio import PDF
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
TARGET = ("--qualification", "https://quay.example/welder", "--target", "Welder", "--eqf", "4")


@dataclass(frozen=True)
class Guild:
    """An awarding body: its name and three of its staff."""

    body: str
    head: Person
    first: Person
    second: Person


@pytest.fixture
def guild(stack: Stack) -> Guild:
    """An awarding body of this test alone."""
    tag = secrets.token_hex(4)
    yard = f"organisations/yard-{tag}"
    manager = Person(stack, "--as", f"catalogue_manager:{tag}")
    body = manager.gets("award", "body", yard, "--called", "Yard Guild")["name"]
    staff = (Person(stack, "--as", f"provider:{each}-{tag}", "--org", yard) for each in ("head", "ada", "bo"))
    return Guild(body, *staff)


def opened(learner: Person, guild: Guild) -> str:
    """A case of two elements, of which nothing is documented."""
    way = learner.gets("pathway", "create", "To welding", *TARGET)["name"]
    case = learner.gets("validation", "open", way, guild.body, "--nqf", "VKS 4")["name"]
    named = learner.prints("validation", "identify", case, "arc=Arc welding:6", "gas=Gas welding")
    assert "Arc welding" in named
    return str(case)


def test_what_was_learnt_at_work_is_documented_and_handed_in(learner: Person, guild: Guild) -> None:
    case = opened(learner, guild)
    assert learner.fails("validation", "identify", case, "arc") == (2, "")
    job = learner.gets("entry", "create", "work", "Shipyard hand")["name"]
    learner.prints("validation", "document", case, "arc", "shown", "--entry", job)
    assert learner.fails("validation", "submit", case) == (4, "VALIDATION_NOT_DOCUMENTED")
    learner.prints("validation", "document", case, "gas", "not-shown")
    learner.prints("validation", "submit", case)
    assert "Shipyard hand" in learner.prints("validation", "snapshot", case)
    assert case in guild.head.prints("validation", "queue", guild.body)
    assert "submitted" in learner.prints("validation", "list")
    learner.prints("validation", "withdraw", case)
    assert guild.head.fails("validation", "show", case) == (5, "NOT_FOUND")


def test_what_was_learnt_at_work_is_recognised_in_part_and_on_appeal_certified(
    learner: Person, guild: Guild, employer: Person, tmp_path: Path
) -> None:
    case, paper = opened(learner, guild), tmp_path / "seam.pdf"
    paper.write_bytes(PDF)
    file = learner.gets("evidence", "upload", str(paper))["name"]
    learner.prints("validation", "document", case, "arc", "shown", "--evidence", file)
    job = learner.gets("entry", "create", "work", "Shipyard hand")["name"]
    small = ("--entry", job, "--note", "on small boats")
    learner.prints("validation", "document", case, "gas", "shown", *small)
    learner.prints("validation", "submit", case)
    decide_in_part(learner, guild, case, file)
    appealed = learner.gets("validation", "appeal", case, "nobody let me light a torch")
    assert appealed["state"] == "STATE_APPEAL"
    assert guild.head.fails("validation", "assign", case, guild.first.who[1]) == (4, "SAME_PERSON")
    guild.head.prints("validation", "assign", case, guild.second.who[1])
    former = guild.first.fails("validation", "decide", case, "arc=shown", "gas=shown")
    assert former == (5, "NOT_FOUND")
    heard = guild.second.gets("validation", "decide", case, "arc=shown", "gas=shown", "--note", "both hold")
    assert heard["state"] == "STATE_REDECIDED"
    shown = learner.gets("validation", "show", case)
    assert learner.fails("validation", "appeal", case, "again") == (4, "WRONG_STATE")
    learner.prints("credential", "download", shown["credential"], "--out", str(tmp_path / "welder.json"))
    checked = employer.gets("credential", "verify", str(tmp_path / "welder.json"))["verdict"]
    assert checked["state"] == "STATE_VALID"
    (issued,) = guild.head.gets("award", "list", guild.body)
    assert issued["achievement"]["title"] == "Welder"
    assert issued["name"] in guild.head.prints("award", "list", guild.body)  # whole, to be revoked by
    looks = [each["action"] for each in learner.gets("access-log") if each["grant"] == case]
    assert "GetSnapshotFile" in looks


def decide_in_part(learner: Person, guild: Guild, case: str, file: str) -> None:
    """An assessor sees the file and recognises one element of two; the head puts that in force."""
    assert guild.first.fails("validation", "file", case, file)[0] == 5  # nobody named them yet
    guild.head.prints("validation", "assign", case, guild.first.who[1])
    address = guild.first.gets("validation", "file", case, file)["url"]
    assert httpx.get(address, trust_env=False).content == PDF
    assert guild.first.fails("validation", "decide", case, "arc=good", "gas=shown") == (2, "")
    said = ("arc=shown", "gas=not-shown:never lit a torch")
    assert "decided" in guild.first.prints("validation", "decide", case, *said)
    assert guild.first.fails("validation", "conclude", case) == (4, "SAME_PERSON")
    guild.head.prints("validation", "conclude", case)
    shown = learner.prints("validation", "show", case)
    assert re.search(r"^state +partial$", shown, re.MULTILINE)
    assert "never lit a torch" in shown
    assert "/steps/" in shown  # what is missing became a step of the pathway
