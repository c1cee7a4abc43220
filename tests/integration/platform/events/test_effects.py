"""From outbox to effect: once each, through kills, poison, duplicates and lost offsets."""

from __future__ import annotations

import hashlib
import signal
import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from kafka.errors import MessageSizeTooLargeError
from prometheus_client import REGISTRY

from services.platform.db.schema import dead_letters
from services.platform.events import clients, cloudevents
from services.platform.events import dead_letters as dead_letters_of_events
from services.platform.events import effects as effects_of_events
from services.platform.events.consumer import Consumer
from services.platform.events.dead_letters import DeadLetters, letters
from services.platform.events.relay import Relay
from tests.support.events import POISON, SLOW, Rig, process, running
from tests.support.waiting import eventually

TEN = [(f"k{n % 3}", n) for n in range(10)]


def consumer(rig: Rig, **options) -> Consumer:
    dead = DeadLetters(rig.settings, rig.engine, **options)
    return Consumer(rig.definition, rig.app, dead_letters=dead)


def relay(rig: Rig) -> Relay:
    return Relay(rig.settings, rig.engine)


def through(rig: Rig, *events: tuple[str, int]) -> None:
    rig.publish(*events)
    with running(relay(rig).run):
        eventually(lambda: rig.waiting() == 0)


def test_every_event_has_its_effect_and_a_cloudevents_form(rig):
    through(rig, *TEN)
    with running(consumer(rig).run):
        eventually(lambda: len(rig.effects()) == 10)
    assert sorted(rig.effects()) == sorted(TEN)
    labels = {"topic": rig.topic}
    assert REGISTRY.get_sample_value("waymark_event_age_seconds_count", labels) == 10
    assert REGISTRY.get_sample_value("waymark_events_published_total", labels) == 10
    record = raw_records(rig)[0]
    headers = dict(record.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_source"] == f"/waymark/{rig.service}".encode()
    assert headers["ce_type"] == f"probe.{rig.service}.Probe".encode()
    assert headers["content-type"] == b"application/protobuf"
    assert headers["ce_subject"] == record.key
    assert headers["ce_time"].endswith(b"Z")


def raw_records(rig: Rig) -> list:
    reader = clients.consumer(rig.settings, None)
    reader.subscribe([rig.topic])
    found: list = []
    while not found:
        found = [record for records in reader.poll(timeout_ms=500).values() for record in records]
    reader.close()
    return found


@pytest.mark.fault
def test_a_relay_killed_after_publishing_publishes_again_and_the_effect_is_one(rig):
    rig.publish(*TEN)
    with process(rig, "relay", "after-publish") as first:
        assert first.wait(60) == -signal.SIGKILL
    assert rig.waiting() == 10
    with process(rig, "relay"):
        eventually(lambda: rig.waiting() == 0)
    assert len(rig.messages()) == 20
    with running(consumer(rig).run):
        eventually(lambda: len(rig.effects()) == 10)
        eventually(lambda: committed(rig) == 20)
    assert sorted(rig.effects()) == sorted(TEN)


def committed(rig: Rig) -> int:
    """How many messages the group has committed."""
    from kafka import TopicPartition

    reader = clients.consumer(rig.settings, f"waymark-{rig.service}")
    offsets = [reader.committed(TopicPartition(rig.topic, part)) or 0 for part in range(4)]
    reader.close()
    return sum(offsets)


@pytest.mark.fault
@pytest.mark.parametrize(("faults", "effects"), [((), 10), (("no-inbox",), 20)], ids=["inbox", "control"])
def test_a_consumer_killed_between_effect_and_offset_has_one_effect_and_without_inbox_two(
    rig, faults, effects
):
    through(rig, *TEN)
    with process(rig, "consumer", "after-effect", *faults) as first:
        assert first.wait(60) == -signal.SIGKILL
    before = len(rig.effects())
    assert 0 < before <= 10
    with process(rig, "consumer", *faults):
        eventually(lambda: committed(rig) == 10)
    assert len(rig.effects()) == (10 if effects == 10 else 10 + before)


def test_lost_offsets_are_harmless(rig):
    through(rig, *TEN)
    with running(consumer(rig).run):
        eventually(lambda: committed(rig) == 10)
    admin = clients.admin(rig.settings)
    eventually(lambda: not delete_group(admin, rig))
    admin.close()
    assert committed(rig) == 0
    with running(consumer(rig).run):
        eventually(lambda: committed(rig) == 10)
    assert len(rig.effects()) == 10


def delete_group(admin, rig: Rig) -> bool:
    """Deletes the group's offsets; True while members are still in it."""
    from kafka.errors import KafkaError

    try:
        admin.delete_groups([f"waymark-{rig.service}"])
    except KafkaError:
        return True
    return False


def send(rig: Rig, value: bytes | None, headers, key: bytes = b"k", **options) -> None:
    producer = clients.producer(rig.settings, **options)
    producer.send(rig.topic, key=key, value=value, headers=headers).get(60)
    producer.close()


def probe_headers(rig: Rig, **changes: bytes):
    from datetime import UTC, datetime
    from uuid import uuid4

    made = dict(
        cloudevents.headers(
            id=uuid4(),
            source="/probe",
            type=f"probe.{rig.service}.Probe",
            subject="k",
            time=datetime.now(UTC),
            traceparent="",
        )
    )
    return list((made | changes).items())


def test_a_poisoned_message_goes_to_the_dead_letters_and_the_rest_goes_on(rig):
    body = rig.event("k", 5).SerializeToString()
    through(rig, ("k", 1), ("k", POISON), ("k", 2))
    send(rig, b"\xff\xff\xff", probe_headers(rig))
    send(rig, body, [])
    send(rig, body, probe_headers(rig), key=b"another")
    send(rig, body, probe_headers(rig, ce_type=b"waymark.unknown.v1.Thing"))
    send(rig, body, probe_headers(rig, ce_id=b"no-uuid"))
    through(rig, ("k", 3))
    standing = consumer(rig, limit=0)
    with running(standing.run):  # control: where nothing may be buried, what comes behind has no effect
        eventually(lambda: standing.halted)
        assert ("k", 3) not in rig.effects()
    with running(consumer(rig).run):
        eventually(lambda: rig.effects()[-1:] == [("k", 3)])
        eventually(lambda: committed(rig) == 9)
    assert rig.effects() == [("k", 1), ("k", 2), ("k", 3)]
    found = [letter for letter, _ in letters(rig.settings)]
    assert sorted(letter.reason for letter in found) == [
        "KEY_MISMATCH",
        "NOT_A_CLOUD_EVENT",
        "NOT_A_CLOUD_EVENT",
        "UNDECODABLE",
        "ValueError",
    ]
    assert all(letter.source_topic == rig.topic for letter in found)


def test_a_record_larger_than_a_dead_letter_may_be_is_buried_by_its_size_and_hash(rig, monkeypatch):
    from services.platform.events.replay import replay

    body = bytes(1_500_000)  # a few kilobytes on the wire
    zipped = {"compression_type": "gzip", "max_request_size": 2_000_000}
    send(rig, body, [*probe_headers(rig), ("x-long", bytes(1000))], **zipped)
    through(rig, ("k", 1))
    (record,) = (record for record in raw_records(rig) if record.value == body)
    dead = DeadLetters(rig.settings, rig.engine)
    with monkeypatch.context() as off:  # control
        off.setattr(dead_letters_of_events, "too_large", lambda error: False)
        with pytest.raises(MessageSizeTooLargeError):
            dead.put(record, "UNDECODABLE", "")
    dead.close()
    with running(consumer(rig).run):
        eventually(lambda: rig.effects() == [("k", 1)])
        eventually(lambda: committed(rig) == 2)
    ((letter, record),) = letters(rig.settings)
    assert (letter.reason, letter.size, letter.key) == ("TOO_LARGE", len(body), "k")
    assert letter.sha256 == hashlib.sha256(body).hexdigest()
    assert record.value is None
    assert "x-long" not in dict(record.headers)
    assert replay(rig.definition, rig.app, [letter.offset]) == {letter.offset: "TOO_LARGE"}


def test_a_record_without_key_and_value_and_a_header_without_value_are_buried(rig):
    place = {"topic": rig.topic, "partition": 0, "offset": 7}
    dead = DeadLetters(rig.settings, rig.engine)
    empty = SimpleNamespace(**place, key=None, value=None, headers=[("x-none", None)])
    dead.put(empty, "NOT_A_CLOUD_EVENT", "")
    dead.close()
    ((letter, record),) = letters(rig.settings)
    assert (letter.source_offset, letter.size, record.headers) == (7, 0, [("x-none", b"")])


def test_an_event_that_alone_always_takes_too_long_is_buried_and_the_rest_goes_on(rig, monkeypatch):
    through(rig, ("k", 1), ("k", SLOW), ("k", 2))
    with monkeypatch.context() as off:  # control: waited out like a database that is slow, it stops all
        off.setattr(effects_of_events, "SLOW_ATTEMPTS", 10**6)
        waiting = consumer(rig)
        with running(waiting.run):
            eventually(lambda: rig.effects() == [("k", 1)])
            eventually(lambda: max(waiting._effects._slow.values(), default=0) > 3)
        assert rig.effects() == [("k", 1)]
    with running(consumer(rig).run):
        eventually(lambda: rig.effects() == [("k", 1), ("k", 2)])
    assert [letter.reason for letter, _ in letters(rig.settings)] == ["DEADLINE_EXCEEDED"]


def test_a_dead_letter_holds_the_bytes_but_no_text_of_the_error(rig):
    through(rig, ("k", POISON))
    with running(consumer(rig).run):
        eventually(lambda: len(list(letters(rig.settings))) == 1)
    ((letter, record),) = letters(rig.settings)
    assert record.value == rig.event("k", POISON).SerializeToString()
    assert "Somebody" not in repr((letter, record))
    assert letter.event_id


def test_past_the_limit_of_dead_letters_the_consumer_stands_still_and_alarms(rig):
    through(rig, *[("k", POISON)] * 5, ("k", 1))
    halted = consumer(rig, limit=3)
    with running(halted.run):
        eventually(lambda: halted.halted)
        assert REGISTRY.get_sample_value("waymark_consumer_halted") == 1
        assert len(list(letters(rig.settings))) == 3
        assert rig.effects() == []
    with running(consumer(rig, limit=100).run):  # control: without the limit it goes on
        eventually(lambda: rig.effects() == [("k", 1)])


def test_a_dead_letter_is_replayed_once_when_the_fault_is_mended(rig, monkeypatch):
    from services.platform.events.replay import replay
    from tests.support import events

    through(rig, ("k", POISON))
    with running(consumer(rig).run):
        eventually(lambda: len(list(letters(rig.settings))) == 1)
    monkeypatch.setattr(events, "POISON", -99)
    ((letter, _),) = letters(rig.settings)
    assert replay(rig.definition, rig.app, [letter.offset]) == {letter.offset: "effect"}
    assert replay(rig.definition, rig.app, [letter.offset]) == {letter.offset: "duplicate"}
    assert rig.effects() == [("k", POISON)]
    with rig.engine.begin() as connection:
        assert connection.execute(sa.select(dead_letters.c.replayed_at)).scalar_one() is not None


def test_a_duplicate_and_an_old_message_behind_a_new_one_have_one_effect(rig):
    body = rig.event("k", 1).SerializeToString()
    one, two = probe_headers(rig), probe_headers(rig)
    for headers in (one, two, one, one, two):
        send(rig, body, headers)
    with running(consumer(rig).run):
        eventually(lambda: committed(rig) == 5)
    assert len(rig.effects()) == 2


def test_two_consumers_share_the_work_and_every_effect_is_one(rig):
    with running(relay(rig).run, consumer(rig).run, consumer(rig).run):
        for n in range(40):
            rig.publish(*((f"k{key}", n) for key in range(10)))
        eventually(lambda: len(rig.effects()) == 400)
    assert len(set(rig.effects())) == 400
    assert [n for key, n in rig.effects() if key == "k1"] == list(range(40))


@pytest.mark.parametrize("instance", ["consumer-0", ""])
def test_a_consumer_goes_on_at_once_for_one_of_its_name_and_without_a_name_waits(rig, instance):
    named = rig.with_instance(instance)
    with process(named, "consumer") as first, running(relay(rig).run):
        rig.publish(("one", 1))
        eventually(lambda: rig.effects() == [("one", 1)])
        first.kill()
        killed = time.monotonic()
    client = clients.member(named.settings)
    client.subscribe([rig.topic])
    while not client.assignment():
        client.poll(timeout_ms=100)
    waited = time.monotonic() - killed
    client.close()
    # The session of the one killed ends 6 s after its last heartbeat, of which one comes every 1.5 s.
    assert (waited < 4) is bool(instance)
