"""Tables that every service has for the platform: request ids, outbox with its relay leases, inbox, dead
letters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)

_METADATA = MetaData()


def _created() -> Column[Any]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


request_ids = Table(
    "request_ids",
    _METADATA,
    Column("principal", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("answer", LargeBinary),  # NULL: the answer holds a secret and is not kept
    Column("repeats", Integer, nullable=False, server_default="0"),
    _created(),
    Index("request_ids_created_at", "created_at"),
)

# Debezium's outbox columns (id, aggregatetype, aggregateid, type, payload) and what the relay needs beside.
outbox = Table(
    "outbox",
    _METADATA,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("aggregatetype", Text, nullable=False),
    Column("aggregateid", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("topic", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("traceparent", Text, nullable=False, server_default=""),
    _created(),
)

outbox_leases = Table(
    "outbox_leases",
    _METADATA,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

outbox_relays = Table(
    "outbox_relays",
    _METADATA,
    Column("holder", Text, primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

inbox = Table(
    "inbox",
    _METADATA,
    Column("id", Uuid, primary_key=True),
    _created(),
    Index("inbox_created_at", "created_at"),
)

# How far the consumer is behind, written by it every few seconds and read by the server's health check.
consumer_lag = Table(
    "consumer_lag",
    _METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("lag", BigInteger, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# Only what counting and finding needs; the bytes themselves are in the dead-letter topic.
dead_letters = Table(
    "dead_letters",
    _METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("type", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("replayed_at", DateTime(timezone=True)),
    _created(),
    Index("dead_letters_created_at", "created_at"),
)

# When each periodic job last began, over all replicas.
job_runs = Table(
    "job_runs",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
)


def platform_tables(metadata: MetaData) -> None:
    """Adds the platform's tables to a service's metadata, so that Alembic knows them as its own."""
    for table in _METADATA.sorted_tables:
        table.to_metadata(metadata)


def create_platform_tables(op: Any) -> None:
    """Creates the tables; called with `alembic.op` by the first migration of each service.

    Changes to these tables come as further functions here, called by a further migration of each service.
    """
    _METADATA.create_all(op.get_bind(), checkfirst=False)
