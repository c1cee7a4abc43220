"""Counts by programme, region, occupation and time. Moments are UTC, ends excluded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.transaction import Transaction
from services.vouchers.domain import esf
from services.vouchers.store.columns import REAL
from services.vouchers.store.retention_tables import let_go_indicators

_APPLICATIONS = text(f"""SELECT programme_id,
  count(*) FILTER (WHERE created_at >= :start AND created_at < :end) AS applications,
  count(*) FILTER (WHERE state = 2 AND decided_at >= :start AND decided_at < :end) AS granted,
  count(*) FILTER (WHERE state = 3 AND decided_at >= :start AND decided_at < :end) AS refused
FROM applications
WHERE (CAST(:programme AS text) = '' OR programme_id = :programme)
  AND ((created_at >= :start AND created_at < :end) OR (decided_at >= :start AND decided_at < :end))
  AND {REAL}
GROUP BY programme_id""")  # noqa: S608 - a condition of our own
_REASONS = text(f"""SELECT programme_id, code, count(*) AS times
FROM applications, unnest(reason_codes) AS code
WHERE state = 3 AND decided_at >= :start AND decided_at < :end
  AND (CAST(:programme AS text) = '' OR programme_id = :programme) AND {REAL}
GROUP BY programme_id, code""")  # noqa: S608
_VOUCHERS = text(f"""SELECT programme_id, sum(value_cents) AS issued FROM vouchers
WHERE created_at >= :start AND created_at < :end
  AND (CAST(:programme AS text) = '' OR programme_id = :programme) AND {REAL}
GROUP BY programme_id""")  # noqa: S608
_REDEMPTIONS = text(f"""SELECT programme_id,
  count(*) FILTER (WHERE created_at >= :start AND created_at < :end AND part_of IS NULL) AS reserved,
  count(*) FILTER (WHERE accepted_at >= :start AND accepted_at < :end AND no_show_at IS NULL
    AND part_of IS NULL) AS accepted,
  count(*) FILTER (WHERE no_show_at >= :start AND no_show_at < :end) AS no_shows,
  coalesce(sum(accepted_cents) FILTER (WHERE accepted_at >= :start AND accepted_at < :end), 0)
    AS accepted_cents
FROM redemptions
WHERE (CAST(:programme AS text) = '' OR programme_id = :programme)
  AND (created_at >= :start AND created_at < :end OR accepted_at >= :start AND accepted_at < :end
    OR no_show_at >= :start AND no_show_at < :end)
  AND {REAL}
GROUP BY programme_id""")  # noqa: S608
# A claw-back gives to the voucher (3) or its pot (2), from wherever the money was. The reference becomes an
# id, and not the id a reference, so that the few redemptions are looked up by their key.
_CLAWED = """SELECT {columns} FROM ledger_entries e
JOIN redemptions x ON x.id = CAST(split_part(e.reference, '/', 2) AS uuid) {join}
WHERE e.operation = 'clawback' AND e.kind IN (2, 3) AND e.created_at >= :start AND e.created_at < :end
  AND (CAST(:programme AS text) = '' OR x.programme_id = :programme) AND x.{real} GROUP BY {group}"""
_CLAW_BACKS = text(
    _CLAWED.format(
        columns="x.programme_id, count(*) AS times, sum(e.cents) AS cents",
        join="",
        real=REAL,
        group="x.programme_id",
    )
)
_PAYMENTS = text("""SELECT programme_id,
  coalesce(sum(cents) FILTER (WHERE movement IN (1, 2)), 0) AS paid_cents,
  coalesce(-sum(cents) FILTER (WHERE movement = 3), 0) AS recovered_cents
FROM payment_shares WHERE created_at >= :start AND created_at < :end
  AND (CAST(:programme AS text) = '' OR programme_id = :programme)
