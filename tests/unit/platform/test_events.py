"""Event forms and faults, without any server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID

import pytest
from kafka.errors import KafkaConnectionError, MessageSizeTooLargeError, RecordListTooLargeError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2
from waymark.vouchers.v1 import events_pb2

from services.platform.app import App
from services.platform.errors import Refusal
from services.platform.events import cloudevents, inbox
from services.platform.events.cloudevents import NotACloudEvent
from services.platform.events.contract import all_events, key_of, route
from services.platform.events.faults import passing, reason_of
from services.platform.events.looking import describe
from services.platform.events.outbox import BUCKETS, bucket_of
from services.platform.events.processes import connections
from services.platform.events.topics import dead_letter_topic, declared
from services.platform.service import SERVICES, Job, ServiceDefinition

ID = UUID("0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f")
WHEN = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
PLACE = {"topic": "t", "partition": 1, "offset": 2, "key": b"a"}


def headers(**changes: bytes | None) -> list[tuple[str, bytes]]:
    made = cloudevents.headers(
        id=ID, source="/s", type="x.Y", subject="a", time=WHEN, traceparent="00-1-2-01"
    )
    changed = dict(made) | changes
    return [(name, value) for name, value in changed.items() if value is not None]


def test_headers_read_back_as_they_were_written():
    info = cloudevents.read(headers(), **PLACE)
    assert (info.id, info.type, info.time, info.key) == (str(ID), "x.Y", WHEN, "a")
    assert info.traceparent == "00-1-2-01"
    assert dict(headers())["ce_time"] == b"2026-11-21T08:30:00.123456Z"


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_type", "ce_time", "content-type"])
@pytest.mark.parametrize("value", [None, b"\xff", b""])
def test_a_missing_or_broken_attribute_is_no_event(name, value):
    if name == "ce_type" and value == b"":
        return  # an empty type is a type that nobody knows
    with pytest.raises(NotACloudEvent):
        cloudevents.read(headers(**{name: value}), **PLACE)


def test_the_key_is_found_through_nested_fields():
    event = events_pb2.RedemptionStarted(ref=events_pb2.RedemptionRef(redemption="redemptions/1"))
    assert key_of(event) == "redemptions/1"
    with pytest.raises(ValueError, match=r"ref\.redemption"):
        key_of(events_pb2.RedemptionStarted())


def test_a_message_without_the_option_is_no_event():
    with pytest.raises(ValueError, match="is no event"):
        route(options_pb2.Policy)


def test_every_event_of_the_contracts_has_a_route():
    assert {route(kind).topic.split(".")[1] for kind in all_events()} == {
        "catalogue",
        "vouchers",
        "portfolio",
    }


def test_people_who_look_at_events_are_shown_no_secret():
    ref = events_pb2.RedemptionRef(redemption="redemptions/1")
    event = events_pb2.AuthorisationCodeSent(ref=ref, code="7ZXC-04KM")
    sent = headers(ce_type=event.DESCRIPTOR.full_name.encode())
    record = SimpleNamespace(headers=sent, value=event.SerializeToString(), **PLACE)
    assert b"7ZXC" in record.value  # control: it was there to be shown
    assert describe(record)["event"] == {"ref": {"redemption": "redemptions/1"}}


def test_buckets_spread_and_stay():
    buckets = [bucket_of(f"redemptions/{n}") for n in range(5_000)]
    assert set(buckets) == set(range(BUCKETS))
    assert bucket_of("redemptions/1") == buckets[1]


@pytest.mark.parametrize(
    "error",
    [
        PoolTimeout(),
        ConnectionResetError(),
        Refusal(reason_pb2.REASON_UNAVAILABLE),
        Refusal(reason_pb2.REASON_LOCKED),
        KafkaConnectionError(),
    ],
)
def test_what_passes_is_waited_out(error):
    assert passing(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Ada Lovelace"),
        KeyError(),
        Refusal(reason_pb2.REASON_WRONG_STATE),
        MessageSizeTooLargeError("Ada Lovelace"),
        RecordListTooLargeError(),
    ],
)
def test_what_does_not_pass_gets_a_reason_without_its_text(error):
    assert not passing(error)
    assert "Ada" not in reason_of(error)


@pytest.mark.parametrize(("long", "needed"), [([], 3), ([False], 3), ([True, False, True], 7)])
def test_a_consumer_has_connections_for_all_jobs_that_may_be_under_way(long: list[bool], needed: int) -> None:
    jobs = [Job(str(number), timedelta(1), lambda _: None, long=each) for number, each in enumerate(long)]
    definition = ServiceDefinition("probe", app=App, servicers=(), relationships={}, reactions={}, jobs=jobs)
    assert connections(definition) == needed


def test_the_inbox_remembers_longer_than_any_topic_that_deletes():
    """What a topic keeps for good is named: its reactions must bear a repeat without the inbox."""
    segment = timedelta(days=7)  # a message goes with the segment it is in, which grows so long
    dead = {dead_letter_topic(service) for service in SERVICES}  # read by people
    deleting = [topic for name, topic in declared().items() if not topic.compacted and name not in dead]
    for_good = {topic.name for topic in deleting if topic.retention_days < 0}
    assert for_good == {"waymark.catalogue.shortage-lists.v1"}
    longest = max(topic.retention_days for topic in deleting)
    assert timedelta(days=longest) + segment < inbox.KEPT
