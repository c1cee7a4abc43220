"""When a course was completed is kept, so that an erasure told again takes nothing from a later life."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE course_completions ADD COLUMN complete_time TIMESTAMP WITH TIME ZONE")
