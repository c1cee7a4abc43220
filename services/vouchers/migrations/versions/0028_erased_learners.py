"""Whoever erased their portfolio is let go here too, once no case of theirs is open."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE learners ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE")
    op.execute("CREATE INDEX learners_erased ON learners (id) WHERE erased_at IS NOT NULL")
    op.execute("CREATE INDEX outcome_participants_learner ON outcome_participants (learner)")


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
