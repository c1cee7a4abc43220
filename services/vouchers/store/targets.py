"""Statements of targets: what they measure, reviews, reminders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, insert, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.suppression import SMALLEST
from services.vouchers.domain.targets import Measure
from services.vouchers.store.columns import REAL
from services.vouchers.store.target_tables import target_reviews, target_values, targets

_IN = ">= asked.start AND {0} < asked.after"
_PROGRAMME = "(asked.programme = '' OR programme_id = asked.programme)"
# What is measured of a row `asked`: programme, first day, and the day after the last.
_MEASURES = {
    Measure.VOUCHERS_ISSUED: f"""SELECT count(*) FROM vouchers
WHERE created_at {_IN.format("created_at")} AND {_PROGRAMME} AND {REAL}""",  # noqa: S608 - texts of our own
    Measure.VOUCHERS_REDEEMED: f"""SELECT count(*) FROM redemptions
WHERE accepted_at {_IN.format("accepted_at")} AND no_show_at IS NULL AND part_of IS NULL
  AND {_PROGRAMME} AND {REAL}""",  # noqa: S608
    Measure.PAID_CENTS: f"""SELECT coalesce(sum(cents), 0) FROM payment_shares
WHERE movement IN (1, 2) AND created_at {_IN.format("created_at")} AND {_PROGRAMME}""",  # noqa: S608
    Measure.PLACED_BASIS_POINTS: f"""SELECT CASE WHEN count(*) >= {SMALLEST}
  THEN count(r.participant_id) * 10000 / count(*) END
FROM outcome_participants p LEFT JOIN outcome_reports r ON r.participant_id = p.id AND r.outcome = 2
  AND r.state = 2 AND r.decided_at < asked.after
WHERE p.created_at < asked.after""",  # noqa: S608
    Measure.SERVICE_POINTS: """SELECT count(*) FROM organisations o
WHERE o.accredited AND (o.accredited_until IS NULL OR o.accredited_until >= current_date)
  AND EXISTS (SELECT 1 FROM courses c JOIN sessions s ON s.course = c.name
    WHERE c.organisation = o.name AND NOT c.removed AND s.listed)""",
}
_MEASURED = {
    measure: text(f"""SELECT ({measured}) FROM unnest(CAST(:programmes AS text[]), CAST(:starts AS date[]),
  CAST(:afters AS date[])) WITH ORDINALITY AS asked (programme, start, after, place) ORDER BY asked.place""")  # noqa: S608
    for measure, measured in _MEASURES.items()
}
_REMIND = text("""UPDATE targets SET reminded_at = now()
WHERE reminded_at IS NULL AND reviewed_at <= now() - interval '11 months' AND due_date >= current_date
RETURNING id, reviewed_at""")
_NOTE = text("""INSERT INTO target_values (target_id, month, value)
SELECT id, date_trunc('month', now()), :value FROM targets
WHERE measure = 5 AND start_date <= current_date AND due_date >= current_date
ON CONFLICT (target_id, month) DO UPDATE SET value = excluded.value""")


class Asked(NamedTuple):
    """What is to be measured: of which programme (empty: all), from which day to which."""

    programme: str
    start: date
    last: date


def measured(tx: Transaction, measure: Measure, asked: Sequence[Asked]) -> list[int | None]:
    """Returns what is measured for each; None where it is not told. Service points are those of now, whatever
    the days."""
    values = {
        "programmes": [each.programme for each in asked],
        "starts": [each.start for each in asked],
        "afters": [each.last + timedelta(days=1) for each in asked],
    }
    found = tx.execute(_MEASURED[measure], values).scalars()
    return [None if value is None else int(value) for value in found]


def add(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a target; returns its row."""
    return tx.execute(insert(targets).values(values).returning(targets)).one()


def get(tx: Transaction, target: str, *, locked: bool = False) -> Row[Any]:
    """Returns a target's row; raises Refusal(NOT_FOUND)."""
    statement = select(targets).where(targets.c.id == target)
    return tx.one(statement.with_for_update(key_share=True) if locked else statement)


def review(tx: Transaction, values: Mapping[str, Any]) -> Row[Any]:
    """Inserts a review of a locked target and starts its year anew; returns the review's row."""
    row = tx.execute(insert(target_reviews).values(values).returning(target_reviews)).one()
    changed = {"value": row.value, "reviewed_at": tx.now, "reminded_at": None}
    changed |= {"version": targets.c.version + 1}
    tx.execute(update(targets).where(targets.c.id == row.target_id).values(changed))
    return row


def reviews_of(target: str) -> Select[Any]:
    """Returns the statement for a target's reviews."""
    return select(target_reviews).where(target_reviews.c.target_id == target)


def remind(tx: Transaction) -> Iterable[Row[Any]]:
    """Marks targets that are to be reviewed within a month as told; returns those that were not before."""
    return tx.execute(_REMIND).all()


def note_service_points(tx: Transaction) -> None:
    """Notes how many service points there are this month for the targets that measure them."""
    today = tx.today
    (value,) = measured(tx, Measure.SERVICE_POINTS, [Asked("", today, today)])
    tx.execute(_NOTE, {"value": value})


def noted(tx: Transaction, target: str) -> dict[date, int]:
    """Returns what was noted of a target, by the first of the month."""
    rows = tx.execute(select(target_values).where(target_values.c.target_id == target))
    return {row.month: row.value for row in rows}