GROUP BY programme_id""")
_STATEMENTS = {
    "applications": _APPLICATIONS,
    "reasons": _REASONS,
    "vouchers": _VOUCHERS,
    "redemptions": _REDEMPTIONS,
    "claw_backs": _CLAW_BACKS,
    "payments": _PAYMENTS,
}


class Dimension(IntEnum):
    """What figures are split by; the same numbers as `StatisticsDimension` in the contract."""

    PROGRAMME = 1
    REGION = 2
    OCCUPATION = 3


# Where the key comes from, for a table `x` with programme, session and course.
_KEYS = {
    Dimension.PROGRAMME: ("'programmes/' || x.programme_id", ""),
    Dimension.REGION: (
        "left(coalesce(s.nuts_code, ''), :length)",
        "LEFT JOIN sessions s ON s.name = x.session",
    ),
    Dimension.OCCUPATION: (
        "coalesce(o.isco, '')",
        """LEFT JOIN courses c ON c.name = x.course LEFT JOIN LATERAL (
  SELECT DISTINCT each ->> 1 AS isco FROM jsonb_array_elements(
    CASE jsonb_typeof(c.occupations) WHEN 'array' THEN c.occupations ELSE '[]' END) AS each
) AS o ON TRUE""",
    ),
}
_SPLIT = """SELECT key, currency, sum(applications) AS applications, sum(granted) AS granted,
  sum(refused) AS refused, sum(accepted) AS accepted, sum(accepted_cents) AS accepted_cents,
  sum(clawed_cents) AS clawed_cents, sum(paid_cents) AS paid_cents
