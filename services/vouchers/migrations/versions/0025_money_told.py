"""Others are told when a programme's money runs short, is used up or is there again."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TOLD = """
ALTER TABLE programmes ADD COLUMN money_told SMALLINT DEFAULT '0' NOT NULL,
  ADD COLUMN money_changes INTEGER DEFAULT '0' NOT NULL
"""


def upgrade() -> None:
    op.execute(TOLD)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
