"""Who found a verified hiring of an employer's promise wrong, until a second person says so too."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

CORRECTIONS = """
ALTER TABLE obligation_trainees ADD COLUMN correction_by TEXT DEFAULT '' NOT NULL,
  ADD CONSTRAINT obligation_trainees_hiring_corrected_by_another CHECK (hiring = 2 OR correction_by = ''
    OR correction_by <> decided_by);
"""


def upgrade() -> None:
    op.execute(CORRECTIONS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
