"""Statements of monitoring: rule versions, what was accepted and not looked at, what it is compared with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.store.columns import REAL
from services.vouchers.store.quality_tables import monitoring_rules

DRAFT, ACTIVE, SUPERSEDED = 1, 2, 3
_m = monitoring_rules.c
# What was accepted of a training so far, to be compared with what whole trainings cost.
_SO_FAR = """r.accepted_cents + CASE WHEN r.instalment > 0 THEN coalesce((
    SELECT sum(p.accepted_cents) FROM redemptions p WHERE p.part_of = coalesce(r.part_of, r.id)
      AND (r.part_of IS NULL OR p.instalment < r.instalment)), 0) ELSE 0 END"""
_UNCHECKED = text(f"""SELECT r.id, r.learner, r.programme_id, r.course, r.organisation, r.currency,
  CAST({_SO_FAR} AS bigint) AS accepted_cents, r.accepted_cents AS own_cents, r.accepted_at,
  r.started_at, r.delivered_at,
  coalesce(s.nuts_code, '') AS nuts_code
FROM redemptions r LEFT JOIN sessions s ON s.name = r.session
WHERE r.state = 5 AND r.checked_at IS NULL
ORDER BY r.id LIMIT :limit FOR NO KEY UPDATE OF r SKIP LOCKED""")  # noqa: S608 - parts of our own
# What the sandbox delivers and what pays for a no-show or an earlier instalment is looked at, but no training
# is compared with it, and nobody is asked about it.
_CHECKED = text(f"""WITH checked AS (
  UPDATE redemptions SET checked_at = now() WHERE id = ANY (CAST(:ids AS uuid[])) RETURNING *
)
INSERT INTO acceptances
  (redemption_id, organisation, course, currency, accepted_cents, delivered_on, accepted_at)
SELECT id, organisation, course, currency, {_SO_FAR}, delivered_at::date,
  coalesce(accepted_at, now()) FROM checked r WHERE no_show_at IS NULL AND part_of IS NULL AND {REAL}
ON CONFLICT (redemption_id) DO NOTHING""")  # noqa: S608 - parts of our own
_MEDIANS = text("""SELECT c.course, c.currency, m.cents, m.found
FROM unnest(CAST(:courses AS text[]), CAST(:currencies AS text[])) AS c (course, currency), LATERAL (
  SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY accepted_cents) AS cents, count(*) AS found FROM (
    SELECT accepted_cents FROM acceptances a WHERE a.course = c.course AND a.currency = c.currency
    ORDER BY redemption_id DESC LIMIT 200) AS last
) AS m WHERE m.found > 0""")
_ON_DAYS = text("""SELECT a.organisation, a.delivered_on, count(*) AS found
FROM acceptances a JOIN unnest(CAST(:organisations AS text[]), CAST(:days AS date[])) AS d (organisation, day)
  ON a.organisation = d.organisation AND a.delivered_on = d.day
GROUP BY a.organisation, a.delivered_on""")
# Compared inside the database: no account number leaves it.
_SHARING = text("""SELECT mine.organisation, array_agg(DISTINCT other.organisation) AS others
FROM bank_accounts mine JOIN bank_accounts other
  ON other.iban = mine.iban AND other.organisation <> mine.organisation AND other.state = 2
WHERE mine.state = 2 AND mine.organisation = ANY (:organisations) GROUP BY mine.organisation""")
# Who was paid before counts whatever became of it; an office of somebody who trains nobody says nothing.
_NEIGHBOURS = text("""SELECT mine.name AS organisation, array_agg(other.name ORDER BY other.name) AS others
FROM organisations mine JOIN organisations other
  ON other.addresses && mine.addresses AND other.name <> mine.name
WHERE mine.name = ANY (:organisations)
  AND (other.accredited OR EXISTS (SELECT 1 FROM acceptances a WHERE a.organisation = other.name))
GROUP BY mine.name""")
_FIRST = text("""SELECT o.organisation, f.accepted_at
FROM unnest(CAST(:organisations AS text[])) AS o (organisation), LATERAL (
  SELECT a.accepted_at FROM acceptances a WHERE a.organisation = o.organisation
  ORDER BY a.accepted_at LIMIT 1) AS f""")
_TAKEN = text(f"""SELECT organisation, currency, count(*) AS found,
  CAST(sum(accepted_cents) AS bigint) AS cents
FROM redemptions WHERE organisation = ANY (:organisations) AND checked_at IS NOT NULL AND {REAL}
GROUP BY organisation, currency""")  # noqa: S608 - a condition of our own
_RESIDENCES = text("""SELECT DISTINCT ON (learner) learner, value #>> '{}' AS nuts FROM learner_facts
WHERE key = 'residence_nuts' AND learner = ANY (:learners)
  AND (valid_until IS NULL OR valid_until >= CAST(:today AS date))
