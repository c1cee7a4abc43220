"""Tables of agreements."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.tables import UuidText, metadata, moment

agreements = Table(
    "agreements",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("display_names", JSONB, nullable=False),
    Column("parties", ARRAY(Text), nullable=False),  # ids of organisations, which are never deleted
    Column("models", ARRAY(SmallInteger), nullable=False),
    Column("form", SmallInteger, nullable=False),
    Column("selection_procedure", SmallInteger, nullable=False),
    Column("start_date", Date),
    Column("end_date", Date),
    Column("volumes", JSONB, nullable=False),
    Column("standards", ARRAY(Text), nullable=False),
    # UUIDs, so that one person is written in one way.
    Column("owner", UuidText, nullable=False),
    Column("monitor", UuidText, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # Agreement.State
    Column("end_reason", SmallInteger, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    Column("activated_by", Text),
    moment("activate_time"),
    moment("end_time"),
    moment("create_time", now=True),
    Column("version", BigInteger, nullable=False, server_default="1"),
    CheckConstraint("monitor <> owner", name="agreement_monitor_apart"),
    CheckConstraint("activated_by <> created_by", name="agreement_second_person"),
    CheckConstraint("end_date >= start_date", name="agreement_ends_after_start"),
    CheckConstraint("cardinality(parties) BETWEEN 2 AND 3", name="agreement_of_two_or_three"),
    CheckConstraint(
        "(activated_by IS NULL) = (activate_time IS NULL) AND (state <> 2 OR activated_by IS NOT NULL)",
        name="agreement_activated_whole",
    ),
    CheckConstraint(
        "(state = 3) = (end_time IS NOT NULL) AND (state = 3) = (end_reason > 0)",
        name="agreement_ended_whole",
    ),
    Index("agreements_parties", "parties", postgresql_using="gin"),
    Index("agreements_state", "state", "id"),
    Index("agreements_running_out", "end_date", postgresql_where=text("state = 2")),
)
