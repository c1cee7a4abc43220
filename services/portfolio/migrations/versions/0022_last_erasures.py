"""When somebody last erased their portfolio stays known when they begin anew: it may be told again."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE holders ADD COLUMN last_erased_at TIMESTAMP WITH TIME ZONE")
    op.execute("UPDATE holders SET last_erased_at = erased_at WHERE erased_at IS NOT NULL")
    op.execute(
        "CREATE INDEX holders_last_erased_at ON holders (last_erased_at) WHERE last_erased_at IS NOT NULL"
    )
