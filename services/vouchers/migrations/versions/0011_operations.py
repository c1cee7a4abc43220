"""Work in the background, and what simulations of rules found."""

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


def upgrade() -> None:
    create_operations_table(op)
    op.execute(CHANGES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
