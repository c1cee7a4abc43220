"""A ledger that has grown over days: entries as bookings make them, without hashes that anybody reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine, text

_REDEMPTIONS = text("""INSERT INTO redemptions SELECT (jsonb_populate_record(CAST(NULL AS redemptions),
  to_jsonb(r) || jsonb_build_object('id', gen_random_uuid(),
  'organisation', (CAST(:organisations AS text[]))[1 + n % :of]))).*
FROM (SELECT * FROM redemptions LIMIT 1) AS r, generate_series(1, :number) AS n""")
_PAYABLES = text("""INSERT INTO payables (id, subject, organisation, currency, shard, cents)
SELECT gen_random_uuid(), 'levyClaims/' || n, (CAST(:organisations AS text[]))[1 + n % :of], 'EUR', 0, 1
FROM generate_series(1, :number / 4) AS n""")
_ENTRIES = text("""WITH things AS (
  SELECT 'redemptions/' || id AS name FROM redemptions UNION ALL SELECT subject FROM payables
), made AS (
  SELECT CAST(random() * 255 AS smallint) AS shard, name, CAST(3 + random() * 6 AS smallint) AS kind,
    (ARRAY['accept', 'release', 'payout', 'return', 'clawback', 'writeoff', 'payback', 'train'])
      [1 + CAST(random() * 7 AS integer)] AS operation, CAST(random() * 20000 - 10000 AS bigint) AS cents,
    random() < 0.5 AS named,
    CAST(:first AS timestamp) AT TIME ZONE 'UTC' + random() * :days * interval '1 day' AS at
  FROM things, generate_series(1, 8)
), entered AS (
  INSERT INTO ledger_entries SELECT m.shard, h.sequence + row_number() OVER (PARTITION BY m.shard),
    gen_random_uuid(), operation, kind, CASE WHEN named THEN name ELSE 'somebody' END, cents, 'EUR', name,
    '\\x00', at FROM made m JOIN ledger_heads h ON h.shard = m.shard RETURNING shard, sequence
)
UPDATE ledger_heads h SET sequence = e.last
FROM (SELECT shard, max(sequence) AS last FROM entered GROUP BY shard) AS e WHERE h.shard = e.shard""")


def entered(
    engine: Engine, organisations: Sequence[str], *, redemptions: int, first: date, days: int
) -> None:
    """Enters eight postings for each of so many redemptions, like one that is there, and for a quarter as
    many other payables, of some organisations by turns, anywhere in some days from the first on."""
    values = {"organisations": list(organisations), "of": len(organisations), "number": redemptions}
    with engine.begin() as connection:
        connection.execute(_REDEMPTIONS, values)
        connection.execute(_PAYABLES, values)
        connection.execute(_ENTRIES, {"first": first.isoformat(), "days": days})
