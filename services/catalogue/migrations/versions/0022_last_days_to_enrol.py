"""Others are told until when one can enrol: courses that say so are read again by the next run."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

AGAIN = """
UPDATE courses SET raw_hash = '\\x00' WHERE removed_time IS NULL AND jsonb_path_exists(
  document, '$.offerings[*].sessions[*] ? (exists (@.apply_from) || exists (@.apply_until))')
"""


def upgrade() -> None:
    op.execute(AGAIN)
