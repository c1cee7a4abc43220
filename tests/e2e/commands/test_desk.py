"""The desk on the command line: from the queue to a letter, an appeal and a voucher, on a real stack."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.cli.demo import catalogue
from services.cli.demo.journey import Journey
from services.cli.demo.rows import ground
from services.cli.token import request_token
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
LEARNER = "Femke"


@pytest.fixture
def journey(journey: Journey) -> Journey:
    """A partner with courses, and a learner of whom the register knows no work."""
    catalogue.PARTNER.run(journey)
    ground.bring_courses(journey, "harbour-guidance.csv")
    ground.tell_facts(journey, LEARNER, education_level=4)
    return journey


def applied(journey: Journey, programme: str, session: str = "HG-201-ANY") -> str:
    """Applies in the learner's name; returns the application that waits."""
    where = ground.session_of(journey, session)
    made = ground.apply(journey, LEARNER, programme, where, employment_status="employed")
    return str(made["name"])


def test_from_the_queue_to_a_letter_an_appeal_and_a_voucher(
    stack: Stack, journey: Journey, tmp_path: Path
) -> None:
    programme = ground.publish(journey, "flemish-training-voucher", short="desk").programme
    name, other = applied(journey, programme), applied(journey, programme, "HG-202-ANY")
    first, second = (Person(stack, "--as", f"caseworker:{secrets.token_hex(4)}") for _ in range(2))
    chief = Person(stack, "--as", "supervisor:chief")
    token = request_token(stack.home, "learner", subject=journey.subject(LEARNER))["access_token"]
    learner = Person(stack, "--token", token)
    queue = ("application", "list", "--queue", "--programme", programme)
    assert [each["name"] for each in first.gets(*queue, "--unassigned")] == [name, other]
    learner.prints("application", "withdraw", other)
    first.prints("application", "assign", name)
    assert second.fails("application", "assign", name) == (4, "APPLICATION_ASSIGNED")
    chief.prints("application", "assign", name, "--to", second.who[1], "--take-over")
    second.prints("application", "assign", name)
    first.prints("application", "assign", name, "--take-over")
    assert [each["name"] for each in first.gets(*queue, "--mine")] == [name]
    assert chief.gets(*queue, "--assignee", second.who[1]) == []
    day = str(datetime.now(UTC).date() + timedelta(days=10))
    asked = first.gets("application", "ask", name, "fact", day, "--fact", "education_level")["name"]
    paper = first.gets("application", "ask", name, "proof-of-work", day, "--note", "a payslip")["name"]
    assert first.fails("application", "decide", name, "--refuse", "--reason", "why") == (4, "INQUIRY_OPEN")
    assert learner.run("application", "answer", asked, "--fact", "3").returncode == 2
    learner.prints("application", "answer", asked, "--fact", "education_level=4")
    first.prints("application", "unask", paper)
    states = [each["state"] for each in learner.gets("application", "questions", name)]
    assert states == ["STATE_ANSWERED", "STATE_WITHDRAWN"]
    assert "refused" in first.prints("application", "decide", name, "--refuse", "--reason", "no papers")
    learner_again = applied(journey, programme, "HG-202-ANY")
    no_money = ("--refuse", "--code", "BUDGET_EXHAUSTED", "--reason", "the money is gone")
    decided = first.gets("application", "decide", learner_again, *no_money)
    assert decided["reasonCodes"] == ["BUDGET_EXHAUSTED"]
    for form, start in (("pdf", b"%PDF-"), ("html", b"<!DOCTYPE html>")):
        out = tmp_path / f"letter.{form}"
        learner.prints("application", "letter", name, "--format", form, "--language", "fr", "--out", str(out))
        assert out.read_bytes().startswith(start)
    learner.prints("application", "appeal", name, "--grounds", "here they are")
    again = ("application", "decide-appeal", name, "--grant", "--reason", "papers seen")
    assert first.fails(*again) == (4, "SAME_PERSON")
    granted = second.gets(*again)
    assert (granted["state"], granted["appeal"]["outcome"]) == ("STATE_GRANTED", "OUTCOME_GRANTED")
    shown = second.prints("application", "show", name)
    assert granted["voucher"] in shown
    first_letter = second.gets("application", "letter", name, "--first", "--out", str(tmp_path / "first.pdf"))
    assert first_letter["bytes"] == (tmp_path / "first.pdf").stat().st_size
