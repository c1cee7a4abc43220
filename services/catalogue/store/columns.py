"""What the tables of the catalogue share: the metadata they are in, and columns that many have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, SmallInteger, Text, Uuid, func

from services.platform.db.schema import platform_tables

metadata = MetaData()
platform_tables(metadata)

UuidText = Uuid(as_uuid=False)


def moment(name: str, *, now: bool = False) -> Column[Any]:
    """Returns a column for a time, UTC; with `now` the database fills it in."""
    if now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))


def finding_columns() -> list[Column[Any]]:
    """The columns of a table of findings, after its key."""
    return [
        Column("code", Text, nullable=False),
        Column("severity", SmallInteger, nullable=False),
        Column("record", Text, nullable=False),
        Column("line", Integer, nullable=False),
        Column("path", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("message", Text, nullable=False),
        Column("remedy", Text, nullable=False),
    ]
