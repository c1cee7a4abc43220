"""Statements of co-funding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, text

from services.platform.db.transaction import Transaction
from services.vouchers.store.columns import REAL
from services.vouchers.store.ledger_tables import ledger_entries
from services.vouchers.store.payment_share_tables import payment_shares
from services.vouchers.store.tables import pots, vouchers

_s = payment_shares.c
AT_ONCE = 10_000  # shares of one statement
_BEARERS = text(f"""SELECT v.id, v.programme_id, v.version_number, v.currency,
  'fundingSources/' || p.funding_source_id AS pot_source, pv.rules -> 'co_funding' AS co_funding
FROM vouchers v JOIN pots p ON p.id = v.pot_id
JOIN programme_versions pv ON pv.programme_id = v.programme_id AND pv.number = v.version_number
WHERE v.id = ANY(CAST(:vouchers AS uuid[])) AND v.{REAL}""")  # noqa: S608 - a condition of our own
_RECOVERED = text("""SELECT x.id AS receivable, r.id AS redemption, r.voucher_id
FROM receivables x JOIN redemptions r ON r.id = x.redemption_id
WHERE x.id = ANY(CAST(:receivables AS uuid[]))""")
# In order of the vouchers, so that two callers never wait for each other in a ring.
_ADD_UP = text("""INSERT INTO payment_totals AS t (voucher_id, cents)
SELECT * FROM unnest(CAST(:vouchers AS uuid[]), CAST(:cents AS bigint[])) AS n (voucher_id, cents)
ORDER BY n.voucher_id
ON CONFLICT (voucher_id) DO UPDATE SET cents = t.cents + excluded.cents
RETURNING voucher_id, cents""")
_SUMS = text("""SELECT programme_id, funding_source_id, currency,
  coalesce(sum(cents) FILTER (WHERE movement = 1), 0) AS paid,
  coalesce(-sum(cents) FILTER (WHERE movement = 2), 0) AS returned,
  coalesce(-sum(cents) FILTER (WHERE movement = 3), 0) AS recovered
FROM payment_shares
WHERE (CAST(:programme AS text) = '' OR programme_id = :programme)
  AND created_at >= :start AND created_at < :end
GROUP BY programme_id, funding_source_id, currency ORDER BY programme_id, funding_source_id, currency""")


def bearers(tx: Transaction, voucher_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Returns, by voucher, its programme version with the co-funding declared there, and the source of its
    pot; leaves out vouchers of the sandbox."""
    found = tx.execute(_BEARERS, {"vouchers": list(voucher_ids)})
    return {str(row.id): row for row in found}


def recovered_for(tx: Transaction, receivables: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Returns, by receivable, the redemption and the voucher that it takes money back of."""
    found = tx.execute(_RECOVERED, {"receivables": list(receivables)})
    return {str(row.receivable): (str(row.redemption), str(row.voucher_id)) for row in found}


def add_up(tx: Transaction, cents: Mapping[str, int]) -> dict[str, int]:
    """Adds to what has been paid of vouchers; returns what that was before. Locks them until the end of the
    transaction: take chains first, as everybody does."""
    found = tx.execute(_ADD_UP, {"vouchers": list(cents), "cents": list(cents.values())})
    return {str(row.voucher_id): row.cents - cents[str(row.voucher_id)] for row in found}


def add(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enters shares; they stay."""
    for start in range(0, len(rows), AT_ONCE):
        tx.execute(insert(payment_shares), list(rows[start : start + AT_ONCE]))


def listed(source: str, redemption: str | None, batch: str | None) -> Select[Any]:
    """Returns the statement for shares; empty and None mean any."""
    statement = select(payment_shares)
    if source:
        statement = statement.where(_s.funding_source_id == source)
    if redemption:
        statement = statement.where(_s.redemption_id == redemption)
    if batch:
        statement = statement.where(_s.batch_id == batch)
    return statement


def of_transaction(tx: Transaction, transaction: str) -> list[Row[Any]]:
    """Returns the shares of a ledger transaction, by movement, redemption and source."""
    order = (_s.movement, _s.redemption_id, _s.funding_source_id)
    return list(tx.execute(select(payment_shares).where(_s.transaction == transaction).order_by(*order)))


def entries_of(tx: Transaction, reference: str, operation: str) -> list[Row[Any]]:
    """Returns the ledger entries of an operation for a redemption or voucher, by chain and place."""
    e = ledger_entries.c
    statement = select(ledger_entries).where(e.reference == reference, e.operation == operation)
    return list(tx.execute(statement.order_by(e.shard, e.sequence)))


def pot_of(tx: Transaction, voucher: str) -> Row[Any]:
    """Returns name and funding source of the pot that a voucher was issued from."""
    statement = select(pots.c.name, pots.c.funding_source_id).join(vouchers, vouchers.c.pot_id == pots.c.id)
    return tx.one(statement.where(vouchers.c.id == voucher))


def sums(tx: Transaction, programme: str, start: datetime, end: datetime) -> list[Row[Any]]:
    """Returns cents paid, returned and recovered by programme, source and currency; an empty programme means
    any, `end` is excluded."""
    return list(tx.execute(_SUMS, {"programme": programme, "start": start, "end": end}))
