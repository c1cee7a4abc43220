"""Proposals to give up what an employer owes stand in the columns that those of providers have."""

from alembic import op

revision = "0041"
down_revision = "0039"
branch_labels = None
depends_on = None

# `write_off_by` is who had proposed what was approved; a proposal that waits is no state of its own.
PROPOSALS = """
ALTER TABLE employer_obligations ADD COLUMN proposed_by TEXT DEFAULT '' NOT NULL;
UPDATE employer_obligations SET proposed_by = write_off_by, write_off_by = '', state = 2 WHERE state = 4;
"""


def upgrade() -> None:
    op.execute(PROPOSALS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
