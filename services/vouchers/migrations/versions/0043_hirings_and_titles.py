"""Who found a verified hiring wrong, until a second person says so too; what courses are called."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

CORRECTIONS = """
ALTER TABLE obligation_trainees ADD COLUMN correction_by TEXT DEFAULT '' NOT NULL,
  ADD CONSTRAINT obligation_trainees_hiring_corrected_by_another CHECK (hiring = 2 OR correction_by = ''
    OR correction_by <> decided_by);
"""
TITLES = "ALTER TABLE courses ADD COLUMN titles JSONB DEFAULT '{}'::jsonb NOT NULL"


def upgrade() -> None:
    op.execute(CORRECTIONS)
    op.execute(TITLES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
