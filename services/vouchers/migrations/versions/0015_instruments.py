"""Levies, outcome contracts, promises to hire, targets; accounts of the ledger for their money."""

# ruff: noqa: E501 - SQL as the definitions of the tables print it

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ACCOUNTS = """
ALTER TABLE ledger_heads ADD COLUMN kind_10 BIGINT DEFAULT '0' NOT NULL,
  ADD COLUMN kind_11 BIGINT DEFAULT '0' NOT NULL, ADD COLUMN kind_12 BIGINT DEFAULT '0' NOT NULL;
"""
TABLES = """
CREATE TABLE employer_obligations (
    id UUID NOT NULL,
    employer TEXT NOT NULL,
    display_names JSONB DEFAULT '{}'::jsonb NOT NULL,
    state SMALLINT NOT NULL,
    currency TEXT NOT NULL,
    creditor_id TEXT NOT NULL,
    payers JSONB DEFAULT '{}'::jsonb NOT NULL,
    hire_percent SMALLINT NOT NULL,
    refund_cents BIGINT NOT NULL,
    due_date DATE NOT NULL,
    shard SMALLINT NOT NULL,
    owed_cents BIGINT DEFAULT '0' NOT NULL,
    paid_cents BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT employer_obligations_paid_within_owed CHECK (paid_cents BETWEEN 0 AND owed_cents),
    FOREIGN KEY(creditor_id) REFERENCES funding_sources (id)
);
CREATE INDEX employer_obligations_employer ON employer_obligations (employer, id);
CREATE TABLE levy_schemes (
    id TEXT NOT NULL,
    display_names JSONB DEFAULT '{}'::jsonb NOT NULL,
    currency TEXT NOT NULL,
    funding_source_id TEXT NOT NULL,
    carry_over_years SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(funding_source_id) REFERENCES funding_sources (id)
);
CREATE TABLE outcome_contracts (
    id TEXT NOT NULL,
    terms JSONB DEFAULT '{}'::jsonb NOT NULL,
    state SMALLINT NOT NULL,
    currency TEXT NOT NULL,
    payer_id TEXT NOT NULL,
    start_date DATE NOT NULL,
    repay_date DATE NOT NULL,
    observers TEXT[] DEFAULT '{}'::text[] NOT NULL,
    shard SMALLINT NOT NULL,
    invested_cents BIGINT DEFAULT '0' NOT NULL,
    available_cents BIGINT DEFAULT '0' NOT NULL,
    unspent_cents BIGINT DEFAULT '0' NOT NULL,
    created_by TEXT NOT NULL,
    activated_by TEXT DEFAULT '' NOT NULL,
    proposed_by TEXT DEFAULT '' NOT NULL,
    repaid_by TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT outcome_contracts_not_negative CHECK (available_cents >= 0),
    CONSTRAINT outcome_contracts_maker_checker CHECK (activated_by <> created_by),
    CONSTRAINT outcome_contracts_activated_by_someone CHECK (state = 1 OR activated_by <> ''),
    CONSTRAINT outcome_contracts_repayment_maker_checker CHECK (repaid_by = '' OR repaid_by <> proposed_by),
    CONSTRAINT outcome_contracts_repaid_by_someone CHECK ((state < 3 OR proposed_by <> '') AND (state < 4 OR repaid_by <> '')),
    FOREIGN KEY(payer_id) REFERENCES funding_sources (id)
);
CREATE TABLE targets (
    id UUID NOT NULL,
    display_names JSONB DEFAULT '{}'::jsonb NOT NULL,
    measure SMALLINT NOT NULL,
    programme_id TEXT,
    baseline BIGINT NOT NULL,
    value BIGINT NOT NULL,
    start_date DATE NOT NULL,
    due_date DATE NOT NULL,
    reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reminded_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id) REFERENCES programmes (id)
);
CREATE TABLE levy_accounts (
    id UUID NOT NULL,
    scheme_id TEXT NOT NULL,
    employer TEXT NOT NULL,
    currency TEXT NOT NULL,
    shard SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (scheme_id, employer),
    FOREIGN KEY(scheme_id) REFERENCES levy_schemes (id)
);
CREATE INDEX levy_accounts_employer ON levy_accounts (employer, id);
CREATE TABLE levy_rates (
    scheme_id TEXT NOT NULL,
    effective_date DATE NOT NULL,
    parts INTEGER NOT NULL,
    legal_reference TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (scheme_id, effective_date),
    FOREIGN KEY(scheme_id) REFERENCES levy_schemes (id)
);
CREATE TABLE obligation_trainees (
    id UUID NOT NULL,
    obligation_id UUID NOT NULL,
    learner TEXT NOT NULL,
    cost_cents BIGINT NOT NULL,
    parts JSONB DEFAULT '{}'::jsonb NOT NULL,
    state SMALLINT NOT NULL,
    enrolled_by TEXT NOT NULL,
    approved_by TEXT DEFAULT '' NOT NULL,
    hiring SMALLINT DEFAULT '0' NOT NULL,
    hired_on DATE,
    evidence_reference TEXT DEFAULT '' NOT NULL,
    reported_by TEXT DEFAULT '' NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (obligation_id, learner),
    CONSTRAINT obligation_trainees_maker_checker CHECK (approved_by <> enrolled_by),
    CONSTRAINT obligation_trainees_approved_by_someone CHECK (state = 1 OR approved_by <> ''),
    CONSTRAINT obligation_trainees_hiring_maker_checker CHECK (decided_by = '' OR decided_by <> reported_by),
    CONSTRAINT obligation_trainees_hiring_decided_by_someone CHECK (hiring < 2 OR decided_by <> ''),
    FOREIGN KEY(obligation_id) REFERENCES employer_obligations (id)
);
CREATE INDEX obligation_trainees_obligation ON obligation_trainees (obligation_id, id);
CREATE TABLE outcome_participants (
    id UUID NOT NULL,
    contract_id TEXT NOT NULL,
    learner TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (contract_id, learner),
    FOREIGN KEY(contract_id) REFERENCES outcome_contracts (id)
);
CREATE INDEX outcome_participants_contract ON outcome_participants (contract_id, id);
CREATE TABLE outcome_tranches (
    contract_id TEXT NOT NULL,
    milestone TEXT NOT NULL,
    cents BIGINT NOT NULL,
    released_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (contract_id, milestone),
    FOREIGN KEY(contract_id) REFERENCES outcome_contracts (id)
);
CREATE TABLE target_reviews (
    id UUID NOT NULL,
    target_id UUID NOT NULL,
    verdict SMALLINT NOT NULL,
    value BIGINT NOT NULL,
    former_value BIGINT NOT NULL,
    current BIGINT,
    reviewed_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(target_id) REFERENCES targets (id)
);
CREATE INDEX target_reviews_target ON target_reviews (target_id, id);
CREATE TABLE target_values (
    target_id UUID NOT NULL,
    month DATE NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (target_id, month),
    FOREIGN KEY(target_id) REFERENCES targets (id)
);
CREATE TABLE levy_claims (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_cents BIGINT NOT NULL,
    training_date DATE NOT NULL,
    evidence_reference TEXT NOT NULL,
    state SMALLINT NOT NULL,
    reject_reason SMALLINT DEFAULT '0' NOT NULL,
    created_by TEXT NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT levy_claims_some_amount CHECK (amount_cents > 0),
    CONSTRAINT levy_claims_maker_checker CHECK (state <> 2 OR decided_by <> created_by),
    CONSTRAINT levy_claims_decided_by_someone CHECK (state = 1 OR (decided_by <> '' AND decided_at IS NOT NULL)),
    FOREIGN KEY(account_id) REFERENCES levy_accounts (id)
);
CREATE INDEX levy_claims_account ON levy_claims (account_id, id);
CREATE UNIQUE INDEX levy_claims_evidence ON levy_claims (account_id, evidence_reference) WHERE state <> 3;
CREATE TABLE levy_contributions (
    account_id UUID NOT NULL,
    month DATE NOT NULL,
    gross_cents BIGINT NOT NULL,
    parts INTEGER NOT NULL,
    cents BIGINT NOT NULL,
    imported_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (account_id, month),
    FOREIGN KEY(account_id) REFERENCES levy_accounts (id)
);
CREATE TABLE levy_years (
    account_id UUID NOT NULL,
    year SMALLINT NOT NULL,
    contributed_cents BIGINT DEFAULT '0' NOT NULL,
    reserved_cents BIGINT DEFAULT '0' NOT NULL,
    claimed_cents BIGINT DEFAULT '0' NOT NULL,
    expired_cents BIGINT DEFAULT '0' NOT NULL,
    expires_on DATE NOT NULL,
    PRIMARY KEY (account_id, year),
    CONSTRAINT levy_years_not_negative CHECK (reserved_cents >= 0 AND claimed_cents >= 0 AND expired_cents >= 0),
    CONSTRAINT levy_years_within_contributed CHECK (reserved_cents + claimed_cents + expired_cents <= contributed_cents),
    FOREIGN KEY(account_id) REFERENCES levy_accounts (id)
);
CREATE INDEX levy_years_expiry ON levy_years (expires_on) WHERE contributed_cents > reserved_cents + claimed_cents + expired_cents;
CREATE TABLE outcome_reports (
    participant_id UUID NOT NULL,
    outcome SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    occurred_on DATE NOT NULL,
    evidence_reference TEXT NOT NULL,
    reported_by TEXT NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (participant_id, outcome),
    CONSTRAINT outcome_reports_maker_checker CHECK (decided_by <> reported_by),
    CONSTRAINT outcome_reports_decided_by_someone CHECK (state = 1 OR decided_by <> ''),
    FOREIGN KEY(participant_id) REFERENCES outcome_participants (id)
);
CREATE TABLE levy_claim_parts (
    claim_id UUID NOT NULL,
    account_id UUID NOT NULL,
    year SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    PRIMARY KEY (claim_id, year),
    FOREIGN KEY(account_id, year) REFERENCES levy_years (account_id, year),
    FOREIGN KEY(claim_id) REFERENCES levy_claims (id)
);
CREATE TABLE levy_expiries (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    year SMALLINT NOT NULL,
    cents BIGINT NOT NULL,
    expired_on DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id, year) REFERENCES levy_years (account_id, year)
);
CREATE INDEX levy_expiries_account ON levy_expiries (account_id, expired_on);
"""


def upgrade() -> None:
    op.execute(ACCOUNTS)
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
