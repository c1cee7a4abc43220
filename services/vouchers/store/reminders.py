"""Statements of reminders: which voucher is due for which, and that it was sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text

from services.platform.db.transaction import Transaction

# A voucher that was never valid for that long is not reminded so early: whoever got it knows.
_DUE = """SELECT v.id, v.learner, v.currency, v.available_cents, v.expires_at, d.days
FROM vouchers v CROSS JOIN LATERAL (
  SELECT CASE WHEN v.expires_at <= now() + interval '7 days' THEN 7 ELSE 30 END AS days
) d
WHERE v.state <= 3 AND v.available_cents > 0
  AND v.expires_at > now() AND v.expires_at <= now() + interval '30 days'
  AND v.created_at + make_interval(days => d.days) <= v.expires_at
  AND NOT EXISTS (SELECT 1 FROM voucher_reminders r
    WHERE r.voucher_id = v.id AND r.expires_at = v.expires_at AND r.days = d.days)"""
_DUE_FIRST = text(f"{_DUE} ORDER BY v.expires_at LIMIT :limit")
# The lock makes events of one voucher follow each other.
_TAKE = text(f"""WITH due AS ({_DUE} AND v.id = :id FOR NO KEY UPDATE OF v), sent AS (
  INSERT INTO voucher_reminders (voucher_id, expires_at, days) SELECT id, expires_at, days FROM due
  ON CONFLICT DO NOTHING RETURNING voucher_id
) SELECT due.* FROM due JOIN sent ON sent.voucher_id = due.id""")  # noqa: S608 - parts of our own


def due(tx: Transaction, limit: int) -> list[str]:
    """Returns ids of vouchers with money left for which a reminder is due, by the database's clock."""
    return [str(row.id) for row in tx.execute(_DUE_FIRST, {"limit": limit})]


def take(tx: Transaction, voucher_id: str) -> Row[Any] | None:
    """Notes that the reminder due for a voucher is sent; returns it with `days`, None when none is."""
    return tx.execute(_TAKE, {"id": voucher_id}).one_or_none()
