"""Tables of targets: what is to be reached, what was noted by month, reviews."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from services.vouchers.store.columns import created, document, key, moment, version, words
from services.vouchers.store.tables import metadata

targets = Table(
    "targets",
    metadata,
    key(),
    document("display_names"),
    Column("measure", SmallInteger, nullable=False),
    Column("programme_id", Text, ForeignKey("programmes.id")),
    Column("baseline", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    moment("reviewed_at"),  # or when it was set
    moment("reminded_at", nullable=True),
    version(),
    created(),
)

target_values = Table(
    "target_values",
    metadata,
    Column("target_id", Uuid(as_uuid=False), ForeignKey("targets.id"), nullable=False),
    Column("month", Date, nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("target_id", "month"),
)

target_reviews = Table(
    "target_reviews",
    metadata,
    key(),
    Column("target_id", Uuid(as_uuid=False), ForeignKey("targets.id"), nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("former_value", BigInteger, nullable=False),
    Column("current", BigInteger),
    words("reviewed_by"),
    created(),
)
Index("target_reviews_target", target_reviews.c.target_id, target_reviews.c.id)
