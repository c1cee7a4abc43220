"""Outbox: events wait in the database, written by the transaction that they tell about."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import insert

from services.platform.db.ids import new_uuid
from services.platform.db.schema import outbox
from services.platform.db.wire import Call, Prepared
from services.platform.events.contract import key_of, route, type_of

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from sqlalchemy import Connection

BUCKETS = 64
MAX_PAYLOAD = 900_000  # bytes; a Kafka record of the default limit holds it with its headers

_INSERT = insert(outbox)
_COLUMNS = ("id", "aggregatetype", "aggregateid", "type", "payload", "topic", "bucket", "traceparent")
_APPEND = Prepared(
    "waymark_outbox",
    f"INSERT INTO outbox ({', '.join(_COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",  # noqa: S608  constants
    ("uuid", "text", "text", "text", "bytea", "text", "smallint", "text"),
)


def append(connection: Connection, events: Sequence[Message], traceparent: str = "") -> None:
    """Inserts one row per event, in order, in one statement.

    Raises ValueError for a message that is no event, has no key or is larger than MAX_PAYLOAD.
    """
    rows = [_row(event, traceparent) for event in events]
    connection.execute(_INSERT, rows if len(rows) > 1 else rows[0])  # one row needs no pipeline


def calls(events: Sequence[Message], traceparent: str = "") -> list[Call]:
    """Returns calls that insert one row each, in order, to travel with a commit. Raises as `append` does."""
    rows = [_row(event, traceparent) for event in events]
    return [
        Call(_APPEND, (str(row["id"]), *(row[column] for column in _COLUMNS[1:])))  # type: ignore[arg-type]
        for row in rows
    ]


def bucket_of(key: str) -> int:
    """Returns the bucket of an aggregate, 0 to BUCKETS - 1. Relays lease buckets, never single aggregates."""
    return zlib.crc32(key.encode()) % BUCKETS


def _row(event: Message, traceparent: str) -> dict[str, object]:
    payload = event.SerializeToString()
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{event.DESCRIPTOR.full_name} has {len(payload)} bytes; split it.")
    key = key_of(event)
    return {
        "id": new_uuid(),
        "aggregatetype": route(type(event)).path[-1],
        "aggregateid": key,
        "type": type_of(type(event)),
        "payload": payload,
        "topic": route(type(event)).topic,
        "bucket": bucket_of(key),
        "traceparent": traceparent,
    }
