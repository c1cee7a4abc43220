"""Learners who were not there."""

from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE redemptions ADD COLUMN no_show_at TIMESTAMP WITH TIME ZONE")
    op.execute("CREATE INDEX redemptions_no_show ON redemptions (no_show_at) WHERE no_show_at IS NOT NULL")


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
