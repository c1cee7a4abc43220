"""Tables of what people are asked and rated by: frameworks of skills, of the office and of nobody."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Column, Integer, LargeBinary, Table, Text

from services.portfolio.store.columns import metadata, time, version


def _editions(name: str) -> Table:
    """Numbered versions of which a trigger refuses to change or delete a published one."""
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("content", LargeBinary, nullable=False),
        Column("drafted_by", ARRAY(Text), nullable=False),
        Column("published_by", Text),  # null: a draft
        version(),
        time("created_at"),
        time("updated_at"),
        time("published_at", nullable=True),
        CheckConstraint("published_by <> ALL (drafted_by)", name=f"{name}_by_another"),
        CheckConstraint("(published_by IS NULL) = (published_at IS NULL)", name=f"{name}_published"),
    )


framework_versions = _editions("framework_versions")
