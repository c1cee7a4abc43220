"""Quality on the command line: rules, alerts, complaints, sanctions and results, on a real stack."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from services.cli.client import Client
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey
from services.cli.demo.rows import ground, quality
from services.cli.demo.walk import GROUND
from services.cli.token import request_token
from tests.support.stacks import Stack
from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
LEARNER = "Mira"


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Iterator[Journey]:
    """A partner with courses, and a learner's training of 1 200 euro that was accepted."""
    client = Client(stack.home)
    made = Journey(client, Data.find(None), None, secrets.token_hex(4), lambda _: None, 60)  # type: ignore[arg-type]
    for step in GROUND:
        step.run(made)
    made.facts.programme = quality.publish(made, "quality", "5000.00")
    voucher = quality.granted(made, LEARNER, made.facts.programme)
    reserved = ground.reserve(made, LEARNER, voucher, made.facts.session)
    made.facts.redemption = ground.deliver(made, reserved["name"])["name"]
    yield made
    client.close()


@pytest.fixture
def staff(stack: Stack) -> Person:
    """Somebody who acts as each command proposes."""
    return Person(stack)


@pytest.fixture
def learner(stack: Stack, journey: Journey) -> Person:
    """Whose training it was."""
    token = request_token(stack.home, "learner", subject=journey.subject(LEARNER))["access_token"]
    return Person(stack, "--token", token)


def test_a_rule_is_drafted_activated_and_its_seed_read(staff: Person, journey: Journey) -> None:
    lot = f"lot-{journey.run}"
    drafted = staff.gets("monitoring", "draft", lot, "--sample", "2.5", "--hold", "nothing")
    assert drafted["sample"]["shareBasisPoints"] == 250
    name = drafted["name"]
    assert staff.fails("monitoring", "activate", name, "--as", "finance:maker") == (4, "SAME_PERSON")
    assert staff.gets("monitoring", "activate", name)["state"] == "STATE_ACTIVE"
    seed = staff.gets("monitoring", "seed", name)
    assert hashlib.sha256(bytes.fromhex(seed["seed"])).hexdigest() == drafted["sample"]["seedSha256"]
    for more in (
        ("--above", "2000.00"),
        ("--sooner-than", "4"),
        ("--other-region", "2"),
        ("--complaints", "3"),
        ("--new-for", "90", "--above", "20000.00", "--more-than", "20"),
        ("--shared-address",),
    ):
        staff.prints("monitoring", "draft", f"other-{journey.run}", *more)
    shared = ("--shared-account", "--hold", "provider")
    assert "one bank account" in staff.prints("monitoring", "draft", f"other-{journey.run}", *shared)
    assert staff.run("monitoring", "draft", lot).returncode == 2
    assert staff.run("monitoring", "draft", lot, "--above", "1", "--sample", "1").returncode == 2
    assert "active" in staff.prints("monitoring", "show", name)
    assert f"monitoringRules/other-{journey.run}/versions/7" in staff.prints("monitoring", "list")


def test_an_alert_is_found_sent_back_found_again_and_closed(staff: Person, journey: Journey) -> None:
    redemption = journey.facts.redemption
    name = staff.gets("alert", "raise", redemption, "nobody was there", "--hold")["name"]
    assert staff.fails("alert", "raise", redemption, "nobody was there") == (4, "ALERT_OPEN")
    assert redemption in staff.prints("alert", "list", "--state", "open")
    found = ("alert", "find", name, "unfounded", "case 2026/17", "--note", "the list was found")
    assert staff.gets(*found)["state"] == "STATE_FINDING"
    assert staff.gets("alert", "reopen", name)["state"] == "STATE_OPEN"
    hold = staff.gets("alert", "show", name)["hold"]
    assert staff.fails("hold", "release", hold, "looks fine") == (4, "FINDING_NEEDED")
    staff.prints(*found)
    assert "closed" in staff.prints("alert", "close", name)
    assert hold not in staff.prints("hold", "list")


def test_a_complaint_is_filed_and_read(staff: Person, learner: Person, journey: Journey) -> None:
    redemption = journey.facts.redemption
    filed = learner.gets("complaint", "file", redemption, "extra-payment", "--note", "50 euro for the mask")
    assert learner.fails("complaint", "file", redemption, "extra-payment") == (4, "COMPLAINT_EXISTS")
    assert "50 euro" in learner.prints("complaint", "show", filed["name"])
    listed = staff.gets("complaint", "list", "--provider", journey.facts.partner)
    assert [each["name"] for each in listed] == [filed["name"]]


