"""What moved for providers, counted by day and month behind the ledger, so that a statement reads its period
and not all that ever happened.

Nothing is counted where money is booked: redeeming touches no row that others share. A chain is numbered
without gaps and its head is locked until the commit, so a number says exactly what is counted, and what is
behind it is read from the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from services.platform.days import day_of
from services.platform.db.transaction import Transaction

# Entries that nobody has counted, so many of each chain, and whose they are: of a redemption; cleared in the
# name of what else was approved for the provider; what batches paid of that. Each is looked up by its key:
# as nobody can tell beforehand how few entries are new, a join would read every redemption.
_UNCOUNTED = """fresh AS (
  SELECT e.* FROM ledger_heads h LEFT JOIN turnover_marks m ON m.shard = h.shard CROSS JOIN LATERAL (
    SELECT * FROM ledger_entries e WHERE e.shard = h.shard AND e.sequence > coalesce(m.sequence, 0)
    ORDER BY e.sequence LIMIT CAST(:limit AS bigint)
  ) AS e WHERE h.sequence > coalesce(m.sequence, 0)
), mine AS (
  SELECT e.*, CASE
    WHEN reference LIKE 'redemptions/%' THEN (
      SELECT organisation FROM redemptions WHERE id = CAST(substr(e.reference, 13) AS uuid))
    WHEN kind = 6 THEN (SELECT organisation FROM payables WHERE subject = e.owner)
    WHEN kind = 7 THEN (SELECT organisation FROM payables WHERE subject = e.reference)
  END AS organisation FROM fresh e WHERE kind IN (5, 6, 7, 8)
)"""
_COUNT = text(f"""WITH {_UNCOUNTED}, moved AS (
  SELECT organisation, currency, CAST(created_at AS date) AS day, operation, kind,
    sum(cents) AS cents FROM mine WHERE organisation IS NOT NULL GROUP BY 1, 2, 3, 4, 5
), days AS (
  INSERT INTO provider_days AS d SELECT * FROM moved
  ON CONFLICT (organisation, currency, day, operation, kind) DO UPDATE SET cents = d.cents + excluded.cents
), months AS (
  INSERT INTO provider_months AS m
  SELECT organisation, currency, CAST(date_trunc('month', day) AS date), kind, sum(cents) FROM moved
  GROUP BY 1, 2, 3, 4
  ON CONFLICT (organisation, currency, month, kind) DO UPDATE SET cents = m.cents + excluded.cents
), marks AS (
  INSERT INTO turnover_marks AS t SELECT shard, max(sequence) FROM fresh GROUP BY shard
  ON CONFLICT (shard) DO UPDATE SET sequence = excluded.sequence
)
SELECT count(*) FROM fresh""")  # noqa: S608 - text of our own
_SUMS = text(f"""WITH {_UNCOUNTED}, moved AS (
  SELECT '' AS operation, kind, cents, TRUE AS earlier FROM provider_months
  WHERE organisation = :organisation AND currency = :currency AND month < :month
  UNION ALL SELECT operation, kind, cents, day < :first FROM provider_days
  WHERE organisation = :organisation AND currency = :currency AND day >= :month AND day < :after
  UNION ALL SELECT operation, kind, cents, created_at < :start FROM mine
  WHERE organisation = :organisation AND currency = :currency AND created_at < :end
)
SELECT operation, kind, earlier, CAST(sum(cents) AS bigint) AS cents FROM moved GROUP BY 1, 2, 3""")  # noqa: S608
_ALONE = text("LOCK TABLE turnover_marks IN SHARE ROW EXCLUSIVE MODE")


def count(tx: Transaction, limit: int) -> int:
    """Counts at most `limit` entries of each chain; returns how many of all. Twice at once follows one after
    the other, else an entry would count twice."""
    tx.execute(_ALONE)
    return int(tx.execute(_COUNT, {"limit": limit}).scalar_one())


def sums(tx: Transaction, organisation: str, currency: str, start: datetime, end: datetime) -> list[Row[Any]]:
    """Returns sums of a provider's entries before `end`: operation, kind, cents, and whether they lie before
    `start` (`earlier`; operations are not told of all of these). Both are
    beginnings of legal days."""
    first, after = day_of(start), day_of(end)
    values = {
        "organisation": organisation,
        "currency": currency,
        "start": start,
        "end": end,
        "first": first,
        "after": after,
        "month": first.replace(day=1),
        "limit": None,
    }
    return list(tx.execute(_SUMS, values))
