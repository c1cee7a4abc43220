"""Tables of links between concepts, and of changes from one version of a scheme to the next."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.catalogue.store.columns import UuidText, metadata


def _side(side: str) -> list[Column[Any]]:
    return [Column(f"{side}_{part}", Text, primary_key=True) for part in ("scheme", "version", "id")]


def _of_concept(side: str) -> ForeignKeyConstraint:
    parts = ("scheme", "version", "id")
    return ForeignKeyConstraint([f"{side}_{part}" for part in parts], [f"concepts.{part}" for part in parts])


# Between versions of one scheme: what replaces what; between schemes: a crosswalk. `strength`: LinkStrength.
concept_links = Table(
    "concept_links",
    metadata,
    *_side("source"),
    *_side("target"),
    Column("strength", SmallInteger, nullable=False),
    _of_concept("source"),
    _of_concept("target"),
    Index("concept_links_target", "target_scheme", "target_version", "target_id"),
)

# Skills that the occupations of a version need, by URI: no matter which version of the skills is in use.
occupation_skills = Table(
    "occupation_skills",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("concept_id", Text, primary_key=True),
    Column("skill_uri", Text, primary_key=True),
    Column("essential", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["scheme", "version", "concept_id"], ["concepts.scheme", "concepts.version", "concepts.id"]
    ),
)

# `state`: TaxonomyChange.State. `counts`: what `domain.taxonomy_change` counts.
taxonomy_changes = Table(
    "taxonomy_changes",
    metadata,
    Column("id", UuidText, primary_key=True),
    Column("scheme", Text, nullable=False),
    Column("from_version", Text, nullable=False),
    Column("to_version", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("counts", JSONB, nullable=False, server_default="{}"),
    Column("operation_id", UuidText, ForeignKey("operations.id")),
    Column("proposed_by", Text, nullable=False),
    Column("applied_by", Text),
    Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("apply_time", DateTime(timezone=True)),
    ForeignKeyConstraint(
        ["scheme", "from_version"], ["taxonomy_versions.scheme", "taxonomy_versions.version"]
    ),
    ForeignKeyConstraint(["scheme", "to_version"], ["taxonomy_versions.scheme", "taxonomy_versions.version"]),
    CheckConstraint("applied_by <> proposed_by", name="taxonomy_change_second_person"),
)

taxonomy_change_items = Table(
    "taxonomy_change_items",
    metadata,
    Column("change_id", UuidText, ForeignKey("taxonomy_changes.id"), primary_key=True),
    Column("uri", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),  # TaxonomyChangeItem.Kind
    Column("label", Text, nullable=False),
    Column("targets", ARRAY(Text), nullable=False),  # URIs
    Column("courses", Integer, nullable=False),
    Column("corrections", Integer, nullable=False),
    Column("shortage_entries", Integer, nullable=False),
    Column("observations", Integer, nullable=False),
)

# What the tags of a course were before a change, to undo it.
taxonomy_change_courses = Table(
    "taxonomy_change_courses",
    metadata,
    Column("change_id", UuidText, ForeignKey("taxonomy_changes.id"), primary_key=True),
    Column("course_id", UuidText, ForeignKey("courses.id"), primary_key=True),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
)
