"""Vouchers hear of every course anew, since letters name a training by the title that the catalogue tells."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

AGAIN = """
UPDATE organisations SET tell_after = '00000000-0000-0000-0000-000000000000'
WHERE id IN (SELECT organisation_id FROM courses WHERE removed_time IS NULL)
"""


def upgrade() -> None:
    op.execute(AGAIN)
