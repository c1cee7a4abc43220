"""The last day to enrol in a session, as the catalogue tells it."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE sessions ADD COLUMN apply_until DATE")


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
