"""Counts by programme, region, occupation and time. Moments are UTC, ends excluded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert

from services.platform.days import day_of
from services.platform.db.transaction import Transaction
from services.vouchers.domain import esf
from services.vouchers.domain.esf import Entrant
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
# What was known of whom `grants` name, and what came of each grant, in the columns of `Entrant`.
_KNOWN = ", ".join(Entrant._fields)
_OF_GRANTS = """, trainings AS (
  SELECT r.id, r.voucher_id, r.accepted_at
  FROM grants g JOIN redemptions r ON r.learner = g.learner AND r.voucher_id = g.voucher_id
), later AS (
  SELECT DISTINCT ON (t.voucher_id) t.voucher_id, o.status IN (1, 2) AS at_work_later, o.improved
  FROM trainings t JOIN outcomes o ON o.redemption_id = t.id
  WHERE o.observed_on >= CAST(t.accepted_at + interval '6 months' AS date)
  ORDER BY t.voucher_id, t.accepted_at DESC
), leaving AS (
  SELECT DISTINCT ON (t.voucher_id) t.voucher_id, l.status AS left_as, l.in_education AS left_to_learn,
    bool_or(l.qualified) OVER (PARTITION BY t.voucher_id) AS qualified
  FROM trainings t JOIN leavings l ON l.redemption_id = t.id ORDER BY t.voucher_id, l.left_on DESC
), facts AS (
  SELECT *, (SELECT jsonb_object_agg(each ->> 'key', each -> 'value') FROM jsonb_array_elements(
      CASE jsonb_typeof(facts) WHEN 'array' THEN facts ELSE '[]' END) AS each) AS told
  FROM grants OFFSET 0 -- read once, and not again for each fact
), known AS (
  SELECT *, (told ->> 'unemployed_since')::date AS since, told ->> 'employment_status' AS status,
    extract(year FROM decided_on)::int - (told ->> 'birth_year')::int AS age,
    (told ->> 'education_level')::int AS education, (told ->> 'in_education')::boolean AS learning,
    (told ->> 'has_disability')::boolean AS disability,
    (told ->> 'third_country_national')::boolean AS third_country,
    told ->> 'foreign_background' AS foreign_background, told ->> 'minority' AS minority,
    told ->> 'housing_exclusion' AS housing, (told ->> 'degree_of_urbanisation')::int AS urbanisation,
    told ->> 'gender' AS gender
  FROM facts
), entrants AS (
  SELECT *, CASE WHEN since <= decided_on THEN least(12, (extract(year FROM age(decided_on, since)) * 12
    + extract(month FROM age(decided_on, since)))::int) END AS months
  FROM known LEFT JOIN later USING (voucher_id) LEFT JOIN leaving USING (voucher_id)
)"""
# Each person once: as known when first granted something in the period.
_ENTRANTS = text(f"""WITH grants AS (
  SELECT DISTINCT ON (learner) learner, voucher_id, decided_on, facts, facts_let_go_at FROM applications
  WHERE state = 2 AND decided_at >= :start AND decided_at < :end AND {REAL}
    AND (CAST(:programme AS text) = '' OR programme_id = :programme)
  ORDER BY learner, decided_at
){_OF_GRANTS} SELECT {_KNOWN}, count(*) AS people FROM entrants WHERE facts_let_go_at IS NULL
GROUP BY {_KNOWN}""")  # noqa: S608
_MONTH = "CAST(date_trunc('month', {}.decided_at) AS date)"
_FIRST_GRANTS = text(f"""WITH grants AS (
  SELECT a.programme_id, {_MONTH.format("a")} AS month, a.learner, a.voucher_id, a.decided_on, a.facts
  FROM applications a WHERE a.id = ANY (:applications) AND a.state = 2 AND a.{REAL} AND NOT EXISTS (
    SELECT FROM applications b WHERE b.learner = a.learner AND b.programme_id = a.programme_id AND b.state = 2
      AND {_MONTH.format("b")} = {_MONTH.format("a")} AND (b.decided_at, b.id) < (a.decided_at, a.id))
){_OF_GRANTS} SELECT programme_id, month, {_KNOWN} FROM entrants""")  # noqa: S608
_KEEP_COUNTS = insert(let_go_indicators)
_ADD_COUNTS = _KEEP_COUNTS.on_conflict_do_update(
    index_elements=["programme_id", "month", "code"],
    set_={name: let_go_indicators.c[name] + _KEEP_COUNTS.excluded[name] for name in esf.NUMBERS},
)
_SUMMED = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in esf.NUMBERS)
_KEPT_COUNTS = text(f"""SELECT code, {_SUMMED}
FROM let_go_indicators WHERE month >= CAST(CAST(:start AS timestamptz) AS date)
  AND month < CAST(CAST(:end AS timestamptz) AS date)
  AND (CAST(:programme AS text) = '' OR programme_id = :programme) GROUP BY code""")  # noqa: S608
_STANDING = text("""SELECT p.funded, p.available, v.spent, v.reserved, v.open
FROM (SELECT coalesce(sum(funded_cents), 0) AS funded, coalesce(sum(available_cents), 0) AS available
  FROM pots WHERE budget_id = :budget) AS p,
