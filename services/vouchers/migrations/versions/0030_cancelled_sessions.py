"""Sessions that are cancelled, and what was reserved for them and has not started."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CANCELLED = """
ALTER TABLE sessions ADD COLUMN cancelled BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE sessions ADD COLUMN release_from TIMESTAMP WITH TIME ZONE;
CREATE INDEX sessions_release ON sessions (name) WHERE release_from IS NOT NULL;
CREATE INDEX redemptions_not_started ON redemptions (session) WHERE state IN (1, 2);
"""


def upgrade() -> None:
    op.execute(CANCELLED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
