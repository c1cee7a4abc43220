"""Outbox: events wait in the database, written by the transaction that they tell about."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from services.platform.db.ids import new_id
from services.platform.db.wire import Call, Prepared
from services.platform.events.contract import key_of, route, type_of

if TYPE_CHECKING:
    from google.protobuf.message import Message

BUCKETS = 64
MAX_PAYLOAD = 900_000  # bytes; a Kafka record of the default limit holds it with its headers

_APPEND = Prepared(
    "waymark_outbox",
    """INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, bucket, traceparent)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)""",
    ("uuid[]", "text[]", "text[]", "text[]", "bytea[]", "text[]", "smallint[]", "text[]"),
)


class Row(NamedTuple):
    """One event, as the outbox has it (Debezium's columns and ours)."""

    id: str
    aggregatetype: str
    aggregateid: str
    type: str
    payload: bytes
    topic: str
    bucket: int
    traceparent: str


def append(rows: Sequence[Row]) -> Call:
    """Returns the call that writes the rows, in this order."""
    return Call(_APPEND, tuple(zip(*rows, strict=True)))


def row(event: Message, traceparent: str = "") -> Row:
    """Returns an event's row. Raises ValueError for a message that is no event, has no key or is larger than
    MAX_PAYLOAD."""
    payload = event.SerializeToString()
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{event.DESCRIPTOR.full_name} has {len(payload)} bytes; split it.")
    kind, key = type(event), key_of(event)
    to = route(kind)
    return Row(new_id(), to.path[-1], key, type_of(kind), payload, to.topic, bucket_of(key), traceparent)


def bucket_of(key: str) -> int:
    """Returns the bucket of an aggregate, 0 to BUCKETS - 1. Relays lease buckets, never single aggregates."""
    return zlib.crc32(key.encode()) % BUCKETS
