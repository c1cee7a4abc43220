"""Changes of vouchers that move no money, waiting lists, openings with their draws."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WALLET = """
ALTER TABLE vouchers ADD COLUMN issue_number INTEGER DEFAULT '1' NOT NULL,
  ADD COLUMN proposed_expires_at TIMESTAMP WITH TIME ZONE;
CREATE TABLE voucher_changes (
    id UUID NOT NULL,
    voucher_id UUID NOT NULL REFERENCES vouchers (id),
    kind SMALLINT NOT NULL,
    place BIGINT NOT NULL,
    reason SMALLINT DEFAULT '0' NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    asked_by TEXT NOT NULL,
    approved_by TEXT DEFAULT '' NOT NULL,
    beyond_rule BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT voucher_changes_maker_checker CHECK (approved_by <> asked_by OR approved_by = ''),
    CONSTRAINT voucher_changes_second_person CHECK (kind <> 14 OR NOT beyond_rule OR approved_by <> '')
);
CREATE INDEX voucher_changes_voucher ON voucher_changes (voucher_id, place);
CREATE TABLE waiting_list (
    id UUID NOT NULL,
    place BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL UNIQUE,
    application_id UUID NOT NULL REFERENCES applications (id),
    learner TEXT NOT NULL,
    programme_id TEXT NOT NULL,
    target_group TEXT DEFAULT '' NOT NULL,
    state SMALLINT DEFAULT '1' NOT NULL,
    pot_id UUID REFERENCES pots (id),
    currency TEXT NOT NULL,
    held_cents BIGINT DEFAULT '0' NOT NULL,
    offered_cents BIGINT DEFAULT '0' NOT NULL,
    accept_until TIMESTAMP WITH TIME ZONE,
    voucher_id UUID,
    reason_codes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT waiting_list_not_negative CHECK (held_cents >= 0 AND offered_cents >= 0),
    CONSTRAINT waiting_list_held_while_offered CHECK ((state = 2) = (held_cents > 0))
);
CREATE UNIQUE INDEX waiting_list_one_open ON waiting_list (learner, programme_id) WHERE state IN (1, 2);
CREATE INDEX waiting_list_turn ON waiting_list (programme_id, target_group, place) WHERE state = 1;
CREATE INDEX waiting_list_offers ON waiting_list (accept_until) WHERE state = 2;
CREATE INDEX waiting_list_learner ON waiting_list (learner, place);
CREATE INDEX waiting_list_programme ON waiting_list (programme_id, place);
CREATE TABLE openings (
    programme_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    state SMALLINT DEFAULT '1' NOT NULL,
    open_at TIMESTAMP WITH TIME ZONE NOT NULL,
    close_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seed_sha256 BYTEA NOT NULL,
    sealed_seed BYTEA NOT NULL,
    seed BYTEA,
    application_count INTEGER DEFAULT '0' NOT NULL,
    done_count INTEGER DEFAULT '0' NOT NULL,
    granted_count INTEGER DEFAULT '0' NOT NULL,
    waiting_count INTEGER DEFAULT '0' NOT NULL,
    drawn_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (programme_id, number),
    FOREIGN KEY (programme_id, number) REFERENCES programme_versions (programme_id, number),
    CONSTRAINT openings_window CHECK (open_at < close_at),
    CONSTRAINT openings_committed_before CHECK (created_at < open_at),
    CONSTRAINT openings_seed_revealed_when_drawn CHECK ((state = 1) = (seed IS NULL)),
    CONSTRAINT openings_seed_as_committed CHECK (seed IS NULL OR sha256(seed) = seed_sha256),
    CONSTRAINT openings_done_within_drawn CHECK (done_count <= application_count)
);
CREATE UNIQUE INDEX openings_one_standing ON openings (programme_id) WHERE state < 3;
CREATE INDEX openings_due ON openings (close_at) WHERE state < 3;
CREATE TABLE drawn_applications (
    application_id UUID NOT NULL PRIMARY KEY REFERENCES applications (id),
    programme_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    learner TEXT NOT NULL,
    rank INTEGER,
    outcome SMALLINT DEFAULT '0' NOT NULL,
    UNIQUE (programme_id, number, learner),
    UNIQUE (programme_id, number, rank),
    FOREIGN KEY (programme_id, number) REFERENCES openings (programme_id, number)
);
"""


def upgrade() -> None:
    op.execute(WALLET)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
