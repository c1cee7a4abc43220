"""What the vouchers service tells of its programmes."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TERMS = """
CREATE TABLE programme_terms (
    programme TEXT NOT NULL,
    number INTEGER NOT NULL,
    effective_date DATE NOT NULL,
    terms JSONB NOT NULL,
    PRIMARY KEY (programme, number)
)
"""


def upgrade() -> None:
    op.execute(TERMS)
