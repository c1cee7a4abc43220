"""Sessions that are cancelled, and what was reserved for them and has not started."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CANCELLED = """
ALTER TABLE sessions ADD COLUMN cancelled BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX sessions_cancelled ON sessions (name) WHERE cancelled;
CREATE INDEX redemptions_not_started ON redemptions (session) WHERE state IN (1, 2);
"""


def upgrade() -> None:
    op.execute(CANCELLED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
