"""Others are told by digests where organisations train; accredited ones with sites are announced again."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

AGAIN = """
UPDATE accreditations SET announced = false WHERE valid_to >= current_date AND withdraw_time IS NULL
  AND organisation_id IN (SELECT organisation_id FROM sites)
"""


def upgrade() -> None:
    op.execute(AGAIN)
