"""Ways out of what was begun by mistake: a draw, an appeal, a proposed sanction, an employer's payment."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WITHDRAWALS = """
ALTER TABLE applications
  ADD COLUMN left_draw BOOLEAN DEFAULT false NOT NULL,
  DROP CONSTRAINT applications_appeal_decided_by_someone,
  ADD CONSTRAINT applications_appeal_decided_by_someone CHECK (
    appeal_outcome = 0 OR (appeal_outcome = 3 AND appealed_at IS NOT NULL)
    OR (appealed_at IS NOT NULL AND appeal_decided_by <> ''));
"""
OBLIGATIONS = """
ALTER TABLE employer_obligations ADD COLUMN due_told BOOLEAN DEFAULT false NOT NULL;
CREATE TABLE obligation_payments (
    id UUID NOT NULL,
    obligation_id UUID NOT NULL,
    cents BIGINT NOT NULL,
    bank_reference TEXT DEFAULT '' NOT NULL,
    recorded_by TEXT NOT NULL,
    undone_by TEXT DEFAULT '' NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT obligation_payments_some_amount CHECK (cents > 0),
    CONSTRAINT obligation_payments_maker_checker CHECK (undone_by <> recorded_by),
    CONSTRAINT obligation_payments_undone_by_someone CHECK ((undone_by = '') = (undone_at IS NULL)),
    FOREIGN KEY(obligation_id) REFERENCES employer_obligations (id)
);
CREATE INDEX obligation_payments_obligation ON obligation_payments (obligation_id, id);
"""
OUTCOMES = """
ALTER TABLE outcome_participants ADD COLUMN removal_by TEXT DEFAULT '' NOT NULL;
ALTER TABLE outcome_reports ADD COLUMN correction_by TEXT DEFAULT '' NOT NULL,
  ADD CONSTRAINT outcome_reports_corrected_by_another CHECK (state = 2 OR correction_by = ''
    OR correction_by <> decided_by);
"""
SANCTIONS = """
ALTER TABLE sanctions ADD COLUMN declined_by TEXT DEFAULT '' NOT NULL,
  DROP CONSTRAINT sanctions_imposed_by_someone,
  ADD CONSTRAINT sanctions_imposed_by_someone CHECK (state IN (1, 6) OR imposed_by <> ''),
  DROP CONSTRAINT sanctions_decided_by_someone,
  ADD CONSTRAINT sanctions_decided_by_someone CHECK (
    state < 4 OR decided_by <> '' OR (state = 5 AND lifted_by <> '') OR (state = 6 AND declined_by <> ''));
"""


def upgrade() -> None:
    op.execute(WITHDRAWALS)
    op.execute(OBLIGATIONS)
    op.execute(OUTCOMES)
    op.execute(SANCTIONS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
