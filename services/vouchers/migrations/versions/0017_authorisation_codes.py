"""Codes by which learners agree to a spend; what webhooks were told of them is found to be erased."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CODES = """
CREATE TABLE authorisation_codes (
    redemption_id UUID NOT NULL REFERENCES redemptions (id),
    code_hmac BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE,
    wrong_tries SMALLINT DEFAULT '0' NOT NULL,
    codes_sent SMALLINT DEFAULT '0' NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (redemption_id),
    CONSTRAINT authorisation_codes_expire CHECK (code_hmac IS NULL OR expires_at IS NOT NULL),
    CONSTRAINT authorisation_codes_used_once CHECK (code_hmac IS NULL OR used_at IS NULL)
);
"""
# Only of events that are erased early, and only until they are: a handful of rows.
ERASED = """
CREATE INDEX webhook_deliveries_brief ON webhook_deliveries (event_type, created_at)
  WHERE payload <> '' AND event_type IN ('waymark.vouchers.v1.AuthorisationCodeSent');
"""


def upgrade() -> None:
    op.execute(CODES)
    op.execute(ERASED)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
