"""API products, plans, grants, keys and usage."""

from __future__ import annotations

from alembic import op

from services.catalogue.store import api_tables, tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tables.metadata.create_all(op.get_bind(), tables=api_tables.TABLES)
