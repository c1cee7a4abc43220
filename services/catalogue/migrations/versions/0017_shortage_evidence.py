"""What entries of shortage lists rest on."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# IF NOT EXISTS: the first migration makes the entries as they are today. What is published has none, and its
# digest and signature are as they were.
EVIDENCE = """
ALTER TABLE shortage_entries ADD COLUMN IF NOT EXISTS evidence TEXT[] DEFAULT '{}' NOT NULL;
ALTER TABLE shortage_matches ADD COLUMN evidence TEXT[] DEFAULT '{}' NOT NULL;
"""


def upgrade() -> None:
    op.execute(EVIDENCE)
