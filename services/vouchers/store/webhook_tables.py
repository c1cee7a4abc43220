"""Tables of webhooks: who is told of what, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from services.vouchers.store.columns import blank, created, key, moment, texts, version, words
from services.vouchers.store.tables import metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    key(),
    words("url"),
    texts("event_types"),
    Column("state", SmallInteger, nullable=False),
    Column("given_up", Integer, nullable=False, server_default="0"),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("sealed_former", LargeBinary),
    moment("former_until", nullable=True),
    blank("description"),
    words("created_by"),
    version(),
    created(),
    CheckConstraint("(sealed_former IS NULL) = (former_until IS NULL)", name="webhook_endpoints_former_ends"),
)

# Rows come from a trigger on the outbox: written if and only if the event is, and nobody has to read along.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    key(),
    Column("endpoint_id", Uuid(as_uuid=False), ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event_id", Uuid(as_uuid=False), nullable=False),
    words("event_type"),
    Column("payload", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("next_at"),
    Column("last_status", Integer, nullable=False, server_default="0"),
    blank("last_error"),
    moment("delivered_at", nullable=True),
    created(),
    UniqueConstraint("endpoint_id", "event_id"),
)
Index(
    "webhook_deliveries_due",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.next_at,
    postgresql_where=text("state = 1"),
)
Index(
    "webhook_deliveries_log",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.created_at,
    webhook_deliveries.c.id,
)
Index(
    "webhook_deliveries_brief",
    webhook_deliveries.c.event_type,
    webhook_deliveries.c.created_at,
    postgresql_where=text("payload <> '' AND event_type IN ('waymark.vouchers.v1.AuthorisationCodeSent')"),
)
Index("webhook_deliveries_ended", webhook_deliveries.c.created_at, postgresql_where=text("state <> 1"))