ORDER BY learner, source DESC""")


def lock_rule(tx: Transaction, code: str) -> None:
    """Waits until nobody else changes the rule, new or not, in an open transaction."""
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"rule {code}"})


def next_number(tx: Transaction, code: str) -> int:
    """Returns the number of the next version of a locked rule."""
    last = tx.execute(select(func.max(_m.number)).where(_m.code == code)).scalar()
    return int(last or 0) + 1


def add_version(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts a draft; returns its row."""
    return tx.execute(insert(monitoring_rules).values(values).returning(monitoring_rules)).one()


def get_version(tx: Transaction, code: str, number: int) -> Row[Any]:
    """Returns a version's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(monitoring_rules).where(_m.code == code, _m.number == number))


def activate(tx: Transaction, code: str, number: int) -> Row[Any]:
    """Puts a draft of a locked rule into force, in place of the one that is; returns its row. The database
    refuses whoever drafted it."""
    former = update(monitoring_rules).where(_m.code == code, _m.state == ACTIVE)
    tx.execute(former.values(state=SUPERSEDED))
    statement = update(monitoring_rules).where(_m.code == code, _m.number == number)
    values = {"state": ACTIVE, "activated_by": tx.principal.subject, "activated_at": tx.now}
    return tx.execute(statement.values(values).returning(monitoring_rules)).one()


def active_number(tx: Transaction, code: str) -> int:
    """Returns the number of the version in force; 0 when there is none."""
    return int(tx.execute(select(_m.number).where(_m.code == code, _m.state == ACTIVE)).scalar() or 0)


def active(tx: Transaction) -> Sequence[Row[Any]]:
    """Returns every version in force, by rule."""
    return tx.execute(select(monitoring_rules).where(_m.state == ACTIVE).order_by(_m.code)).all()


def versions(*, superseded: bool) -> Select[Any]:
    """Returns the statement for versions; `superseded`: those too."""
    statement = select(monitoring_rules)
    return statement if superseded else statement.where(_m.state != SUPERSEDED)


def unchecked(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Locks and returns accepted redemptions that no rule has looked at, with the session's region."""
    return tx.execute(_UNCHECKED, {"limit": limit}).all()


def mark_checked(tx: Transaction, ids: Sequence[str]) -> None:
    """Notes that the rules have looked at locked redemptions, and keeps what later ones are compared with."""
    tx.execute(_CHECKED, {"ids": list(ids)})


def medians(tx: Transaction, courses: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Returns median and count of the last 200 accepted amounts by course and currency."""
    pairs = sorted(courses)
    values = {"courses": [course for course, _ in pairs], "currencies": [currency for _, currency in pairs]}
    return {(row.course, row.currency): (row.cents, row.found) for row in tx.execute(_MEDIANS, values)}


def on_days(tx: Transaction, days: Collection[tuple[str, date]]) -> dict[tuple[str, date], int]:
    """Returns how many checked redemptions of a provider were delivered on a day."""
    pairs = sorted(days)
    values = {"organisations": [who for who, _ in pairs], "days": [day for _, day in pairs]}
    rows = tx.execute(_ON_DAYS, values)
    return {(row.organisation, row.delivered_on): row.found for row in rows}


def sharing(tx: Transaction, organisations: Collection[str]) -> dict[str, list[str]]:
    """Returns with which others providers share a confirmed bank account; with none is left out."""
    rows = tx.execute(_SHARING, {"organisations": sorted(organisations)})
    return {row.organisation: row.others for row in rows}


def neighbours(tx: Transaction, organisations: Collection[str]) -> dict[str, list[str]]:
    """Returns with which others, accredited or paid before, providers share an address; with none is left
    out."""
    rows = tx.execute(_NEIGHBOURS, {"organisations": sorted(organisations)})
    return {row.organisation: row.others for row in rows}


def first_accepted(tx: Transaction, organisations: Collection[str]) -> dict[str, datetime]:
    """Returns when the first training of a provider was accepted, of those that rules have looked at."""
    rows = tx.execute(_FIRST, {"organisations": sorted(organisations)})
    return {row.organisation: row.accepted_at for row in rows}


def taken(tx: Transaction, organisations: Collection[str]) -> Sequence[Row[Any]]:
    """Returns what was accepted of providers and looked at: organisation, currency, found, cents. The cost
    grows with all that they ever delivered, so this is for new ones."""
    return tx.execute(_TAKEN, {"organisations": sorted(organisations)}).all()


def residences(tx: Transaction, learners: Collection[str], today: date) -> dict[str, str]:
    """Returns the region of residence of learners as best known."""
    rows = tx.execute(_RESIDENCES, {"learners": sorted(learners), "today": today})
    return {row.learner: row.nuts for row in rows}
