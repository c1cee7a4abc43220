"""Tables of agreements, of how they go, and of what they share."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, metadata, moment

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
    Column("drafted_by", Text, nullable=False),  # who wrote it last
    Column("activated_by", Text),
    moment("activate_time"),
    moment("end_time"),
    moment("create_time", now=True),
    Column("data_sharing", JSONB, nullable=False, server_default="[]"),  # domain.data_sharing.Term
    Column("review_months", SmallInteger, nullable=False, server_default="12"),
    moment("reviewed_at"),  # or put in force
    moment("reminded_at"),  # of the review that follows
    Column("version", BigInteger, nullable=False, server_default="1"),
    CheckConstraint("monitor <> owner", name="agreement_monitor_apart"),
    CheckConstraint("activated_by <> drafted_by", name="agreement_second_person"),
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
    CheckConstraint("review_months BETWEEN 1 AND 12", name="agreement_reviewed_yearly"),
    Index("agreements_parties", "parties", postgresql_using="gin"),
    Index("agreements_state", "state", "id"),
    Index("agreements_running_out", "end_date", postgresql_where=text("state = 2")),
    Index("agreements_to_review", "reviewed_at", postgresql_where=text("state = 2 AND reminded_at IS NULL")),
)

contact_details = Table(
    "contact_details",
    metadata,
    Column("organisation_id", Text, ForeignKey("organisations.id"), primary_key=True),
    Column("details", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    moment("update_time", now=True),
)

agreement_targets = Table(
    "agreement_targets",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("agreement_id", UuidText, ForeignKey("agreements.id"), nullable=False),
    Column("display_names", JSONB, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Column("baseline", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("current", BigInteger),  # at the last review
    moment("create_time", now=True),
    CheckConstraint("value <> baseline", name="agreement_target_leads_somewhere"),
    Index("agreement_targets_agreement", "agreement_id", "id"),
)

agreement_reviews = Table(
    "agreement_reviews",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("agreement_id", UuidText, ForeignKey("agreements.id"), nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("values", JSONB, nullable=False),  # as they were said
    Column("reviewed_by", Text, nullable=False),
    Column("beneficiaries", JSONB, nullable=False, server_default="{}"),  # domain.course_feedback.Rated
    moment("create_time", now=True),
    Index("agreement_reviews_agreement", "agreement_id", "id"),
)

agreement_feedback = Table(
    "agreement_feedback",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("agreement_id", UuidText, ForeignKey("agreements.id"), nullable=False),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("rating", SmallInteger, nullable=False),
    Column("comment", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    moment("create_time", now=True),
    CheckConstraint("rating BETWEEN 1 AND 5", name="agreement_feedback_rating"),
    Index("agreement_feedback_agreement", "agreement_id", "id"),
)
