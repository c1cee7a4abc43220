"""Where learners were when a training ended, and whether work got better for who had some."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

LEAVINGS = """
ALTER TABLE outcomes ADD COLUMN improved BOOLEAN;
ALTER TABLE let_go_indicators ADD COLUMN not_told BIGINT DEFAULT 0 NOT NULL;
CREATE TABLE leavings (
    redemption_id UUID NOT NULL,
    status SMALLINT,
    in_education BOOLEAN,
    qualified BOOLEAN,
    source SMALLINT NOT NULL,
    left_on DATE NOT NULL,
    observed_on DATE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (redemption_id),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
"""


def upgrade() -> None:
    op.execute(LEAVINGS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
