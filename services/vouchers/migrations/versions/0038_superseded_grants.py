"""A grant whose voucher ended unused no longer keeps its person from applying for the same session."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

SUPERSEDED = """
ALTER TABLE applications ADD COLUMN superseded BOOLEAN DEFAULT false NOT NULL;
DROP INDEX applications_one_open;
CREATE UNIQUE INDEX applications_one_open ON applications (learner, programme_id, session)
  WHERE state IN (1, 2, 5) AND NOT superseded;
"""


def upgrade() -> None:
    op.execute(SUPERSEDED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
