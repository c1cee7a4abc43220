"""The table of long-running work, for each service that has any."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_METADATA = MetaData()


def _document(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


# `place` is where the next chunk begins, `result` what those so far found; the kind of work knows their form.
# `attempts` counts failures since the last chunk that was done.
operations = Table(
    "operations",
    _METADATA,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("requested_by", Text, nullable=False),
    _document("argument"),
    _document("place"),
    _document("result"),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("explanation", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _now("try_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    _now("state_at"),
    _now("created_at"),
    CheckConstraint("done >= 0 AND total >= 0", name="operations_counts"),
    CheckConstraint("(state = 4) = (reason <> '')", name="operations_failed_for_a_reason"),
    Index("operations_waiting", "try_at", postgresql_where=text("state IN (1, 2)")),
)


def operations_table(metadata: MetaData) -> None:
    """Adds the table to a service's metadata, so that Alembic knows it as its own."""
    operations.to_metadata(metadata)


def create_operations_table(op: Any) -> None:
    """Creates the table; called with `alembic.op` by a migration of the service."""
    _METADATA.create_all(op.get_bind(), checkfirst=False)
