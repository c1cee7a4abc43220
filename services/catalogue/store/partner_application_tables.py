"""Tables of applications to become a partner."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, metadata, moment

partner_applications = Table(
    "partner_applications",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("applicant", Text, nullable=False),  # opaque subject of the access token
    Column("display_name", Text, nullable=False),
    Column("legal_ids", JSONB, nullable=False),
    Column("sector", SmallInteger, nullable=False),
    Column("roles", ARRAY(SmallInteger), nullable=False),
    Column("models", ARRAY(SmallInteger), nullable=False),
    Column("offer", Text, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),  # PartnerApplication.State
    Column("organisation_id", Text, ForeignKey("organisations.id")),
    Column("refusal_reason", SmallInteger, nullable=False, server_default="0"),
    Column("refusal_note", Text, nullable=False, server_default=""),
    Column("decided_by", Text),
    moment("decide_time"),
    moment("create_time", now=True),
    Column("version", BigInteger, nullable=False, server_default="1"),
    CheckConstraint("decided_by <> applicant", name="partner_application_second_person"),
    CheckConstraint(
        "(state = 1) = (decided_by IS NULL) AND (state = 1) = (decide_time IS NULL)"
        " AND (state = 2) = (organisation_id IS NOT NULL) AND (state = 3) = (refusal_reason > 0)",
        name="partner_application_decided_whole",
    ),
    # One at a time, however many calls arrive at once.
    Index("partner_applications_open", "applicant", unique=True, postgresql_where=text("state = 1")),
    Index("partner_applications_state", "state", "id"),
)
