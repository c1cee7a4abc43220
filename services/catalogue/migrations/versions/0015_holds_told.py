"""Who follows changes of courses is told of what is held back."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What is held back already is told of, too.
TELL = """
ALTER TABLE quality_holds ADD COLUMN tell_after UUID;
UPDATE quality_holds SET tell_after = '00000000-0000-0000-0000-000000000000'
    WHERE lift_time IS NULL AND subject LIKE 'organisations/%';
UPDATE courses SET version = version + 1
    WHERE 'courses/' || id IN (SELECT subject FROM quality_holds WHERE lift_time IS NULL);
"""


def upgrade() -> None:
    op.execute(TELL)
