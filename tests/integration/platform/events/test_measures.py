"""What tells that events wait: for the broker, a slow consumer, a dependency that fails. How much a consumer
takes at once."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY
from waymark.errors.v1 import reason_pb2

from services.platform.app import App
from services.platform.errors import Refusal
from services.platform.events import clients, consumer, relay
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from tests.support.events import Rig, note_effect, probe_event, running
from tests.support.waiting import eventually


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"waymark_{name}", labels) or 0.0


def lag(rig: Rig) -> float:
    return sum(sample("consumer_lag", topic=rig.topic, partition=str(place)) for place in range(4))


def reacting(rig: Rig, reaction: Any) -> Consumer:
    """A consumer of the rig's with a reaction of the test's own."""
    return Consumer(replace(rig.definition, reactions={probe_event(rig.service): reaction}), rig.app)


def publish(rig: Rig, count: int) -> None:
    """Has so many events of one aggregate on the topic."""
    rig.publish(*(("k", n) for n in range(count)))
    with running(Relay(rig.settings, rig.engine).run):
        eventually(lambda: rig.waiting() == 0)


def test_events_that_wait_for_the_broker_are_counted_and_aged_and_who_waits_ends_when_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "GAUGES", 0.1)
    monkeypatch.setattr(clients, "BOOTSTRAP_MS", 200)
    rig.publish(("k", 1), ("k", 2), ("l", 1))
    nowhere = rig.with_bootstrap("127.0.0.1:1")
    app = App(nowhere.settings)
    with running(
        Relay(nowhere.settings, rig.engine).run, Consumer(rig.definition, App(nowhere.settings)).run
    ):
        eventually(lambda: sample("outbox_rows") == 3 and sample("outbox_age_seconds") > 0.2)
        told = time.monotonic()
    app.close()
    assert time.monotonic() - told < 15  # the library's own limit is twice that
    with running(Relay(rig.settings, rig.engine).run):
        eventually(lambda: sample("outbox_rows") == sample("outbox_age_seconds") == 0)


def test_how_far_a_consumer_is_behind_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "LAG_EVERY", 0.0)
    monkeypatch.setattr(consumer, "BATCH", 4)
    publish(rig, 12)
    go_on = threading.Event()

    def holding_up(app: Any, tx: Any, message: Any, info: Any) -> None:
        if message.n == 4:  # the first of the second batch
            go_on.wait(60)
        note_effect(app, tx, message, info)

    with running(reacting(rig, holding_up).run):
        eventually(lambda: lag(rig) == 8)
        go_on.set()
        eventually(lambda: len(rig.effects()) == 12 and lag(rig) == 0)


def test_a_consumer_that_waits_for_a_dependency_says_so_and_then_misses_nothing(rig: Rig) -> None:
    publish(rig, 6)
    mended = threading.Event()

    def failing(app: Any, tx: Any, message: Any, info: Any) -> None:
        if not mended.is_set():
            raise Refusal(reason_pb2.REASON_UNAVAILABLE)
        note_effect(app, tx, message, info)

    with running(reacting(rig, failing).run):
        eventually(lambda: sample("consumer_paused") == 1)
        assert rig.effects() == []
        mended.set()
        eventually(lambda: len(rig.effects()) == 6)
        assert sample("consumer_paused") == 0
    assert rig.effects() == [("k", n) for n in range(6)]


@pytest.mark.parametrize("asked", [True, False], ids=["guard", "control"])
def test_a_consumer_that_waits_falls_behind_further_and_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    monkeypatch.setattr(consumer, "LAG_EVERY", 0.0)
    if not asked:
        measure = Consumer._measure
        monkeypatch.setattr(
            Consumer, "_measure", lambda self, client, paused=False: None if paused else measure(self, client)
        )
    publish(rig, 6)
    mended = threading.Event()

    def failing(app: Any, tx: Any, message: Any, info: Any) -> None:
        if not mended.is_set():
            raise Refusal(reason_pb2.REASON_UNAVAILABLE)
        note_effect(app, tx, message, info)

    with running(reacting(rig, failing).run):
        eventually(lambda: sample("consumer_paused") == 1)
        publish(rig, 5)
        if asked:
            eventually(lambda: lag(rig) == 11)
            kept = sa.text("SELECT sum(lag) FROM consumer_lag")
            with rig.engine.connect() as connection:  # where the server's health looks
                assert connection.execute(kept).scalar_one() == 11
        else:
            time.sleep(2)  # twenty looks
            assert lag(rig) < 11
        mended.set()
        eventually(lambda: len(rig.effects()) == 11 and lag(rig) == 0)


def test_a_consumer_that_a_restarted_broker_did_not_know_goes_on_telling(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers to its fetches go on without what has not changed, so nothing says where a topic ends."""
    monkeypatch.setattr(consumer, "LAG_EVERY", 0.0)
    made, member = list[Any](), clients.member
    monkeypatch.setattr(
        clients, "member", lambda *given, **options: made.append(member(*given, **options)) or made[0]
    )
    publish(rig, 6)

    def told_since(moment: Any) -> bool:
        asked = sa.text("SELECT count(*) FROM consumer_lag WHERE lag = 0 AND measured_at > :moment")
        with rig.engine.connect() as connection:
            return connection.execute(asked, {"moment": moment}).scalar_one() == 4

    with running(Consumer(rig.definition, rig.app).run):
        eventually(lambda: len(rig.effects()) == 6)
        client = made[0]
        before = client._coordinator.generation_if_stable()
        client._coordinator.reset_generation()  # as a heartbeat does that is told of no such member
        eventually(lambda: (now := client._coordinator.generation_if_stable()) and now != before)
        with rig.engine.connect() as connection:
            joined = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        eventually(lambda: told_since(joined), 20)


@pytest.mark.parametrize("most", [5, 500])
def test_a_batch_is_no_larger_than_it_may_be_and_control(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(consumer, "BATCH", most)
    publish(rig, 40)
    reading, sizes = Consumer(rig.definition, rig.app), list[int]()
    apply = reading._effects.apply

    def noting(messages: Any) -> None:
        sizes.append(len(messages))
        apply(messages)

    monkeypatch.setattr(reading._effects, "apply", noting)
    with running(reading.run):
        eventually(lambda: len(rig.effects()) == 40)
    assert (max(sizes) <= 5) is (most == 5)
