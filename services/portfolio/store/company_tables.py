"""Tables of what people do in company: mentors and their matches, group programmes.

As in `tables`: whatever says something of a person is sealed.
"""

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
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.portfolio.store.columns import id_, metadata, owner, sealed, time, version

# Who mentors for an organisation: what they offer, and an opaque id.
mentors = Table(
    "mentors",
    metadata,
    id_(),
    Column("organisation", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("occupation_uris", ARRAY(Text), nullable=False),
    Column("isco_codes", ARRAY(Text), nullable=False),
    Column("isco_groups", ARRAY(Text), nullable=False),  # the codes and those above them, to find by
    Column("languages", ARRAY(Text), nullable=False),
    Column("capacity", Integer, nullable=False),
    version(),
    time("retired_at", nullable=True),
    time("created_at"),
    time("updated_at"),
    UniqueConstraint("organisation", "subject", name="mentors_subject"),
    Index("mentors_organisation", "organisation", "id"),
    Index("mentors_occupation_uris", "occupation_uris", postgresql_using="gin"),
    Index("mentors_isco_groups", "isco_groups", postgresql_using="gin"),
)

# A mentor for a holder; what it is for, and why this one, is sealed.
mentoring_matches = Table(
    "mentoring_matches",
    metadata,
    owner(),
    id_(),
    Column("mentor_id", Text, ForeignKey("mentors.id"), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),  # what the mentor may read
    time("holder_agreed", nullable=True),
    time("mentor_agreed", nullable=True),
    time("expires_at"),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    CheckConstraint(
        "state <> 2 OR (holder_agreed IS NOT NULL AND mentor_agreed IS NOT NULL)",
        name="mentoring_matches_both_agreed",
    ),
    Index(
        "mentoring_matches_once",
        "mentor_id",
        "holder_id",
        unique=True,
        postgresql_where=text("state IN (1, 2)"),
    ),
    Index("mentoring_matches_ends", "expires_at", postgresql_where=text("state IN (1, 2)")),
)

# Programmes of organisations for groups; nothing in them says anything of a member.
group_programmes = Table(
    "group_programmes",
    metadata,
    id_(),
    Column("organisation", Text, nullable=False),
    Column("leader", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("members", Integer),  # to the end; none while it is open
    Column("map", LargeBinary),  # counts, drawn at the end
    time("created_at"),
    time("completed_at", nullable=True),
    Index("group_programmes_organisation", "organisation", "id"),
)

# Who is in which programme; what a member says of tasks and areas is sealed.
group_memberships = Table(
    "group_memberships",
    metadata,
    owner(),
    id_(),
    Column("programme_id", Text, ForeignKey("group_programmes.id"), nullable=False),
    Column("state", SmallInteger, nullable=False),
    version(),
    sealed(),
    time("created_at"),
    time("updated_at"),
    Index(
        "group_memberships_once",
        "programme_id",
        "holder_id",
        unique=True,
        postgresql_where=text("state = 1"),
    ),
)
