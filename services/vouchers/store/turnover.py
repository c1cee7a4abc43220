"""What moved for providers, counted by day and month behind the ledger, so that a statement reads its period
and not all that ever happened.

Nothing is counted where money is booked: redeeming touches no row that others share. A chain is numbered
without gaps and its head is locked until the commit, so a number says exactly what is counted, and what is
behind it is read from the ledger. Days are those of one zone: in another, all is counted anew.
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
  INSERT INTO turnover_marks AS t SELECT shard, max(sequence), current_setting('TimeZone') FROM fresh
  GROUP BY shard
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
_OTHER_DAYS = text("""WITH other AS (
  SELECT 1 FROM turnover_marks WHERE zone <> current_setting('TimeZone') LIMIT 1
), days AS (DELETE FROM provider_days WHERE EXISTS (SELECT FROM other)
), months AS (DELETE FROM provider_months WHERE EXISTS (SELECT FROM other)
) DELETE FROM turnover_marks WHERE EXISTS (SELECT FROM other)""")
# Joined rather than looked up, as every entry is read; a day by the zone in which it was counted.
_DIFFERENT = text("""WITH counted AS NOT MATERIALIZED (
  SELECT e.owner, e.reference, e.currency, e.operation, e.kind, e.cents,
    CAST(e.created_at AT TIME ZONE m.zone AS date) AS day
  FROM ledger_entries e JOIN turnover_marks m ON m.shard = e.shard AND e.sequence <= m.sequence
  WHERE kind IN (5, 6, 7, 8)
), mine AS (
  SELECT r.organisation, c.currency, c.day, c.operation, c.kind, c.cents
  FROM counted c JOIN redemptions r ON c.reference = 'redemptions/' || r.id
  UNION ALL SELECT p.organisation, c.currency, c.day, c.operation, c.kind, c.cents
  FROM counted c JOIN payables p ON p.subject = CASE c.kind WHEN 6 THEN c.owner WHEN 7 THEN c.reference END
  WHERE c.reference NOT LIKE 'redemptions/%'
), entered AS (
  SELECT organisation, currency, day, operation, kind, sum(cents) AS cents FROM mine GROUP BY 1, 2, 3, 4, 5
), added AS (
  SELECT organisation, currency, CAST(date_trunc('month', day) AS date) AS month, kind, sum(cents) AS cents
  FROM provider_days GROUP BY 1, 2, 3, 4
)
SELECT 'provider_days' AS kept_in, organisation, currency, day, operation, kind,
  coalesce(d.cents, 0) AS kept, coalesce(e.cents, 0) AS entered
FROM provider_days d FULL JOIN entered e USING (organisation, currency, day, operation, kind)
WHERE coalesce(d.cents, 0) <> coalesce(e.cents, 0)
UNION ALL SELECT 'provider_months', organisation, currency, month, '', kind,
  coalesce(m.cents, 0), coalesce(a.cents, 0)
FROM provider_months m FULL JOIN added a USING (organisation, currency, month, kind)
WHERE coalesce(m.cents, 0) <> coalesce(a.cents, 0)
ORDER BY 1, 2, 3, 4, 5, 6 LIMIT :limit""")
_ALONE = text("LOCK TABLE turnover_marks IN SHARE ROW EXCLUSIVE MODE")


def count(tx: Transaction, limit: int) -> int:
    """Counts at most `limit` entries of each chain; returns how many of all. Twice at once follows one after
    the other, else an entry would count twice."""
    tx.execute(_ALONE)
    tx.execute(_OTHER_DAYS)
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


def different(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Returns rows that are not what is behind them, by table and key: of `provider_days` the entries that
    are counted, of `provider_months` those days. `kept_in` the table, `kept` and `entered` cents; operation
    empty for months."""
    return list(tx.execute(_DIFFERENT, {"limit": limit}))
