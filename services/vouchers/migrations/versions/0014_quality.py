"""Quality: monitoring rules, alerts, complaints, sanctions, rebooking, what learners say of their training.

What was accepted before and is still held is looked at like what comes; what was released before is not. Whose six
months were over long ago is not asked any more.
"""

# ruff: noqa: E501 - SQL as the definitions of the tables print it

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

QUALITY = """
ALTER TABLE redemptions ADD COLUMN started_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN delivered_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN checked_at TIMESTAMP WITH TIME ZONE;
UPDATE redemptions SET checked_at = accepted_at WHERE accepted_at IS NOT NULL AND held_cents = 0;
CREATE INDEX redemptions_unchecked ON redemptions (id) WHERE state = 5 AND checked_at IS NULL;
CREATE INDEX courses_occupations ON courses USING gin (occupations jsonb_path_ops);
CREATE TABLE monitoring_rules (
    code TEXT NOT NULL,
    number INTEGER NOT NULL,
    state SMALLINT NOT NULL,
    rule JSONB DEFAULT '{}'::jsonb NOT NULL,
    sealed_seed BYTEA,
    drafted_by TEXT NOT NULL,
    activated_by TEXT DEFAULT '' NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (code, number),
    CONSTRAINT monitoring_rules_maker_checker CHECK (activated_by <> drafted_by),
    CONSTRAINT monitoring_rules_activated_by_someone CHECK (state = 1 OR activated_by <> '')
);
CREATE UNIQUE INDEX monitoring_rules_one_active ON monitoring_rules (code) WHERE state = 2;
CREATE TABLE acceptances (
    redemption_id UUID NOT NULL,
    organisation TEXT NOT NULL,
    course TEXT NOT NULL,
    currency TEXT NOT NULL,
    accepted_cents BIGINT DEFAULT '0' NOT NULL,
    delivered_on DATE,
    accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (redemption_id),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
CREATE INDEX acceptances_course ON acceptances (course, redemption_id);
CREATE INDEX acceptances_delivered ON acceptances (organisation, delivered_on);
CREATE INDEX acceptances_not_asked ON acceptances (accepted_at) WHERE asked_at IS NULL;
CREATE TABLE alerts (
    id UUID NOT NULL,
    rule_code TEXT DEFAULT '' NOT NULL,
    rule_number INTEGER DEFAULT '0' NOT NULL,
    kind SMALLINT NOT NULL,
    target TEXT NOT NULL,
    redemption_id UUID,
    organisation TEXT DEFAULT '' NOT NULL,
    state SMALLINT NOT NULL,
    measured BIGINT DEFAULT '0' NOT NULL,
    allowed BIGINT DEFAULT '0' NOT NULL,
    raised_by TEXT NOT NULL,
    sealed_reason BYTEA,
    outcome SMALLINT DEFAULT '0' NOT NULL,
    evidence TEXT DEFAULT '' NOT NULL,
    sealed_finding BYTEA,
    found_by TEXT DEFAULT '' NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE,
    closed_by TEXT DEFAULT '' NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT alerts_found_by_another CHECK (found_by <> raised_by),
    CONSTRAINT alerts_verified_by_another CHECK (closed_by = '' OR (closed_by <> found_by AND closed_by <> raised_by)),
    CONSTRAINT alerts_found_by_someone CHECK (state < 2 OR (found_by <> '' AND outcome <> 0 AND evidence <> '')),
    CONSTRAINT alerts_verified_by_someone CHECK (state < 3 OR closed_by <> ''),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
CREATE UNIQUE INDEX alerts_one_open ON alerts (rule_code, target) WHERE state < 3;
CREATE INDEX alerts_organisation ON alerts (organisation, id);
CREATE INDEX alerts_redemption ON alerts (redemption_id);
CREATE INDEX alerts_state ON alerts (state, id);
CREATE TABLE complaints (
    id UUID NOT NULL,
    redemption_id UUID NOT NULL,
    learner TEXT NOT NULL,
    organisation TEXT NOT NULL,
    course TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    sealed_note BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (redemption_id, kind),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
CREATE INDEX complaints_course ON complaints (course, created_at);
CREATE INDEX complaints_learner ON complaints (learner, id);
CREATE INDEX complaints_organisation ON complaints (organisation, created_at);
CREATE TABLE sanctions (
    id UUID NOT NULL,
    organisation TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    alert_id UUID,
    appeal_days SMALLINT NOT NULL,
    sealed_reason BYTEA,
    proposed_by TEXT NOT NULL,
    imposed_by TEXT DEFAULT '' NOT NULL,
    imposed_at TIMESTAMP WITH TIME ZONE,
    hold_id UUID,
    sealed_appeal BYTEA,
    appealed_at TIMESTAMP WITH TIME ZONE,
    sealed_decision BYTEA,
    decided_by TEXT DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT sanctions_maker_checker CHECK (imposed_by <> proposed_by),
    CONSTRAINT sanctions_imposed_by_someone CHECK (state = 1 OR imposed_by <> ''),
    CONSTRAINT sanctions_decided_by_a_third CHECK (decided_by = '' OR (decided_by <> proposed_by AND decided_by <> imposed_by)),
    CONSTRAINT sanctions_decided_by_someone CHECK (state < 4 OR decided_by <> ''),
    FOREIGN KEY(alert_id) REFERENCES alerts (id),
    FOREIGN KEY(hold_id) REFERENCES holds (id)
);
CREATE INDEX sanctions_barring ON sanctions (organisation) WHERE state IN (2, 3, 4) AND kind >= 2;
CREATE INDEX sanctions_organisation ON sanctions (organisation, id);
CREATE TABLE rebookings (
    redemption_id UUID NOT NULL,
    state SMALLINT NOT NULL,
    sessions TEXT[] DEFAULT '{}'::text[] NOT NULL,
    new_redemption_id UUID,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (redemption_id),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id),
    FOREIGN KEY(new_redemption_id) REFERENCES redemptions (id)
);
CREATE INDEX rebookings_open ON rebookings (expires_at) WHERE state = 1;
CREATE TABLE feedback (
    redemption_id UUID NOT NULL,
    satisfaction SMALLINT NOT NULL,
    skills_gained SMALLINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (redemption_id),
    CONSTRAINT feedback_one_to_five CHECK (satisfaction BETWEEN 1 AND 5 AND skills_gained BETWEEN 1 AND 5),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
CREATE TABLE outcomes (
    redemption_id UUID NOT NULL,
    status SMALLINT NOT NULL,
    source SMALLINT NOT NULL,
    observed_on DATE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (redemption_id),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
INSERT INTO acceptances
  (redemption_id, organisation, course, currency, accepted_cents, accepted_at, asked_at)
SELECT id, organisation, course, currency, accepted_cents, accepted_at,
  CASE WHEN accepted_at < now() - interval '7 months' THEN now() END FROM redemptions
WHERE checked_at IS NOT NULL;
ALTER TABLE holds ADD COLUMN alert_id UUID REFERENCES alerts (id),
  ADD COLUMN verified_by TEXT DEFAULT '' NOT NULL,
  ADD CONSTRAINT holds_finding_verified
    CHECK (alert_id IS NULL OR released_at IS NULL OR verified_by <> '');
CREATE INDEX holds_alert ON holds (alert_id) WHERE alert_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(QUALITY)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
