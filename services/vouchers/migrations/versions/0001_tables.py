"""Tables as first released."""

# ruff: noqa: E501 - SQL as the definitions of the tables print it

from alembic import op

from services.platform.db.schema import create_platform_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE bank_accounts (
    id UUID NOT NULL,
    organisation TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT DEFAULT '' NOT NULL,
    state SMALLINT NOT NULL,
    proposed_by TEXT NOT NULL,
    confirmed_by TEXT DEFAULT '' NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT bank_accounts_maker_checker CHECK (confirmed_by <> proposed_by)
);
CREATE INDEX bank_accounts_organisation ON bank_accounts (organisation, id);
CREATE TABLE code_attempts (
    subject TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (subject)
);
CREATE TABLE courses (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    removed BOOLEAN NOT NULL,
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL,
    eqf_level SMALLINT NOT NULL,
    occupations JSONB DEFAULT '{}'::jsonb NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE funding_sources (
    id TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    display_names JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE holds (
    id UUID NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    placed_by TEXT NOT NULL,
    released_by TEXT DEFAULT '' NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    finding TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT holds_maker_checker CHECK (released_by <> placed_by)
);
CREATE INDEX holds_standing ON holds (target) WHERE released_at IS NULL;
CREATE TABLE learner_facts (
    id UUID NOT NULL,
    learner TEXT NOT NULL,
    key TEXT NOT NULL,
    source SMALLINT NOT NULL,
    value JSONB NOT NULL,
    observed_date DATE NOT NULL,
    valid_until DATE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (learner, key, source)
);
CREATE TABLE learners (
    id TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE ledger_checkpoints (
    shard SMALLINT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    signature BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (shard, sequence)
);
CREATE INDEX ledger_checkpoints_created ON ledger_checkpoints (created_at);
CREATE TABLE ledger_entries (
    shard SMALLINT NOT NULL,
    sequence BIGINT NOT NULL,
    transaction UUID NOT NULL,
    operation TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    owner TEXT NOT NULL,
    cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (shard, sequence)
);
CREATE INDEX ledger_entries_owner ON ledger_entries (owner, kind);
CREATE INDEX ledger_entries_reference ON ledger_entries (reference);
CREATE TABLE ledger_heads (
    shard SMALLINT NOT NULL,
    currency TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    kind_1 BIGINT DEFAULT '0' NOT NULL,
    kind_2 BIGINT DEFAULT '0' NOT NULL,
    kind_3 BIGINT DEFAULT '0' NOT NULL,
    kind_4 BIGINT DEFAULT '0' NOT NULL,
    kind_5 BIGINT DEFAULT '0' NOT NULL,
    kind_6 BIGINT DEFAULT '0' NOT NULL,
    kind_7 BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (shard)
)
 WITH (fillfactor = 20);
CREATE INDEX ledger_heads_currency ON ledger_heads (currency, shard);
CREATE TABLE organisations (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    accredited BOOLEAN NOT NULL,
    accredited_until DATE,
    PRIMARY KEY (name)
);
CREATE TABLE payout_batches (
    id UUID NOT NULL,
    state SMALLINT NOT NULL,
    execution_date DATE NOT NULL,
    debtor_name TEXT NOT NULL,
    debtor_iban TEXT NOT NULL,
    debtor_bic TEXT DEFAULT '' NOT NULL,
    currency TEXT NOT NULL,
    total_cents BIGINT DEFAULT '0' NOT NULL,
    skipped TEXT[] DEFAULT '{}'::text[] NOT NULL,
    created_by TEXT NOT NULL,
    frozen_by TEXT DEFAULT '' NOT NULL,
    approved_by TEXT DEFAULT '' NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT payout_batches_approved_by_someone CHECK (state < 3 OR approved_by <> ''),
    CONSTRAINT payout_batches_maker_checker CHECK (approved_by = '' OR (approved_by <> created_by AND approved_by <> frozen_by))
);
CREATE TABLE programmes (
    id TEXT NOT NULL,
    display_names JSONB DEFAULT '{}'::jsonb NOT NULL,
    currency TEXT NOT NULL,
    last_version INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE shortage_entries (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    uri TEXT DEFAULT '' NOT NULL,
    isco TEXT DEFAULT '' NOT NULL,
    nuts_code TEXT DEFAULT '' NOT NULL,
    severity SMALLINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX shortage_entries_version ON shortage_entries (version, isco);
CREATE TABLE shortage_versions (
    name TEXT NOT NULL,
    list TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    entry_count INTEGER NOT NULL,
    digest TEXT NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX shortage_versions_in_force ON shortage_versions (list, valid_from);
CREATE TABLE budgets (
    id UUID NOT NULL,
    programme_id TEXT NOT NULL,
    start_date DATE NOT NULL,
    end_date DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (programme_id, start_date),
    CONSTRAINT budgets_period CHECK (start_date <= end_date),
    FOREIGN KEY(programme_id) REFERENCES programmes (id)
);
CREATE TABLE payouts (
    batch_id UUID NOT NULL,
    organisation TEXT NOT NULL,
    amount_cents BIGINT DEFAULT '0' NOT NULL,
    redemption_count INTEGER NOT NULL,
    end_to_end_id TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (batch_id, organisation),
    CONSTRAINT payouts_some_amount CHECK (amount_cents > 0),
    FOREIGN KEY(batch_id) REFERENCES payout_batches (id)
);
CREATE TABLE programme_versions (
    programme_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    state SMALLINT NOT NULL,
    effective_date DATE NOT NULL,
    rules JSONB NOT NULL,
    drafted_by TEXT[] DEFAULT '{}'::text[] NOT NULL,
    activated_by TEXT DEFAULT '' NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT programme_versions_activated_by_someone CHECK (state = 1 OR activated_by <> ''),
    CONSTRAINT programme_versions_maker_checker CHECK (activated_by <> ALL (drafted_by)),
    FOREIGN KEY(programme_id) REFERENCES programmes (id)
);
CREATE INDEX programme_versions_in_force ON programme_versions (programme_id, effective_date) WHERE state = 2;
CREATE TABLE sessions (
    name TEXT NOT NULL,
    course TEXT NOT NULL,
    listed BOOLEAN NOT NULL,
    start_date DATE,
    end_date DATE,
    price_cents BIGINT,
    currency TEXT DEFAULT '' NOT NULL,
    nuts_code TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (name),
    FOREIGN KEY(course) REFERENCES courses (name)
);
CREATE INDEX ix_sessions_course ON sessions (course);
CREATE TABLE applications (
    id UUID NOT NULL,
    learner TEXT NOT NULL,
    programme_id TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    session TEXT NOT NULL,
    course TEXT NOT NULL,
    organisation TEXT NOT NULL,
    state SMALLINT NOT NULL,
    shortage_version TEXT DEFAULT '' NOT NULL,
    shortage_entry TEXT DEFAULT '' NOT NULL,
    facts JSONB DEFAULT '{}'::jsonb NOT NULL,
    fact_hash TEXT NOT NULL,
    offer JSONB DEFAULT '{}'::jsonb NOT NULL,
    history JSONB DEFAULT '{}'::jsonb NOT NULL,
    decided_on DATE NOT NULL,
    clauses JSONB DEFAULT '{}'::jsonb NOT NULL,
    reason_codes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    decision_reason TEXT DEFAULT '' NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    automatic BOOLEAN NOT NULL,
    amount_cents BIGINT DEFAULT '0' NOT NULL,
    share_cents BIGINT DEFAULT '0' NOT NULL,
    face_cents BIGINT DEFAULT '0' NOT NULL,
    cover_percent SMALLINT DEFAULT '0' NOT NULL,
    currency TEXT NOT NULL,
    target_group TEXT DEFAULT '' NOT NULL,
    voucher_id UUID,
    decided_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(programme_id, version_number) REFERENCES programme_versions (programme_id, number),
    CONSTRAINT applications_not_negative CHECK (amount_cents >= 0 AND share_cents >= 0 AND face_cents >= 0)
);
CREATE INDEX applications_decided ON applications (programme_id, decided_at);
CREATE INDEX applications_learner ON applications (learner, id);
CREATE UNIQUE INDEX applications_one_open ON applications (learner, programme_id, session) WHERE state IN (1, 2);
CREATE INDEX applications_programme ON applications (programme_id, created_at);
CREATE INDEX applications_queue ON applications (state, id);
CREATE TABLE pots (
    id UUID NOT NULL,
    budget_id UUID NOT NULL,
    code TEXT NOT NULL,
    funding_source_id TEXT NOT NULL,
    target_groups TEXT[] DEFAULT '{}'::text[] NOT NULL,
    funded_cents BIGINT DEFAULT '0' NOT NULL,
    available_cents BIGINT DEFAULT '0' NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (budget_id, code),
    CONSTRAINT pots_not_negative CHECK (funded_cents >= 0 AND available_cents >= 0),
    FOREIGN KEY(budget_id) REFERENCES budgets (id),
    FOREIGN KEY(funding_source_id) REFERENCES funding_sources (id)
)
 WITH (fillfactor = 50);
CREATE TABLE vouchers (
    id UUID NOT NULL,
    learner TEXT NOT NULL,
    programme_id TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    application_id UUID NOT NULL,
    course TEXT NOT NULL,
    pot_id UUID NOT NULL,
    shard SMALLINT NOT NULL,
    currency TEXT NOT NULL,
    cover_percent SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    value_cents BIGINT DEFAULT '0' NOT NULL,
    available_cents BIGINT DEFAULT '0' NOT NULL,
    reserved_cents BIGINT DEFAULT '0' NOT NULL,
    spent_cents BIGINT DEFAULT '0' NOT NULL,
    returned_cents BIGINT DEFAULT '0' NOT NULL,
    order_until TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    code_hmac BYTEA,
    end_reason TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT vouchers_not_negative CHECK (available_cents >= 0 AND reserved_cents >= 0 AND spent_cents >= 0 AND returned_cents >= 0),
    CONSTRAINT vouchers_never_beyond_value CHECK (available_cents + reserved_cents + spent_cents + returned_cents = value_cents),
    FOREIGN KEY(application_id) REFERENCES applications (id),
    FOREIGN KEY(pot_id) REFERENCES pots (id),
    UNIQUE (code_hmac)
)
 WITH (fillfactor = 60);
CREATE INDEX vouchers_expiry ON vouchers (expires_at) WHERE state <= 3;
CREATE INDEX vouchers_learner ON vouchers (learner, id);
CREATE INDEX vouchers_leftovers ON vouchers (id) WHERE state >= 5 AND available_cents > 0;
CREATE TABLE redemptions (
    id UUID NOT NULL,
    voucher_id UUID NOT NULL,
    learner TEXT NOT NULL,
    programme_id TEXT NOT NULL,
    version_number INTEGER NOT NULL,
    course TEXT NOT NULL,
    session TEXT NOT NULL,
    organisation TEXT NOT NULL,
    shard SMALLINT NOT NULL,
    currency TEXT NOT NULL,
    state SMALLINT NOT NULL,
    price_cents BIGINT DEFAULT '0' NOT NULL,
    amount_cents BIGINT DEFAULT '0' NOT NULL,
    accepted_cents BIGINT DEFAULT '0' NOT NULL,
    held_cents BIGINT DEFAULT '0' NOT NULL,
    cleared_cents BIGINT DEFAULT '0' NOT NULL,
    evidence TEXT[] DEFAULT '{}'::text[] NOT NULL,
    end_reason TEXT DEFAULT '' NOT NULL,
    authorise_until TIMESTAMP WITH TIME ZONE NOT NULL,
    release_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    batch_id UUID,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT redemptions_not_negative CHECK (accepted_cents >= 0 AND held_cents >= 0 AND cleared_cents >= 0),
    CONSTRAINT redemptions_some_amount CHECK (amount_cents > 0),
    CONSTRAINT redemptions_accepted_within_reserved CHECK (accepted_cents <= amount_cents),
    FOREIGN KEY(voucher_id) REFERENCES vouchers (id),
    FOREIGN KEY(batch_id) REFERENCES payout_batches (id)
)
 WITH (fillfactor = 60);
CREATE INDEX redemptions_batch ON redemptions (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX redemptions_cleared ON redemptions (currency, organisation) WHERE state = 5 AND cleared_cents > 0;
CREATE INDEX redemptions_held ON redemptions (release_at) WHERE state = 5 AND held_cents > 0;
CREATE INDEX redemptions_learner ON redemptions (learner, id);
CREATE INDEX redemptions_organisation ON redemptions (organisation, id);
CREATE INDEX redemptions_waiting ON redemptions (authorise_until) WHERE state = 1;
CREATE TABLE evidence (
    id UUID NOT NULL,
    redemption_id UUID NOT NULL,
    size_bytes BIGINT NOT NULL,
    content_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(redemption_id) REFERENCES redemptions (id)
);
CREATE INDEX ix_evidence_redemption_id ON evidence (redemption_id);
"""


def upgrade() -> None:
    create_platform_tables(op)
    op.execute(TABLES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
