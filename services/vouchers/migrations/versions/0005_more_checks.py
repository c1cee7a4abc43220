"""A second person who is nobody is none, and no more is owed than was accepted."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHECKS = """
ALTER TABLE bank_accounts ADD CONSTRAINT bank_accounts_confirmed_by_someone
  CHECK (state < 2 OR confirmed_by <> '');
ALTER TABLE holds ADD CONSTRAINT holds_released_by_someone CHECK (released_at IS NULL OR released_by <> '');
ALTER TABLE redemptions ADD CONSTRAINT redemptions_owed_within_accepted
  CHECK (held_cents + cleared_cents <= accepted_cents);
"""


def upgrade() -> None:
    op.execute(CHECKS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
