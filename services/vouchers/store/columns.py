"""Columns and checks that many tables share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    any_,
    func,
    literal,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.vouchers.domain.sandbox import CURRENCY as SANDBOX

# A condition of statements that count or hand out money and people: both are real.
REAL = f"currency <> '{SANDBOX}'"


def key() -> Column[Any]:
    """A UUIDv7 as primary key."""
    return Column("id", Uuid(as_uuid=False), primary_key=True)


def words(name: str, *, nullable: bool = False) -> Column[Any]:
    """A text column."""
    return Column(name, Text, nullable=nullable)


def blank(name: str) -> Column[Any]:
    """A text column that is empty unless set."""
    return Column(name, Text, nullable=False, server_default="")


def sealed(name: str) -> Column[Any]:
    """A note of a person, as `domain.notes` seals it; NULL when there is none."""
    return Column(name, LargeBinary)


def cents(name: str) -> Column[Any]:
    """An amount in cents, zero unless set."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """A point in time, UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def created_on(name: str) -> Column[Any]:
    """The legal day on which the row was made, database clock: decisions by it stay the same in any zone."""
    return Column(name, Date, nullable=False, server_default=func.current_date())


def created() -> Column[Any]:
    """When the row was made, database clock."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def version() -> Column[Any]:
    """Counts changes; the etag."""
    return Column("version", Integer, nullable=False, server_default="1")


def document(name: str) -> Column[Any]:
    """A JSON document."""
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def texts(name: str) -> Column[Any]:
    """A list of texts."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


def not_negative(table: str, *names: str) -> CheckConstraint:
    """No amount of these falls below zero, whatever the code does."""
    return CheckConstraint(" AND ".join(f"{name} >= 0" for name in names), name=f"{table}_not_negative")


def one_of(values: Sequence[str]) -> ColumnElement[Any]:
    """What a text column is compared with to be any of many values: one array, which PostgreSQL hashes or
    looks up in an index, where it would go through a list of parameters for every row."""
    return any_(literal(list(values), ARRAY(Text)))


def apart(currency: ColumnElement[str], *, sandbox: bool = False) -> ColumnElement[bool]:
    """The condition that rows are of the sandbox, or that they are of real money."""
    code: ColumnElement[str] = literal_column(
        f"'{SANDBOX}'"
    )  # written out, so that an index on just these is found
    return currency == code if sandbox else currency != code
