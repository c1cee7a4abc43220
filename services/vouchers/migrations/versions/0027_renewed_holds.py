"""The end of a hold is put off, with a reason, and how often is kept."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

RENEWED = """
ALTER TABLE holds ADD COLUMN renewals SMALLINT DEFAULT '0' NOT NULL,
  ADD COLUMN renewed_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN renewed_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN sealed_renewal BYTEA
"""


def upgrade() -> None:
    op.execute(RENEWED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
