"""The event catalogue against the code and the contract: who reacts is who it says, its owner publishes every
event, and it tells what is short-lived and what nobody is shown."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from waymark.options.v1 import options_pb2

from services.platform.edge.contract import service_of
from services.platform.edge.documents import events
from services.platform.service import SERVICES, load_service
from tests.support.contract import CONTRACT

ROOT = Path(__file__).resolve().parents[2]
EVENTS = {
    message.name: message.descriptor.options.Extensions[options_pb2.event]
    for message in CONTRACT.messages.values()
    if message.descriptor.options.HasExtension(options_pb2.event)
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reacts_to_the_events_that_name_it_and_to_no_others(service: str) -> None:
    reacting = {event.DESCRIPTOR.full_name for event in load_service(service).reactions}
    assert reacting == {name for name, event in EVENTS.items() if service in event.consumers}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_published_by_the_service_that_owns_it(name: str) -> None:
    package, _, message = name.rpartition(".")
    assert re.search(rf"\b{message}\(", code_of(service_of(package))), f"nothing makes a {message}"


@cache
def code_of(service: str) -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "services" / service).rglob("*.py")))


def test_the_committed_catalogue_is_this_one() -> None:
    assert (ROOT / "docs" / "events.md").read_text() == events(CONTRACT)


@cache
def section_of(name: str) -> str:
    """What the catalogue says of an event."""
    (section,) = [part for part in events(CONTRACT).split("\n### ") if f"Type `{name}` " in part]
    return section


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_catalogue_tells_what_is_short_lived_and_what_nobody_is_shown(name: str) -> None:
    minutes = EVENTS[name].keep_minutes
    said = re.findall(r"of no use after (\d+) minutes", section_of(name))
    assert said == [str(minutes)] * bool(minutes)
    fields = CONTRACT.messages[name].descriptor.field
    hidden = [field.name for field in fields if field.options.debug_redact]
    assert re.findall(r"^\| `(\w+)` \|.*\*\*Not shown\.\*\* \|$", section_of(name), re.MULTILINE) == hidden


def test_a_learners_code_is_shown_to_nobody_and_of_no_use_after_a_quarter_of_an_hour() -> None:
    section = section_of("waymark.vouchers.v1.AuthorisationCodeSent")
    assert "of no use after 15 minutes" in section
    assert "| `code` | string | The code, in two groups of four: `7ZXC-04KM`. **Not shown.** |" in section
