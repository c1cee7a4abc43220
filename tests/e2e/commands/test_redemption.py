"""A learner's word by a code, on the command line of a real stack."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from waymark.vouchers.v1.events_pb2 import AuthorisationCodeSent

from services.cli.client import Client
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey
from services.cli.demo.rows import ground, quality
from services.cli.demo.walk import GROUND
from services.cli.demo.watcher import EventWatcher
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
