"""Others are told the public terms of programmes; those of versions activated before are told by a job."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE programme_versions ADD COLUMN terms_told BOOLEAN DEFAULT false NOT NULL")


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
