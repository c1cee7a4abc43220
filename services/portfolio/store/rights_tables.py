"""Tables of what holders ask of the office by right, what the law asks to be kept, and what keeps those who
may look from looking at everybody.

As in `tables`: whatever says something of a person is sealed.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version

_OPEN = text("state <= 3")

# Stays when the holder is erased, with nothing in `sealed`: it shows that the office answered.
rights_requests = Table(
    "rights_requests",
    metadata,
    Column("holder_id", Text, ForeignKey("holders.id"), primary_key=True),
    id_(),
    Column("kind", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("identity_proof", SmallInteger, nullable=False),
    Column("refusal_ground", SmallInteger, nullable=False),
    Column("handler", Text, nullable=False),  # empty: nobody of the office yet
    time("due_at"),
    time("extended_at", nullable=True),
    time("reminded_at", nullable=True),  # set: that it is due soon was told
    sealed(),
    time("created_at"),
    time("updated_at"),
    CheckConstraint("handler <> holder_id", name="rights_requests_not_ones_own"),
    Index("rights_requests_open", "due_at", "id", postgresql_where=_OPEN),
    Index(
        "rights_requests_unreminded", "due_at", postgresql_where=text("state <= 3 AND reminded_at IS NULL")
    ),
)

legal_holds = Table(
    "legal_holds",
    metadata,
    owner(),
    id_(),
    Column("setter", Text, nullable=False),
    Column("lifter", Text, nullable=False),  # empty: in force
    time("lifted_at", nullable=True),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    CheckConstraint("setter <> holder_id AND lifter <> holder_id", name="legal_holds_not_ones_own"),
    CheckConstraint("(lifter = '') = (lifted_at IS NULL)", name="legal_holds_lifted"),
    Index("legal_holds_in_force", "holder_id", postgresql_where=text("lifted_at IS NULL")),
)

# What rows of `kind`, a table, said before they were changed under a hold, sealed as it was there. The
# triggers of migration 0016 write it.
kept_contents = Table(
    "kept_contents",
    metadata,
    owner(),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("parent_id", Text, nullable=False),  # of what a row is part of; empty: of nothing
    sealed(),
    time("kept_at"),
)

# Looks without leave. They stay when the holder is erased, with nothing in `sealed`.
break_glass_accesses = Table(
    "break_glass_accesses",
    metadata,
    Column("holder_id", Text, ForeignKey("holders.id"), primary_key=True),
    id_(),
    Column("ground", SmallInteger, nullable=False),
    Column("opener", Text, nullable=False),
    Column("organisation", Text, nullable=False),  # empty: the office itself
    Column("reviewer", Text, nullable=False),  # empty: nobody yet
    Column("verdict", SmallInteger, nullable=False),
    time("expires_at"),
    time("ended_at", nullable=True),
    time("reviewed_at", nullable=True),
    sealed(),
    time("created_at"),
    CheckConstraint("opener <> holder_id AND reviewer <> holder_id", name="break_glass_not_ones_own"),
    CheckConstraint("reviewer <> opener", name="break_glass_second_person"),
    CheckConstraint("(reviewer = '') = (reviewed_at IS NULL)", name="break_glass_reviewed"),
    Index("break_glass_opener", "holder_id", "opener", "expires_at"),
    Index("break_glass_unreviewed", "id", postgresql_where=text("reviewed_at IS NULL")),
)

# At whom somebody else than the holder has looked on a day; forgotten when the day is over.
people_seen = Table(
    "people_seen",
    metadata,
    Column("day", Date, primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("holder_id", Text, ForeignKey("holders.id"), primary_key=True),
    Index("people_seen_holder", "holder_id"),
)

# How many that were.
people_counted = Table(
    "people_counted",
    metadata,
    Column("day", Date, primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("people", Integer, nullable=False),
)

# Who looked at as many as anybody may on a day; nothing of those whom they looked at.
read_alarms = Table(
    "read_alarms",
    metadata,
    Column("raised_at", DateTime(timezone=True), primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("organisation", Text, nullable=False),  # empty: the office itself
    Column("people", Integer, nullable=False),
)
