"""The day on which somebody applied is kept with what was decided by it; until now it was the one in UTC."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# The default comes last: a column that is added with one gives it to all rows that are there.
APPLIED = """
ALTER TABLE applications ADD COLUMN applied_on DATE;
UPDATE applications SET applied_on = (created_at AT TIME ZONE 'UTC')::date;
ALTER TABLE applications
  ALTER COLUMN applied_on SET DEFAULT CURRENT_DATE, ALTER COLUMN applied_on SET NOT NULL;
"""


def upgrade() -> None:
    op.execute(APPLIED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
