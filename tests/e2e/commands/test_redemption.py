"""A voucher from the check to the delivery, and a learner's word by a code, on the command line of a real
stack."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from waymark.vouchers.v1.events_pb2 import AuthorisationCodeSent

from services.cli.client import Client
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey
from services.cli.demo.papers import certificate
from services.cli.demo.rows import ground, quality
from services.cli.demo.walk import GROUND
from services.cli.demo.watcher import EventWatcher
from services.cli.token import request_token
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
LEARNER = "Joke"
SENT, INVALID = "AuthorisationCodeSent", "AUTHORISATION_CODE_INVALID"


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Iterator[Journey]:
    """A partner with courses, and a learner's redemption that waits for their word."""
    client = Client(stack.home)
    watcher = EventWatcher(client.state.kafka)
    made = Journey(client, Data.find(None), watcher, secrets.token_hex(4), lambda _: None, 60)
    for step in GROUND:
        step.run(made)
    voucher = quality.granted(made, LEARNER, quality.publish(made, "codes", "5000.00"))
    made.facts.redemption = ground.book(made, LEARNER, voucher, made.facts.session)["name"]
    yield made
    watcher.close()
    client.close()


def test_a_code_is_sent_read_out_and_shown_to_nobody_else(stack: Stack, journey: Journey) -> None:
    redemption, school = journey.facts.redemption, Person(stack, "--org", journey.facts.partner)
    assert school.gets("redemption", "send-code", redemption)["tries"] == 5
    assert "valid until" in school.prints("redemption", "send-code", redemption)
    journey.wait_for("two codes on Kafka", lambda: journey.watcher.of_key(redemption).count(SENT) == 2)
    told = journey.watcher.newest(AuthorisationCodeSent, redemption)
    assert told is not None
    assert school.fails("redemption", "authorise", redemption) == (4, INVALID)
    assert school.fails("redemption", "authorise", redemption, "--code", "0000-0000") == (4, INVALID)
    assert "authorised" in school.prints("redemption", "authorise", redemption, "--code", told.code)
    passed = Person(stack).prints("events", "tail", "--from-beginning", "--no-follow", "--json")
    assert f'"key": "{redemption}"' in passed
    assert told.code not in passed


def test_a_learner_applies_and_spends_and_a_school_delivers(
    stack: Stack, journey: Journey, tmp_path: Path
) -> None:
    programme, session = quality.publish(journey, "terminal", "5000.00"), journey.facts.session
    ground.tell_facts(journey, "Wout", employment_status="unemployed", education_level=3)
    token = request_token(stack.home, "learner", subject=journey.subject("Wout"))["access_token"]
    learner = Person(stack, "--token", token)
    school = Person(stack, "--as", "provider:desk", "--org", journey.facts.partner)
    shown = learner.prints("application", "check", programme, session)
    assert "employment_status=unemployed (" in shown
    paying = learner.gets("application", "programmes", session, "--limit", "500")
    assert programme in [each["programme"] for each in paying if each["outcome"]["eligible"]]
    assert programme in learner.prints("application", "programmes", session, "--limit", "500")
    asked = ("application", "create", programme, session)
    assert learner.gets(*asked, "--dry-run")["state"] == "STATE_GRANTED"
    assert learner.gets("voucher", "list") == []
    voucher = learner.gets(*asked)["voucher"]
    (mine,) = learner.gets("application", "list", "--own")
    assert mine["voucher"] == voucher
    assert Person(stack).gets("application", "list", "--learner", mine["learner"]) == [mine]
    assert learner.gets("voucher", "waiting", "--own", "--programme", programme) == []
    part = ("redemption", "reserve", session, "--amount", "200.00")
    assert learner.run(*part).returncode == 2  # says neither voucher nor code
    booked = learner.gets(*part, "--voucher", voucher)["name"]
    assert "voided" in learner.prints("redemption", "void", booked, "mistake")
    booked = school.gets(*part, "--code", learner.gets("voucher", "code", voucher)["code"])["name"]
    for party in (learner, school):  # their own, without saying who they are
        assert booked in [each["name"] for each in party.gets("redemption", "list", "--limit", "500")]
    assert school.gets("receivable", "list") == school.gets("sanction", "list") == []
    assert learner.gets("complaint", "list") == []
    assert "authorised" in learner.prints("redemption", "authorise", booked)
    assert "started" in school.prints("redemption", "start", booked)
    paper = tmp_path / "attended.pdf"
    paper.write_bytes(certificate("terminal"))
    delivered = school.gets("redemption", "deliver", booked, str(paper))
    assert (delivered["state"], len(delivered["evidence"])) == ("STATE_DELIVERED", 1)
    desk, copy = Person(stack), tmp_path / "copy.pdf"
    (piece,) = desk.gets("redemption", "evidence", "list", booked)
    assert str(paper.stat().st_size) in desk.prints("redemption", "evidence", "list", booked)
    desk.prints("redemption", "evidence", "get", piece["name"], "--out", str(copy))
    assert copy.read_bytes() == paper.read_bytes()
    assert learner.gets("redemption", "evidence", "list", booked) == []  # a list names others
    sent_back = ("redemption", "return", booked, "evidence_insufficient", "--note", "not signed")
    assert "started" in desk.prints(*sent_back)
    assert "not signed" in school.prints("redemption", "show", booked)
    assert school.gets("redemption", "deliver", booked, str(paper))["state"] == "STATE_DELIVERED"
    assert booked not in desk.prints("redemption", "list", "--overdue")
    assert "accepted" in desk.prints("redemption", "accept", booked)
    qr = learner.prints("voucher", "qr", voucher).strip()
    assert "good" in school.prints("voucher", "check-qr", qr)
    desk.prints("voucher", "reissue", voucher, "lost")
    checked = school.run("voucher", "check-qr", qr)
    assert (checked.returncode, "replaced" in checked.stdout) == (1, True)
