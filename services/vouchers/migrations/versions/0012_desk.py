"""The caseworker's desk: who has an application in hand, questions to applicants, appeals, reminders."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DESK = """
ALTER TABLE applications ADD COLUMN assignee TEXT DEFAULT '' NOT NULL,
  ADD COLUMN answer_due DATE,
  ADD COLUMN appeal_until DATE,
  ADD COLUMN appealed_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN sealed_grounds BYTEA,
  ADD COLUMN appeal_outcome SMALLINT DEFAULT '0' NOT NULL,
  ADD COLUMN appeal_decided_by TEXT DEFAULT '' NOT NULL,
  ADD COLUMN appeal_decided_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN sealed_appeal_note BYTEA,
  ADD CONSTRAINT applications_not_ones_own
    CHECK (learner NOT IN ('learners/' || decided_by, 'learners/' || appeal_decided_by)),
  ADD CONSTRAINT applications_appeal_second_person
    CHECK (appeal_decided_by = '' OR appeal_decided_by <> decided_by),
  ADD CONSTRAINT applications_appeal_decided_by_someone
    CHECK (appeal_outcome = 0 OR (appealed_at IS NOT NULL AND appeal_decided_by <> ''));
DROP INDEX applications_one_open;
CREATE UNIQUE INDEX applications_one_open ON applications (learner, programme_id, session)
  WHERE state IN (1, 2, 5);
CREATE INDEX applications_waiting ON applications (id) WHERE state IN (1, 5);
CREATE INDEX applications_assignee ON applications (assignee, id) WHERE assignee <> '';
CREATE TABLE inquiries (
    id UUID NOT NULL,
    application_id UUID NOT NULL REFERENCES applications (id),
    kind SMALLINT NOT NULL,
    fact_key TEXT DEFAULT '' NOT NULL,
    sealed_note BYTEA,
    due_date DATE NOT NULL,
    state SMALLINT NOT NULL,
    asked_by TEXT NOT NULL,
    answered_fact TEXT DEFAULT '' NOT NULL,
    evidence TEXT[] DEFAULT '{}'::text[] NOT NULL,
    sealed_answer BYTEA,
    answered_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT inquiries_fact_named CHECK ((kind = 1) = (fact_key <> '')),
    CONSTRAINT inquiries_answered_once CHECK ((state = 2) = (answered_at IS NOT NULL))
);
CREATE INDEX inquiries_application ON inquiries (application_id, id);
CREATE TABLE earlier_decisions (
    application_id UUID NOT NULL REFERENCES applications (id),
    decision JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (application_id)
);
CREATE TABLE voucher_reminders (
    voucher_id UUID NOT NULL REFERENCES vouchers (id),
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    days SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (voucher_id, expires_at, days)
);
"""


def upgrade() -> None:
    op.execute(DESK)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
