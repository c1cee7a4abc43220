"""What feed runs do to courses, who asked for them, and which of them were rolled back."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the tables as they are today.
RUNS = """
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS rolls_back_to uuid REFERENCES feed_runs;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS rolled_back_by uuid REFERENCES feed_runs;
ALTER TABLE feed_runs ADD COLUMN IF NOT EXISTS requested_by text NOT NULL DEFAULT '';
"""

CHANGES = """
CREATE TABLE feed_changes (
    run_id UUID NOT NULL REFERENCES feed_runs (id),
    seq INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    course_id UUID NOT NULL,
    external_id TEXT NOT NULL,
    titles JSONB NOT NULL,
    fields TEXT[] NOT NULL,
    PRIMARY KEY (run_id, seq)
);
"""


def upgrade() -> None:
    op.execute(RUNS)
    op.execute(CHANGES)
