"""Learners who were not there; trainings paid in instalments."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NO_SHOWS = """
ALTER TABLE redemptions ADD COLUMN no_show_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX redemptions_no_show ON redemptions (no_show_at) WHERE no_show_at IS NOT NULL;
"""
INSTALMENTS = """
ALTER TABLE redemptions ADD COLUMN taken_cents BIGINT DEFAULT '0' NOT NULL,
  ADD COLUMN part_of UUID REFERENCES redemptions (id),
  ADD COLUMN instalment SMALLINT DEFAULT '0' NOT NULL,
  DROP CONSTRAINT redemptions_not_negative,
  ADD CONSTRAINT redemptions_not_negative CHECK (accepted_cents >= 0 AND held_cents >= 0
    AND cleared_cents >= 0 AND paid_cents >= 0 AND clawed_cents >= 0 AND taken_cents >= 0);
CREATE UNIQUE INDEX redemptions_parts ON redemptions (part_of, instalment) WHERE part_of IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(NO_SHOWS)
    op.execute(INSTALMENTS)


def downgrade() -> None:
    raise RuntimeError("Public money is not migrated backwards; restore a backup instead.")
