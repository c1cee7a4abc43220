"""Proposals to give up what an employer owes stand in the columns that those of providers have; what moved
for providers by day and month, for their statements; genders of those whose facts were let go of."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# `write_off_by` is who had proposed what was approved; a proposal that waits is no state of its own.
PROPOSALS = """
ALTER TABLE employer_obligations ADD COLUMN proposed_by TEXT DEFAULT '' NOT NULL;
UPDATE employer_obligations SET proposed_by = write_off_by, write_off_by = '', state = 2 WHERE state = 4;
"""
# Empty at first: a job counts what is in the ledger, and statements read the rest there until then.
TURNOVER = """
CREATE TABLE provider_days (
    organisation TEXT NOT NULL,
    currency TEXT NOT NULL,
    day DATE NOT NULL,
    operation TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (organisation, currency, day, operation, kind)
);
CREATE TABLE provider_months (
    organisation TEXT NOT NULL,
    currency TEXT NOT NULL,
    month DATE NOT NULL,
    kind SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (organisation, currency, month, kind)
);
CREATE TABLE turnover_marks (
    shard SMALLINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (shard)
);
"""
# Of whom facts were let go of before, the gender is not known.
GENDERS = """
ALTER TABLE let_go_indicators
  ADD COLUMN female BIGINT DEFAULT 0 NOT NULL,
  ADD COLUMN male BIGINT DEFAULT 0 NOT NULL,
  ADD COLUMN other BIGINT DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    op.execute(PROPOSALS)
    op.execute(TURNOVER)
    op.execute(GENDERS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