FROM (
  SELECT {key} AS key, x.currency,
    count(*) FILTER (WHERE x.created_at >= :start AND x.created_at < :end) AS applications,
    count(*) FILTER (WHERE x.state = 2 AND x.decided_at >= :start AND x.decided_at < :end) AS granted,
    count(*) FILTER (WHERE x.state = 3 AND x.decided_at >= :start AND x.decided_at < :end) AS refused,
    0 AS accepted, 0 AS accepted_cents, 0 AS clawed_cents, 0 AS paid_cents
  FROM applications x {join}
  WHERE (CAST(:programme AS text) = '' OR x.programme_id = :programme)
    AND (x.created_at >= :start AND x.created_at < :end OR x.decided_at >= :start AND x.decided_at < :end)
    AND x.{real}
  GROUP BY 1, 2
  UNION ALL
  SELECT {key}, x.currency, 0, 0, 0, count(*) FILTER (WHERE x.no_show_at IS NULL AND x.part_of IS NULL),
    sum(x.accepted_cents), 0, 0 FROM redemptions x {join}
  WHERE (CAST(:programme AS text) = '' OR x.programme_id = :programme)
    AND x.accepted_at >= :start AND x.accepted_at < :end AND x.{real}
  GROUP BY 1, 2
  UNION ALL
  {clawed}
  UNION ALL
  SELECT {key}, x.currency, 0, 0, 0, 0, 0, 0, sum(p.cents)
  FROM payment_shares p JOIN redemptions x ON x.id = p.redemption_id {join}
  WHERE (CAST(:programme AS text) = '' OR p.programme_id = :programme) AND p.movement IN (1, 2)
    AND p.created_at >= :start AND p.created_at < :end
  GROUP BY 1, 2
) AS figures GROUP BY key, currency ORDER BY key, currency"""


def _split(key: str, join: str) -> str:
    clawed = f"{key}, x.currency, 0, 0, 0, 0, 0, sum(e.cents), 0"
    claw_backs = _CLAWED.format(columns=clawed, join=join, real=REAL, group="1, 2")
    return _SPLIT.format(key=key, join=join, real=REAL, clawed=claw_backs)


_BREAKDOWNS = {dimension: text(_split(*parts)) for dimension, parts in _KEYS.items()}
# What was known of somebody who was granted something by `a`, and where they were afterwards.
_KNOWN = """f.status, f.disability, f.third_country, f.education, w.at_work,
    extract(year FROM a.decided_on)::int - f.birth_year AS age,
    CASE WHEN f.since <= a.decided_on THEN least(12, (extract(year FROM age(a.decided_on, f.since)) * 12
      + extract(month FROM age(a.decided_on, f.since)))::int) END AS months
  FROM applications a LEFT JOIN LATERAL (
    SELECT o.status IN (1, 2) AS at_work FROM redemptions r JOIN outcomes o ON o.redemption_id = r.id
    WHERE r.learner = a.learner AND r.voucher_id = a.voucher_id
      AND o.observed_on >= CAST(r.accepted_at + interval '6 months' AS date)
    ORDER BY r.accepted_at DESC LIMIT 1
  ) AS w ON TRUE, LATERAL (
    SELECT max(each ->> 'value') FILTER (WHERE each ->> 'key' = 'employment_status') AS status,
      max((each ->> 'value')::int) FILTER (WHERE each ->> 'key' = 'education_level') AS education,
      max((each ->> 'value')::int) FILTER (WHERE each ->> 'key' = 'birth_year') AS birth_year,
      max((each ->> 'value')::date) FILTER (WHERE each ->> 'key' = 'unemployed_since') AS since,
      bool_or((each ->> 'value')::boolean) FILTER (WHERE each ->> 'key' = 'has_disability') AS disability,
      bool_or((each ->> 'value')::boolean) FILTER (WHERE each ->> 'key' = 'third_country_national')
        AS third_country
    FROM jsonb_array_elements(CASE jsonb_typeof(a.facts) WHEN 'array' THEN a.facts ELSE '[]' END) AS each
  ) AS f"""
# Each person once: as known when first granted something in the period.
_ENTRANTS = text(f"""SELECT status, months, age, education, disability, third_country, at_work,
  count(*) AS people FROM (
  SELECT DISTINCT ON (a.learner) a.facts_let_go_at, {_KNOWN}
  WHERE a.state = 2 AND a.decided_at >= :start AND a.decided_at < :end AND a.{REAL}
    AND (CAST(:programme AS text) = '' OR a.programme_id = :programme)
  ORDER BY a.learner, a.decided_at
) AS entrants WHERE facts_let_go_at IS NULL
GROUP BY status, months, age, education, disability, third_country, at_work""")  # noqa: S608
_MONTH = "CAST(date_trunc('month', {}.decided_at AT TIME ZONE 'UTC') AS date)"
_FIRST_GRANTS = text(f"""SELECT a.programme_id, {_MONTH.format("a")} AS month, {_KNOWN}
  WHERE a.id = ANY (:applications) AND a.state = 2 AND a.{REAL} AND NOT EXISTS (
    SELECT FROM applications b WHERE b.learner = a.learner AND b.programme_id = a.programme_id AND b.state = 2
      AND {_MONTH.format("b")} = {_MONTH.format("a")} AND (b.decided_at, b.id) < (a.decided_at, a.id)
)""")  # noqa: S608
_KEEP_COUNTS = insert(let_go_indicators)
_ADD_COUNTS = _KEEP_COUNTS.on_conflict_do_update(
    index_elements=["programme_id", "month", "code"],
    set_={
        name: let_go_indicators.c[name] + _KEEP_COUNTS.excluded[name] for name in ("participants", "unknown")
    },
)
_KEPT_COUNTS = text("""SELECT code, sum(participants) AS participants, sum(unknown) AS unknown
FROM let_go_indicators WHERE month >= CAST(:start AS timestamptz) AT TIME ZONE 'UTC'
  AND month < CAST(:end AS timestamptz) AT TIME ZONE 'UTC'
  AND (CAST(:programme AS text) = '' OR programme_id = :programme) GROUP BY code""")
_STANDING = text("""SELECT p.funded, p.available, v.spent, v.reserved, v.open
FROM (SELECT coalesce(sum(funded_cents), 0) AS funded, coalesce(sum(available_cents), 0) AS available
  FROM pots WHERE budget_id = :budget) AS p,
