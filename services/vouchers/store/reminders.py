"""The statement of reminders: which vouchers are due for one, and that it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from services.platform.db.transaction import Transaction
from services.vouchers.store.columns import REAL

# A voucher that was never valid for that long is not reminded so early: whoever got it knows. A locked one is
# being spent right now; its turn comes with the next run, as events of one voucher follow each other.
_TAKE = text(f"""WITH due AS (
  SELECT v.id, v.learner, v.currency, v.available_cents, v.expires_at, d.days
  FROM vouchers v CROSS JOIN LATERAL (
    SELECT CASE WHEN v.expires_at <= now() + interval '7 days' THEN 7 ELSE 30 END AS days
  ) d
  WHERE v.state <= 3 AND v.available_cents > 0 AND v.{REAL}
    AND v.expires_at > now() AND v.expires_at <= now() + interval '30 days'
    AND v.created_at + make_interval(days => d.days) <= v.expires_at
    AND NOT EXISTS (SELECT 1 FROM voucher_reminders r
      WHERE r.voucher_id = v.id AND r.expires_at = v.expires_at AND r.days = d.days)
  ORDER BY v.expires_at LIMIT :limit FOR NO KEY UPDATE OF v SKIP LOCKED
), sent AS (
  INSERT INTO voucher_reminders (voucher_id, expires_at, days) SELECT id, expires_at, days FROM due
  ON CONFLICT DO NOTHING RETURNING voucher_id
) SELECT due.* FROM due JOIN sent ON sent.voucher_id = due.id""")  # noqa: S608 - a condition of our own


def take(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Notes that the reminders due by the database's clock are sent, at most `limit`; returns the vouchers,
    with `days`: which reminder it is."""
    return tx.execute(_TAKE, {"limit": limit}).all()
