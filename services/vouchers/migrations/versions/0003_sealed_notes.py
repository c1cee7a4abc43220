"""Why something ended as a code, and what people wrote about it sealed.

A migration has no key to seal with, and what stands in the clear must not stay: words written before are
given up, as are the kept answers that repeat them. A repeat of such a request is refused as answered already.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOTES = """
ALTER TABLE redemptions ADD COLUMN sealed_note BYTEA, ALTER COLUMN end_reason DROP DEFAULT,
  ALTER COLUMN end_reason TYPE SMALLINT
    USING CASE state WHEN 9 THEN 1 WHEN 8 THEN 9 WHEN 10 THEN 9 ELSE 0 END,
  ALTER COLUMN end_reason SET DEFAULT 0;
ALTER TABLE vouchers ADD COLUMN sealed_note BYTEA, ALTER COLUMN end_reason DROP DEFAULT,
  ALTER COLUMN end_reason TYPE SMALLINT USING CASE state WHEN 7 THEN 5 ELSE 0 END,
  ALTER COLUMN end_reason SET DEFAULT 0;
ALTER TABLE applications DROP COLUMN decision_reason, ADD COLUMN sealed_note BYTEA;
ALTER TABLE holds DROP COLUMN reason, DROP COLUMN finding,
  ADD COLUMN sealed_reason BYTEA, ADD COLUMN sealed_finding BYTEA;
UPDATE request_ids SET answer = NULL WHERE method ~
  '/(DecideApplication|PlaceHold|ReleaseHold|RejectRedemption|VoidRedemption|RevokeVoucher)$';
"""


def upgrade() -> None:
    op.execute(NOTES)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
