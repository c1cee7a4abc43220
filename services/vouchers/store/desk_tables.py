"""Tables of the desk: questions to applicants, decisions that an appeal replaced, reminders sent."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.vouchers.store.columns import blank, created, key, moment, sealed, texts, words
from services.vouchers.store.tables import metadata

inquiries = Table(
    "inquiries",
    metadata,
    key(),
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    blank("fact_key"),
    sealed("sealed_note"),
    Column("due_date", Date, nullable=False),
    Column("state", SmallInteger, nullable=False),
    words("asked_by"),
    blank("answered_fact"),
    texts("evidence"),
    sealed("sealed_answer"),
    moment("answered_at", nullable=True),
    created(),
    CheckConstraint("(kind = 1) = (fact_key <> '')", name="inquiries_fact_named"),
    CheckConstraint("(state = 2) = (answered_at IS NOT NULL)", name="inquiries_answered_once"),
)
Index("inquiries_application", inquiries.c.application_id, inquiries.c.id)

# A grant on appeal pins what it rests on anew; what was decided before stays readable here.
earlier_decisions = Table(
    "earlier_decisions",
    metadata,
    Column("application_id", Uuid(as_uuid=False), ForeignKey("applications.id"), primary_key=True),
    Column("decision", JSONB, nullable=False),
    created(),
)

# A voucher that is extended expires anew, and is told of anew.
voucher_reminders = Table(
    "voucher_reminders",
    metadata,
    Column("voucher_id", Uuid(as_uuid=False), ForeignKey("vouchers.id"), nullable=False),
    moment("expires_at"),
    Column("days", SmallInteger, nullable=False),
    created(),
    PrimaryKeyConstraint("voucher_id", "expires_at", "days"),
)
