"""Tables of officers' assessments, and of the sector councils that attest them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.catalogue.store.columns import UuidText, metadata

# `state`: see domain.assessment.
assessments = Table(
    "assessments",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("occupation", Text, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("nuts_code", Text(collation="C"), nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("cause", SmallInteger, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    Column("entered_by", Text, nullable=False),
    Column("verified_by", Text),
    Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("verify_time", DateTime(timezone=True)),
    CheckConstraint("verified_by <> entered_by", name="assessment_second_person"),
    CheckConstraint("(state = 1) = (verified_by IS NULL)", name="assessment_verified_by_somebody"),
    CheckConstraint("severity BETWEEN 0 AND 5", name="assessment_severity"),
    Index("assessments_current", "occupation", "nuts_code", unique=True, postgresql_where=text("state = 2")),
    Index("assessments_area", "nuts_code", postgresql_where=text("state = 2")),
    Index("assessments_occupation", "occupation", "id"),
)

attestations = Table(
    "attestations",
    metadata,
    Column("assessment_id", UuidText, ForeignKey("assessments.id"), primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id"), primary_key=True),
    Column("verdict", SmallInteger, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

sector_councils = Table(
    "sector_councils",
    metadata,
    Column("organisation_id", Text, ForeignKey("organisations.id"), primary_key=True),
    Column("isco_codes", ARRAY(Text), nullable=False),
)
