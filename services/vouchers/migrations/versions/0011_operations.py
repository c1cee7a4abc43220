"""Work in the background: what simulations of rules found, and vouchers allocated to many people."""

from alembic import op

from services.platform.operations.table import create_operations_table

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE simulation_changes (
    operation_id UUID NOT NULL REFERENCES operations (id),
    application_id UUID NOT NULL REFERENCES applications (id),
    before SMALLINT NOT NULL,
    after SMALLINT NOT NULL,
    before_cents BIGINT DEFAULT '0' NOT NULL,
    after_cents BIGINT DEFAULT '0' NOT NULL,
    reason_codes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    PRIMARY KEY (operation_id, application_id)
);
"""
ALLOCATIONS = """
CREATE TABLE allocations (
    id UUID NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE allocation_rows (
    operation_id UUID NOT NULL REFERENCES operations (id),
    line BIGINT NOT NULL,
    learner TEXT NOT NULL,
    price_cents BIGINT,
    outcome SMALLINT NOT NULL,
    reason_codes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    missing TEXT[] DEFAULT '{}'::text[] NOT NULL,
    explanation TEXT DEFAULT '' NOT NULL,
    cents BIGINT DEFAULT '0' NOT NULL,
    voucher_id UUID,
    PRIMARY KEY (operation_id, line)
);
CREATE INDEX allocation_rows_waiting ON allocation_rows (operation_id, line) WHERE outcome = 1;
"""


def upgrade() -> None:
    create_operations_table(op)
    op.execute(CHANGES)
    op.execute(ALLOCATIONS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
