"""Tables of what follows from courses."""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, metadata, moment

# What makes a course comparable (domain.likeness.Features), as of its last change.
course_features = Table(
    "course_features",
    metadata,
    Column("course_id", UuidText, primary_key=True),
    Column("source_id", UuidText, nullable=False),
    Column("titles", ARRAY(Text), nullable=False),
    Column("places", ARRAY(Text), nullable=False),
    Column("starts", ARRAY(Text), nullable=False),
    Column("provider", Text, nullable=False),
    Column("keys", ARRAY(Integer), nullable=False),
    Column("rule_version", SmallInteger, nullable=False),
    Index("course_features_keys", "keys", postgresql_using="gin"),
)

course_links = Table(
    "course_links",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("low", UuidText, nullable=False),  # ids of both courses, in order
    Column("high", UuidText, nullable=False),
    Column("score", REAL, nullable=False),
    Column("rule_version", SmallInteger, nullable=False),
    Column("verdict", SmallInteger, nullable=False, server_default="0"),  # CourseLink.Verdict
    Column("decided_by", Text, nullable=False, server_default=""),
    moment("decide_time"),
    UniqueConstraint("low", "high", name="course_link_of_two"),
    CheckConstraint("low < high", name="course_link_in_order"),
    CheckConstraint("(verdict = 0) = (decided_by = '')", name="course_link_decided_by_somebody"),
    Index("course_links_high", "high"),
    Index("course_links_verdict", "verdict", text("score DESC"), text("id DESC")),
)

course_completeness = Table(
    "course_completeness",
    metadata,
    Column("course_id", UuidText, primary_key=True),
    Column("organisation_id", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("lacks", JSONB, nullable=False),  # CourseAspect → points
    Column("rule_version", SmallInteger, nullable=False),
    Index("course_completeness_score", "score", "course_id"),
    Index("course_completeness_organisation", "organisation_id", "score", "course_id"),
)

# How far who follows the changes of courses has come.
course_followers = Table(
    "course_followers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),  # store.course_changes.Place
)
