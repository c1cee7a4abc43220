"""Facts pinned to decisions have an end: for how long sources keep them, and what is left for statistics."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

END = """
ALTER TABLE funding_sources ADD COLUMN retention_years SMALLINT DEFAULT 5 NOT NULL
  CONSTRAINT funding_sources_retention CHECK (retention_years BETWEEN 5 AND 30);
ALTER TABLE applications ADD COLUMN facts_let_go_at TIMESTAMP WITH TIME ZONE;
CREATE TABLE let_go_indicators (
    programme_id TEXT NOT NULL,
    month DATE NOT NULL,
    code TEXT NOT NULL,
    participants BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    PRIMARY KEY (programme_id, month, code)
);
"""


def upgrade() -> None:
    op.execute(END)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