(SELECT coalesce(sum(v.spent_cents), 0) AS spent, coalesce(sum(v.reserved_cents), 0) AS reserved,
  coalesce(sum(v.available_cents) FILTER (WHERE v.state <= 3), 0) AS open
  FROM vouchers v JOIN pots ON pots.id = v.pot_id WHERE pots.budget_id = :budget) AS v""")
_GRANTED = text("""SELECT coalesce(sum(value_cents - returned_cents), 0) AS cents FROM vouchers
WHERE programme_id = :programme AND created_at >= :start AND created_at < :end""")
_FIRST_GRANT = text("SELECT min(created_at) FROM vouchers WHERE programme_id = :programme")
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
    """Counts people who were granted a voucher, by what was known of them and by what came of their training;
    nothing is withheld yet.

    Of grants whose facts were let go of, months count that begin in the period, and somebody once in each
    programme and month.
    """
    values = {"start": start, "end": end, "programme": programme_id}
    counted = esf.count((Entrant(*row[:-1]), row.people) for row in tx.execute(_ENTRANTS, values))
    kept = {row.code: row._asdict() for row in tx.execute(_KEPT_COUNTS, values)}
    return [each.plus(kept[each.code]) if each.code in kept else each for each in counted]


def keep_counts(tx: Transaction, applications: Sequence[str]) -> None:
    """Adds to what `indicators` counts for good: applications whose facts are about to be let go of."""
    groups = defaultdict[tuple[str, date], list[Entrant]](list)
    for row in tx.execute(_FIRST_GRANTS, {"applications": list(applications)}):
        groups[row.programme_id, row.month].append(Entrant(*row[2:]))
    rows = [
        {
            "programme_id": programme,
            "month": first,
            "code": each.code,
            **{name: getattr(each, name) for name in esf.NUMBERS},
        }
        for (programme, first), people in groups.items()
        for each in esf.count((person, 1) for person in people)
    ]
    if rows:
        tx.execute(_ADD_COUNTS, rows)


def standing(tx: Transaction, budget: str) -> Row[Any]:
    """Returns where the money of a budget is, in cents."""
    return tx.execute(_STANDING, {"budget": budget}).one()


def granted(tx: Transaction, programme_id: str, start: date, end: date) -> int:
    """Returns cents granted by a programme from `start` up to, not including, `end`, less what those vouchers
    gave back."""
    values = {"programme": programme_id, "start": start, "end": end}
    return int(tx.execute(_GRANTED, values).scalar_one())


def first_grant(tx: Transaction, programme_id: str) -> date | None:
    """Returns the day on which a programme first granted a voucher; None when it never did."""
    first = tx.execute(_FIRST_GRANT, {"programme": programme_id}).scalar_one()
    return None if first is None else day_of(first)


def participants(tx: Transaction, start: datetime, end: datetime) -> list[Row[Any]]:
    """Returns how many people were granted a voucher, by programme and region of the first one."""
    return list(tx.execute(_PARTICIPANTS, {"start": start, "end": end}))