(SELECT coalesce(sum(v.spent_cents), 0) AS spent, coalesce(sum(v.reserved_cents), 0) AS reserved,
  coalesce(sum(v.available_cents) FILTER (WHERE v.state <= 3), 0) AS open
  FROM vouchers v JOIN pots ON pots.id = v.pot_id WHERE pots.budget_id = :budget) AS v""")
_GRANTED = text("""SELECT coalesce(sum(value_cents - returned_cents), 0) AS cents FROM vouchers
WHERE programme_id = :programme AND created_at >= :start AND created_at < :end""")
_PARTICIPANTS = text(f"""SELECT programme, region, count(*) AS people FROM (
  SELECT DISTINCT ON (v.learner) 'programmes/' || v.programme_id AS programme,
    left(coalesce(s.nuts_code, ''), 4) AS region
  FROM vouchers v JOIN applications a ON a.id = v.application_id LEFT JOIN sessions s ON s.name = a.session
  WHERE v.created_at >= :start AND v.created_at < :end AND v.{REAL} ORDER BY v.learner, v.created_at, v.id
) AS participants GROUP BY programme, region""")  # noqa: S608


def month(tx: Transaction, start: datetime, end: datetime, programme_id: str) -> dict[str, list[Row[Any]]]:
    """Returns the counts between two moments by programme; an empty programme means every one."""
    values = {"start": start, "end": end, "programme": programme_id}
    return {name: list(tx.execute(statement, values)) for name, statement in _STATEMENTS.items()}


def breakdown(
    tx: Transaction, dimension: Dimension, start: datetime, end: datetime, programme_id: str, length: int
) -> list[Row[Any]]:
    """Returns the counts between two moments by key and currency. `length`: characters of a region kept."""
    values = {"start": start, "end": end, "programme": programme_id}
    if dimension is Dimension.REGION:
        values["length"] = length
    return list(tx.execute(_BREAKDOWNS[dimension], values))


def indicators(tx: Transaction, start: datetime, end: datetime, programme_id: str) -> list[esf.Counted]:
    """Counts people who were granted a voucher, by what was known of them, and of where they were six months
    after their training.

    Of grants whose facts were let go of, months count that begin in the period, and somebody once in each
    programme and month.
    """
    values = {"start": start, "end": end, "programme": programme_id}
    counted = esf.count((_entrant(row), row.people) for row in tx.execute(_ENTRANTS, values))
    kept = {row.code: row for row in tx.execute(_KEPT_COUNTS, values)}
    return [
        replace(
            each,
            participants=each.participants + int(kept[each.code].participants),
            unknown=each.unknown + int(kept[each.code].unknown),
        )
        if each.code in kept
        else each
        for each in counted
    ]


def keep_counts(tx: Transaction, applications: Sequence[str]) -> None:
    """Adds to what `indicators` counts for good: applications whose facts are about to be let go of."""
    groups = defaultdict[tuple[str, date], list[esf.Entrant]](list)
    for row in tx.execute(_FIRST_GRANTS, {"applications": list(applications)}):
        groups[row.programme_id, row.month].append(_entrant(row))
    rows = [
        {
            "programme_id": programme,
            "month": first,
            "code": each.code,
            "participants": each.participants,
            "unknown": each.unknown,
        }
        for (programme, first), people in groups.items()
        for each in esf.count((person, 1) for person in people)
    ]
    if rows:
        tx.execute(_ADD_COUNTS, rows)


def _entrant(row: Row[Any]) -> esf.Entrant:
    return esf.Entrant(
        row.status, row.months, row.age, row.education, row.disability, row.third_country, row.at_work
    )


def standing(tx: Transaction, budget: str) -> Row[Any]:
    """Returns where the money of a budget is, in cents."""
    return tx.execute(_STANDING, {"budget": budget}).one()


def granted(tx: Transaction, programme_id: str, start: date, end: date) -> int:
    """Returns cents granted by a programme from `start` up to, not including, `end`, less what those vouchers
    gave back."""
    values = {"programme": programme_id, "start": start, "end": end}
    return int(tx.execute(_GRANTED, values).scalar_one())


def participants(tx: Transaction, start: datetime, end: datetime) -> list[Row[Any]]:
    """Returns how many people were granted a voucher, by programme and region of the first one."""
    return list(tx.execute(_PARTICIPANTS, {"start": start, "end": end}))
