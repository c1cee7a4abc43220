"""What a piece of evidence shows. What was handed in before counts as what its programme asks for."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KIND = """
ALTER TABLE evidence ADD COLUMN kind SMALLINT DEFAULT 1 NOT NULL;
UPDATE evidence e SET kind = 2 FROM redemptions r
JOIN programme_versions v ON v.programme_id = r.programme_id AND v.number = r.version_number
WHERE r.id = e.redemption_id AND v.rules -> 'payment_rule' ->> 'trigger' = 'TRIGGER_COMPLETION';
"""


def upgrade() -> None:
    op.execute(KIND)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
