"""The statement that counts sandbox vouchers."""

from __future__ import annotations

from sqlalchemy import text
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

# One row a provider; the row lock decides between two calls at once.
_COUNT = text("""INSERT INTO sandbox_days AS d (organisation, day, issued)
VALUES (:organisation, :today, 1)
ON CONFLICT (organisation) DO UPDATE SET day = excluded.day,
  issued = CASE WHEN d.day = excluded.day THEN d.issued + 1 ELSE 1 END
WHERE d.day <> excluded.day OR d.issued < :limit
RETURNING issued""")


def count(tx: Transaction, organisation: str, limit: int) -> None:
    """Counts a voucher of today; raises Refusal(SANDBOX_LIMIT) beyond `limit`."""
    values = {"organisation": organisation, "today": tx.today, "limit": limit}
    if tx.execute(_COUNT, values).one_or_none() is None:
        raise Refusal(reason_pb2.REASON_SANDBOX_LIMIT, metadata={"limit": str(limit)})
