"""How far the money of voucher programmes reaches, as the vouchers service tells it."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MONEY = """
CREATE TABLE programme_money (
    programme TEXT NOT NULL,
    money_left SMALLINT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (programme)
)
"""


def upgrade() -> None:
    op.execute(MONEY)