def test_a_suspension_is_imposed_appealed_and_lifted(staff: Person, journey: Journey) -> None:
    partner = journey.facts.partner
    proposal = ("sanction", "propose", partner, "suspended", "forged lists")
    assert staff.fails(*proposal) == (4, "INVALID_ARGUMENT")  # until when?
    name = staff.gets(*proposal, "--days", "30")["name"]
    assert staff.fails("sanction", "impose", name, "--as", "finance:maker") == (4, "SAME_PERSON")
    assert staff.gets("sanction", "impose", name)["effective"]
    assert staff.gets("sanction", "appeal", name, "they are genuine", "--org", partner)["appeal"]
    assert staff.gets("sanction", "decide", name, "heard both", "--lift")["state"] == "STATE_LIFTED"
    assert "lifted" in staff.prints("sanction", "show", name)
    assert name in staff.prints("sanction", "list", "--provider", partner)
    mistaken = staff.gets("sanction", "propose", partner, "warning", "forged lists")["name"]
    staff.prints("sanction", "impose", mistaken)
    assert staff.gets("sanction", "propose-lift", mistaken, "of another school")["liftProposed"]
    assert staff.gets("sanction", "lift", mistaken)["state"] == "STATE_LIFTED"


def test_results_are_given_and_told_of_no_single_learner(
    staff: Person, learner: Person, journey: Journey
) -> None:
    redemption = journey.facts.redemption
    assert learner.gets("result", "feedback", redemption, "4", "5")["satisfaction"] == 4
    assert learner.run("result", "feedback", redemption, "4", "6").returncode == 2
    assert learner.fails("result", "outcome", redemption, "employed") == (4, "OUTCOME_NOT_DUE")
    said = staff.gets("result", "outcome", redemption, "employed-in-occupation", "--improved")
    assert (said["source"], said["improved"]) == ("SOURCE_PES_REGISTER", True)
    assert learner.fails("result", "left", redemption) == (4, "INVALID_ARGUMENT")  # nothing is said
    left = learner.gets("result", "left", redemption, "--work", "at-work", "--not-qualified")
    assert (left["status"], left["qualified"]) == ("STATUS_AT_WORK", False)
    assert "learner" in learner.prints("result", "leaving", redemption)
    assert learner.gets("result", "show", redemption)["status"] == "STATUS_EMPLOYED_IN_OCCUPATION"
    (group,) = staff.gets("result", "report", "--programme", journey.facts.programme)
    assert group["feedbackSuppressed"]
    assert not group["feedbackCount"] or group["feedbackCount"] == "0"
    assert learner.fails("rebooking", "show", redemption) == (5, "NOT_FOUND")
    assert learner.fails("rebooking", "decline", redemption) == (5, "NOT_FOUND")


def test_a_provider_gives_back_reports_a_no_show_and_is_paid_in_instalments(
    staff: Person, journey: Journey
) -> None:
    own = ("--org", journey.facts.partner)
    given = staff.gets("redemption", "refund", journey.facts.redemption, "other", "--amount", "1.00", *own)
    assert given["clawedBackAmount"]["units"] == "1"
    assert staff.fails("redemption", "refund", journey.facts.redemption, "other") == (5, "NOT_FOUND")

    def halves(version: dict[str, Any]) -> None:
        half = {"trigger": "TRIGGER_ATTENDANCE", "evidenceCount": 1, "percent": 50}
        version["paymentRule"] = {"instalments": [half, half]}

    funds = {"KIND_STATE": "5000.00"}
    plan = ground.publish(journey, quality.SAMPLE, short="halves", change=halves, funds=funds).programme
    learner = "Nils"
    voucher = quality.granted(journey, learner, plan)
    name = ground.reserve(journey, learner, voucher, journey.facts.session)["name"]
    missed = ("redemption", "no-show", name)
    assert staff.gets(*missed)["endReason"] == "END_REASON_NOT_ATTENDED"
    assert staff.fails(*missed, "--as", "provider", *own) == (4, "WRONG_STATE")
    name = ground.reserve(journey, learner, voucher, journey.facts.session)["name"]
    first = ground.deliver(journey, name)
    assert first["state"] == "STATE_STARTED"
    part = first["instalments"][0]["redemption"]
    assert part in staff.prints("redemption", "show", name)
    assert staff.gets("redemption", "show", part)["partOf"] == name
