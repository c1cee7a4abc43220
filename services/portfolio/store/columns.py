"""What the tables of the portfolio share: the metadata, and columns and constraints that many have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
)

from services.platform.db.schema import platform_tables

metadata = MetaData()
platform_tables(metadata)


def time(name: str, *, nullable: bool = False) -> Column[Any]:
    """A moment, UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def owner() -> Column[Any]:
    """Whose the row is. It goes with the holder's key, and none comes once the key is gone."""
    return Column(
        "holder_id", Text, ForeignKey("holder_keys.holder_id", ondelete="CASCADE"), primary_key=True
    )


def id_() -> Column[Any]:
    """What is unique among the rows of one owner."""
    return Column("id", Text, primary_key=True)


def version() -> Column[Any]:
    """Grows with each change; etags are made of it."""
    return Column("version", Integer, nullable=False, server_default="1")


def sealed() -> Column[Any]:
    """What the row says of a person, under the person's own key."""
    return Column("sealed", LargeBinary, nullable=False)


def of_pathway() -> ForeignKeyConstraint:
    """The row goes with its pathway."""
    return ForeignKeyConstraint(
        ["holder_id", "pathway_id"], ["pathways.holder_id", "pathways.id"], ondelete="CASCADE"
    )


def is_row(table: Table, holder: str, row_id: str) -> ColumnElement[bool]:
    """Returns the condition of the row with an id among those of a holder."""
    return and_(table.c.holder_id == holder, table.c.id == row_id)


def fixed(number: int) -> ColumnElement[int]:
    """Returns a number that is written into a statement, and not sent beside it: so the database sees that a
    partial index serves."""
    return literal_column(str(int(number)), Integer)
