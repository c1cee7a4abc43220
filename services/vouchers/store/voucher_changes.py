"""Statements of what changes a voucher without moving its money, and of its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.history import OF_OPERATION, Happening, Kind
from services.vouchers.domain.voucher import Voucher
from services.vouchers.store import vouchers as voucher_store
from services.vouchers.store.ledger_tables import ledger_heads
from services.vouchers.store.tables import vouchers
from services.vouchers.store.wallet_tables import voucher_changes

_v = vouchers.c
_LOCK = text(f"""SELECT {voucher_store.IDENTITY}, {voucher_store.COLUMNS}, v.learner, v.programme_id,
  v.version_number, v.issue_number, v.proposed_expires_at, v.created_at, b.end_date AS last_day
FROM vouchers v JOIN pots p ON p.id = v.pot_id JOIN budgets b ON b.id = p.budget_id
WHERE v.id = :id FOR NO KEY UPDATE OF v""")  # noqa: S608 - columns of our own
# Movements are grouped by transaction. A claw-back that gave the money to the pot touches no account of the
# voucher: it is found by the redemptions that were accepted on it.
_HISTORY = text("""WITH own AS (
  SELECT min(sequence) AS place, transaction, operation, reference, min(created_at) AS at,
    coalesce(sum(cents) FILTER (WHERE kind = 3), 0) AS available,
    coalesce(sum(cents) FILTER (WHERE kind = 4), 0) AS reserved
  FROM ledger_entries WHERE owner = :name GROUP BY transaction, operation, reference
)
SELECT place, 0 AS rank, CAST(transaction AS text) AS id, operation, 0 AS kind, reference, at, available,
  reserved, 0 AS returned, 0 AS reason, CAST(NULL AS timestamptz) AS expires_at FROM own
UNION ALL
SELECT min(sequence), 0, CAST(transaction AS text), operation, 0, reference, min(created_at), 0, 0,
  sum(cents), 0, NULL
FROM ledger_entries
WHERE operation = 'clawback' AND kind = 2
  AND reference IN (SELECT reference FROM own WHERE operation = 'accept')
GROUP BY transaction, operation, reference
UNION ALL
SELECT place, 1, CAST(id AS text), '', kind, '', created_at, 0, 0, 0, reason, expires_at
FROM voucher_changes WHERE voucher_id = :id
ORDER BY 1, 2, 3""")


def lock(tx: Transaction, voucher_id: str) -> Row[Any]:
    """Locks a voucher for a change without money, with the last day of the budget it is paid from
    (`last_day`); raises Refusal(NOT_FOUND)."""
    return tx.one(_LOCK, {"id": voucher_id})


def change(tx: Transaction, row: Row[Any], kind: Kind, values: dict[str, Any], **said: Any) -> Row[Any]:
    """Writes a locked voucher and what happened to it; returns its new row. `values`: columns of the voucher,
    `said`: of the change."""
    note(tx, str(row.voucher_id), row.shard, kind, **said)
    statement = (
        update(vouchers)
        .where(_v.id == row.voucher_id)
        .values(**values, version=_v.version + 1)
        .returning(vouchers)
    )
    return tx.execute(statement).one()


def note(tx: Transaction, voucher_id: str, shard: int, kind: Kind, **said: Any) -> None:
    """Keeps that something happened to a locked voucher. `said`: columns of the change."""
    place = select(ledger_heads.c.sequence).where(ledger_heads.c.shard == shard).scalar_subquery()
    values = {
        "id": new_id(),
        "voucher_id": voucher_id,
        "kind": int(kind),
        "asked_by": tx.principal.subject,
        "created_at": tx.now,
        **said,
    }
    tx.execute(insert(voucher_changes).values(**values, place=place))


def proposed(tx: Transaction, voucher_id: str) -> Row[Any] | None:
    """Returns the last extension proposed for a voucher; None when there was none."""
    c = voucher_changes.c
    statement = (
        select(voucher_changes)
        .where(c.voucher_id == voucher_id, c.kind == int(Kind.EXTENSION_PROPOSED))
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(1)
    )
    return tx.execute(statement).one_or_none()


def limits(voucher: Voucher) -> dict[str, datetime]:
    """Returns the columns of a voucher's time limits."""
    return {"expires_at": voucher.expires, "order_until": voucher.order_until}


def happenings(tx: Transaction, voucher_id: str) -> list[Happening]:
    """Returns what happened to a voucher, in the order of the ledger."""
    rows = tx.execute(_HISTORY, {"id": voucher_id, "name": f"vouchers/{voucher_id}"})
    return [
        Happening(
            kind=Kind(row.kind) if row.kind else OF_OPERATION[row.operation],
            at=row.at,
            available=int(row.available),
            reserved=int(row.reserved),
            returned=int(row.returned),
            redemption=row.reference if row.reference.startswith("redemptions/") else "",
            reason=row.reason,
            expires=row.expires_at,
        )
        for row in rows
    ]
