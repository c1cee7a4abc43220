"""What providers are accredited for, and in which field a course is."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SCOPES = """
ALTER TABLE organisations ADD COLUMN accreditations JSONB DEFAULT '[]' NOT NULL;
ALTER TABLE courses ADD COLUMN isced_f TEXT[] DEFAULT '{}' NOT NULL;
"""


def upgrade() -> None:
    op.execute(SCOPES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
