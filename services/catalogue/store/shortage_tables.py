"""Tables of signatures and packs of published shortage lists, and of rows of drafts that a person decides."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.catalogue.store.columns import metadata

shortage_signatures = Table(
    "shortage_signatures",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sign_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["list_id", "number"], ["shortage_versions.list_id", "shortage_versions.number"]),
)

shortage_packs = Table(
    "shortage_packs",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
    ForeignKeyConstraint(["list_id", "number"], ["shortage_versions.list_id", "shortage_versions.number"]),
)

shortage_matches = Table(
    "shortage_matches",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("normal", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("isco_code", Text, nullable=False),
    Column("nuts_code", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("cause", SmallInteger, nullable=False),
    Column("candidates", ARRAY(Text), nullable=False),
    Column("evidence", ARRAY(Text), nullable=False, server_default="{}"),
    Column("state", SmallInteger, nullable=False, server_default="1"),
    Column("decided_by", Text),
    Column("decide_time", DateTime(timezone=True)),
    ForeignKeyConstraint(["list_id", "number"], ["shortage_versions.list_id", "shortage_versions.number"]),
    CheckConstraint("(state = 1) = (decided_by IS NULL)", name="shortage_match_decided_by_somebody"),
)
