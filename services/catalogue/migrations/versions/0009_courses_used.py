"""Views and bookings of courses by day, and complaints about them."""

from __future__ import annotations

from alembic import op

from services.catalogue.store import tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tables.metadata.create_all(op.get_bind(), tables=[tables.course_usage, tables.course_complaints])
