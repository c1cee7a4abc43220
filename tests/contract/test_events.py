"""The event catalogue against the code: who reacts is who it says, and its owner publishes every event."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from waymark.options.v1 import options_pb2

from services.platform.edge.contract import Contract, service_of
from services.platform.service import SERVICES, load_service

ROOT = Path(__file__).resolve().parents[2]
EVENTS = {
    message.name: message.descriptor.options.Extensions[options_pb2.event]
    for message in Contract().messages.values()
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
    from services.platform.edge.documents import events

    assert (ROOT / "docs" / "events.md").read_text() == events(Contract())
