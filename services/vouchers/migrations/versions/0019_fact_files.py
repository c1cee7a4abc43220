"""Files of facts about learners; webhook endpoints that can be changed."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FILES = """
CREATE TABLE learner_fact_files (
    id UUID NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    operation_id UUID REFERENCES operations (id),
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE learner_fact_findings (
    operation_id UUID NOT NULL REFERENCES operations (id),
    line BIGINT NOT NULL,
    place INTEGER NOT NULL,
    field TEXT NOT NULL,
    explanation TEXT NOT NULL,
    PRIMARY KEY (operation_id, line, place)
);
"""
ENDPOINTS = """
ALTER TABLE webhook_endpoints ADD COLUMN description TEXT DEFAULT '' NOT NULL;
ALTER TABLE webhook_endpoints ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;
"""


def upgrade() -> None:
    op.execute(FILES)
    op.execute(ENDPOINTS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
