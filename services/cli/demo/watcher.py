"""Sees every event on Kafka with a consumer of its own, from the moment the journey starts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from waymark.catalogue.v1 import events_pb2 as catalogue_events
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import events_pb2 as portfolio_events
from waymark.vouchers.v1 import events_pb2 as voucher_events

from services.cli.exits import ExitCode, Failure
from services.platform.events.clients import consumer
from services.platform.settings import Settings

TYPE_HEADER = "ce_type"
POLL_MS = 200

M = TypeVar("M", bound=Message)


def event_messages() -> dict[str, Descriptor]:
    """Every event of the contracts: short name → message descriptor."""
    return {
        name: message
        for file in (catalogue_events, voucher_events, portfolio_events)
        for name, message in file.DESCRIPTOR.message_types_by_name.items()
        if message.GetOptions().HasExtension(options_pb2.event)
    }


def event_topics() -> set[str]:
    """Every topic that events travel on."""
    return {message.GetOptions().Extensions[options_pb2.event].topic for message in event_messages().values()}


class EventWatcher:
    """Follows the event topics in a thread and keeps, per key, events in the order they came: type and body.

    It is in no consumer group, commits nothing, and starts at the end of each topic: it sees the events of
    this walk, and takes none from anybody.
    """

    def __init__(self, bootstrap: str) -> None:
        """`bootstrap` is the broker's address; how to log in there is in the environment, as for services.

        Raises Failure when a topic of the contracts does not exist.
        """
        settings = replace(Settings.from_environment("journey"), kafka_bootstrap=bootstrap)
        self._consumer: Any = consumer(settings, None)
        self._by_key: dict[str, list[tuple[str, bytes]]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        try:
            self._go_to_the_ends()
        except BaseException:
            self._consumer.close()
            raise
        self._thread = threading.Thread(target=self._follow, name="event-watcher", daemon=True)
        self._thread.start()

    def counts(self) -> Counter[str]:
        """How many events of each type were seen so far."""
        with self._lock:
            return Counter(kind for seen in self._by_key.values() for kind, _ in seen)

    def of_key(self, key: str) -> list[str]:
        """Types of the events with this key, in the order they came."""
        return [kind for kind, _ in self._seen(key)]

    def newest(self, kind: type[M], key: str) -> M | None:
        """The newest event of a type with this key; None while none was seen."""
        found = (said for name, said in reversed(self._seen(key)) if name == kind.DESCRIPTOR.name)
        return next(map(kind.FromString, found), None)

    def _seen(self, key: str) -> list[tuple[str, bytes]]:
        with self._lock:
            return list(self._by_key.get(key, ()))

    def wait_for(self, expected: set[str], timeout: float) -> set[str]:
        """Waits until all `expected` types were seen, at most `timeout` seconds; returns the missing ones."""
        deadline = time.monotonic() + timeout
        while (missing := expected - set(self.counts())) and time.monotonic() < deadline:
            time.sleep(0.1)
        return missing

    def close(self) -> None:
        """Stops following."""
        self._stopping.set()
        self._thread.join(timeout=5)
        self._consumer.close()

    def _go_to_the_ends(self) -> None:
        from kafka import TopicPartition

        missing = event_topics() - set(self._consumer.topics())
        if missing:
            text = f"Topics that are not on the broker: {', '.join(sorted(missing))}."
            raise Failure(ExitCode.UNREACHABLE, text, remedy="`waymark migrate SERVICE` creates them.")
        partitions = [
            TopicPartition(topic, number)
            for topic in event_topics()
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        self._consumer.assign(partitions)
        for partition, offset in self._consumer.end_offsets(partitions).items():
            self._consumer.seek(partition, offset)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                with self._lock:
                    for record in records:
                        key = (record.key or b"").decode()
                        self._by_key.setdefault(key, []).append((_type_of(record), record.value))


def _type_of(record: Any) -> str:
    """Short event type from the CloudEvents header, for example `RedemptionAccepted`."""
    headers: dict[str, str] = {key: value.decode() for key, value in record.headers}
    return headers.get(TYPE_HEADER, "").rsplit(".", 1)[-1]
