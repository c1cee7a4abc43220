"""A client that went deaf is replaced; one that has nothing to read is left alone."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from services.platform.events import clients
from services.platform.events import consumer as consumers
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from services.platform.events.stalls import ConsumerStalled, StallWatch
from tests.support.events import Rig, running
from tests.support.waiting import eventually

SOON = 0.3
LATER = 5.0  # longer than joining takes, or each client would be replaced before it has joined
PARTITIONS = 4


class Deaf:
    """Makes each new client deaf, up to `count`: its partitions are paused at every poll."""

    def __init__(self, count: int) -> None:
        self.made: list[Any] = []
        self._paused = False
        self._count = count
        self._make = clients.consumer

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        client = self._make(*arguments, **options)
        self.made.append(client)
        if len(self.made) <= self._count:
            poll = client.poll

            def silent(**given: Any) -> Any:
                client.pause(*client.assignment())
                self._paused = bool(client.assignment())
                return poll(**given)

            client.poll = silent
        return client

    def joined(self) -> bool:
        return self._paused  # a poll that began before could still hear


def say(rig: Rig) -> None:
    rig.publish(("k", 1))
    with running(Relay(rig.settings, rig.engine).run):
        eventually(lambda: rig.waiting() == 0)


def listen(client: Any, watch: StallWatch) -> None:
    for _ in range(20):
        client.poll(timeout_ms=100)
        watch.check(client)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Deaf:
    made = Deaf(1)
    monkeypatch.setattr(clients, "consumer", made)
    return made


def test_a_deaf_client_is_replaced(rig: Rig, deaf: Deaf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "StallWatch", partial(StallWatch, LATER, SOON))
    with running(Consumer(rig.definition, rig.app).run):
        eventually(deaf.joined)
        say(rig)
        eventually(lambda: rig.effects() == [("k", 1)])
    assert len(deaf.made) >= 2


def test_control_without_the_watch_it_stays_deaf(
    rig: Rig, deaf: Deaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StallWatch, "check", lambda self, client: None)
    with running(Consumer(rig.definition, rig.app).run):
        eventually(deaf.joined)
        say(rig)
        time.sleep(5)
        assert rig.effects() == []
    assert len(deaf.made) == 1


def test_a_client_with_nothing_to_read_is_left_alone(rig: Rig) -> None:
    say(rig)
    client = clients.consumer(rig.settings, f"waymark-{rig.service}")
    client.subscribe([rig.topic])
    watch = StallWatch(SOON, SOON)
    try:
        eventually(lambda: bool(client.poll(timeout_ms=200)))
        watch.heard()
        listen(client, watch)
        client.pause(*client.assignment())
        say(rig)
        with pytest.raises(ConsumerStalled, match=rig.topic):
            listen(client, watch)
    finally:
        client.close(autocommit=False)


def poll_in_haste(rig: Rig, watch: StallWatch, seconds: float, *, partitions_known: bool) -> None:
    """A client whose polls are shorter than any join until it has its partitions, watched for at least
    `seconds`; closed when the watch complains."""
    client = clients.consumer(rig.settings, f"waymark-{rig.service}")
    try:
        client.subscribe([rig.topic], listener=watch.listener())
        if partitions_known:
            client.topics()
        until = time.monotonic() + seconds
        while (joining := len(client.assignment()) < PARTITIONS) or time.monotonic() < until:
            client.poll(timeout_ms=1 if joining else 100)
            watch.check(client)
    finally:
        client.close(autocommit=False)


def test_a_client_that_knows_the_partitions_before_it_joins_gets_them(rig: Rig) -> None:
    for _ in range(3):
        poll_in_haste(rig, StallWatch(), 3, partitions_known=True)


def join_too_early(rig: Rig) -> None:
    for _ in range(20):  # it goes deaf about every second time
        poll_in_haste(rig, StallWatch(patience=2), 4, partitions_known=False)


def test_control_one_that_joins_before_goes_deaf_and_is_found_out(rig: Rig) -> None:
    with pytest.raises(ConsumerStalled, match="no partitions"):
        join_too_early(rig)
