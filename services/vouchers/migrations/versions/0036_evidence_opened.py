"""Files of a delivery: which were compared before it was handed in, sent back, let go of; who told a
fact; what was told to be overdue."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

OPENED = """
ALTER TABLE evidence ADD COLUMN checked_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN returned_at TIMESTAMP WITH TIME ZONE, ADD COLUMN let_go_at TIMESTAMP WITH TIME ZONE;
UPDATE evidence SET checked_at = verified_at WHERE verified_at IS NOT NULL;
UPDATE evidence e SET let_go_at = now() FROM redemptions r, applications a
WHERE a.facts_let_go_at IS NOT NULL AND r.learner = a.learner AND r.voucher_id = a.voucher_id
  AND e.redemption_id = r.id;
ALTER TABLE redemptions ADD COLUMN overdue_told_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX redemptions_open ON redemptions (session) WHERE state IN (1, 2, 3, 4);
DROP INDEX redemptions_not_started;
ALTER TABLE learner_facts ADD COLUMN told_by TEXT DEFAULT '' NOT NULL;
"""


def upgrade() -> None:
    op.execute(OPENED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
