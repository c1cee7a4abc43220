"""Who trains at the same door, since when a provider is paid, and who was told of a delisting."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

LINKED = """
ALTER TABLE organisations ADD COLUMN addresses TEXT[] DEFAULT '{}'::text[] NOT NULL;
CREATE INDEX organisations_addresses ON organisations USING gin (addresses);
ALTER TABLE alerts ADD COLUMN linked TEXT[] DEFAULT '{}'::text[] NOT NULL;
CREATE INDEX acceptances_first ON acceptances (organisation, accepted_at);
CREATE INDEX applications_granted ON applications (organisation) WHERE voucher_id IS NOT NULL;
CREATE TABLE delisting_notices (
    voucher_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (voucher_id),
    FOREIGN KEY(voucher_id) REFERENCES vouchers (id)
);
"""


def upgrade() -> None:
    op.execute(LINKED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
