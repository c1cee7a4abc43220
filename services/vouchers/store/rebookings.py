"""Statements of rebooking: whose provider was delisted or cancelled the session, like courses elsewhere,
offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.transaction import Transaction
from services.vouchers.domain.offers import Offer
from services.vouchers.store import sanctions
from services.vouchers.store.columns import REAL
from services.vouchers.store.offers import offer_of
from services.vouchers.store.quality_tables import rebookings

OFFERED, ACCEPTED, DECLINED, EXPIRED, NONE, ENDED = range(1, 7)
LOOKED_AT = 200  # like sessions, the soonest, of which an offer is made
_b = rebookings.c
_STRANDED = text(f"""SELECT r.id FROM sanctions n JOIN redemptions r ON r.organisation = n.organisation
WHERE n.kind = 4 AND n.state IN (2, 3, 4) AND r.state IN (1, 2, 3) AND r.{REAL}
  AND NOT EXISTS (SELECT 1 FROM rebookings b WHERE b.redemption_id = r.id AND b.state = 1)
ORDER BY r.id LIMIT :limit""")  # noqa: S608 - a condition of our own
# Without MATERIALIZED, or in an order, the planner walks through all redemptions.
_CANCELLED = text("""WITH gone AS MATERIALIZED (SELECT name FROM sessions WHERE release_from IS NOT NULL)
SELECT r.id FROM gone JOIN redemptions r ON r.session = gone.name WHERE r.state IN (1, 2) LIMIT :limit""")
# What was reserved while the cancellation was being told has been committed, or never will be.
_RELEASED = text("""UPDATE sessions SET release_from = NULL WHERE name IN (
  SELECT name FROM sessions s WHERE release_from < now() - interval '5 minutes'
    AND NOT EXISTS (SELECT 1 FROM redemptions r WHERE r.session = s.name AND r.state IN (1, 2))
  FOR NO KEY UPDATE SKIP LOCKED)""")
# The same occupation by URI and ISCO code, the same NUTS 2 region, open to enrol from today on, with a price.
_LIKE = f"""SELECT DISTINCT s.name AS session, s.start_date, s.end_date, s.price_cents,
  s.currency AS price_currency, s.nuts_code, c.name AS course, c.organisation, c.kind, c.eqf_level,
  c.occupations, c.isced_f, p.accredited, p.accredited_until, p.accreditations
FROM sessions gone JOIN courses was ON was.name = gone.course
CROSS JOIN LATERAL jsonb_array_elements(
  CASE jsonb_typeof(was.occupations) WHEN 'array' THEN was.occupations ELSE '[]' END) AS o (occupation)
JOIN courses c ON c.occupations @> jsonb_build_array(o.occupation)
JOIN organisations p ON p.name = c.organisation
JOIN sessions s ON s.course = c.name
WHERE gone.name = :session AND NOT c.removed AND c.organisation <> was.organisation
  AND s.listed AND s.start_date >= :today AND (s.apply_until IS NULL OR s.apply_until >= :today)
  AND s.price_cents > 0 AND s.currency = :currency
  AND left(s.nuts_code, 4) = left(gone.nuts_code, 4)
  AND p.accredited AND (p.accredited_until IS NULL OR p.accredited_until >= :today)
  AND NOT {sanctions.barred("c.organisation")}"""  # noqa: S608 - parts of our own
_SOONEST = text(f"{_LIKE} ORDER BY start_date, session LIMIT {LOOKED_AT}")
_REPLACES = text(f"""SELECT EXISTS (
  SELECT 1 FROM sessions s JOIN courses c ON c.name = s.course
  WHERE s.name = :session AND (s.cancelled OR EXISTS (SELECT 1 FROM sanctions n
    WHERE n.organisation = c.organisation AND n.kind = 4 AND n.state IN (2, 3, 4)))
) AND EXISTS (SELECT 1 FROM ({_LIKE}) AS found WHERE session = :wanted)""")  # noqa: S608 - parts of our own
_GRANTED_FOR = text("""SELECT a.session FROM vouchers v JOIN applications a ON a.id = v.application_id
WHERE v.id = :voucher""")
# Nothing of the voucher is booked or spent, nor was rebooked. A locked one is being booked right now; its
# turn comes with the next run.
_UNBOOKED = text(f"""WITH due AS (
  SELECT v.id, v.learner, v.programme_id, v.version_number, v.currency, v.expires_at,
    a.session, a.organisation
  FROM applications a JOIN vouchers v ON v.id = a.voucher_id
  WHERE a.organisation IN (SELECT organisation FROM sanctions WHERE kind = 4 AND state IN (2, 3, 4))
    AND v.state <= 3 AND v.available_cents > 0 AND v.reserved_cents = 0 AND v.spent_cents = 0
    AND v.expires_at > now() AND v.{REAL}
    AND NOT EXISTS (SELECT 1 FROM delisting_notices d WHERE d.voucher_id = v.id)
    AND NOT EXISTS (SELECT 1 FROM redemptions r JOIN rebookings b ON b.redemption_id = r.id
      WHERE r.learner = v.learner AND r.voucher_id = v.id)
  ORDER BY v.id LIMIT :limit FOR NO KEY UPDATE OF v SKIP LOCKED
), told AS (
  INSERT INTO delisting_notices (voucher_id) SELECT id FROM due ON CONFLICT DO NOTHING RETURNING voucher_id
) SELECT due.* FROM due JOIN told ON told.voucher_id = due.id""")  # noqa: S608 - a condition of our own
_DELISTED = """EXISTS (SELECT 1 FROM sanctions n
  WHERE n.organisation = r.organisation AND n.kind = 4 AND n.state IN (2, 3, 4))"""
_OVER = text(f"""SELECT b.redemption_id FROM rebookings b JOIN redemptions r ON r.id = b.redemption_id
WHERE b.state = 1 AND (b.expires_at <= now() OR NOT {_DELISTED})
ORDER BY b.expires_at LIMIT :limit""")  # noqa: S608 - a condition of our own
_STANDS = text(f"SELECT {_DELISTED} FROM (SELECT CAST(:organisation AS text) AS organisation) AS r")  # noqa: S608


def stranded(tx: Transaction, limit: int) -> list[str]:
    """Returns open redemptions of delisted providers whose learners were offered nothing yet."""
    return [str(row.id) for row in tx.execute(_STRANDED, {"limit": limit})]


def cancelled(tx: Transaction, limit: int) -> list[str]:
    """Returns redemptions that have not started, of sessions that were cancelled."""
    return [str(row.id) for row in tx.execute(_CANCELLED, {"limit": limit})]


def note_released(tx: Transaction) -> None:
    """Notes of which cancelled sessions nothing is left to release."""
    tx.execute(_RELEASED)


def over(tx: Transaction, limit: int) -> list[str]:
    """Returns redemptions whose offer has run out by the database's clock, or whose provider is delisted no
    longer."""
    return [str(row.redemption_id) for row in tx.execute(_OVER, {"limit": limit})]


def delisted(tx: Transaction, organisation: str) -> bool:
    """True while a delisting of a provider counts."""
    return bool(tx.execute(_STANDS, {"organisation": organisation}).scalar_one())


def take_unbooked(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Notes that the learners of vouchers that were granted for a session of a delisted provider are told, at
    most `limit`; returns these vouchers, with that session and its provider."""
    return tx.execute(_UNBOOKED, {"limit": limit}).all()


def like(tx: Transaction, session: str, currency: str, today: date) -> list[Offer]:
    """Returns sessions of other providers that can take the place of one, the soonest first."""
    values = {"session": session, "currency": currency, "today": today}
    return list(map(offer_of, tx.execute(_SOONEST, values)))


def replaces(tx: Transaction, voucher: str, wanted: str, currency: str, today: date) -> bool:
    """True when the session that a voucher was granted for was cancelled since, or its provider delisted, and
    `wanted` can take its place."""
    session = tx.execute(_GRANTED_FOR, {"voucher": voucher}).scalar()
    values = {"session": session, "wanted": wanted, "currency": currency, "today": today}
    return bool(tx.execute(_REPLACES, values).scalar_one())


def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts an offer, in place of one that a lifted delisting ended."""
    statement = insert(rebookings).values(created_at=tx.now, **values)
    anew = {name: statement.excluded[name] for name in ("created_at", *values) if name != "redemption_id"}
    tx.execute(statement.on_conflict_do_update(index_elements=["redemption_id"], set_=anew))


def get(tx: Transaction, redemption: str, *, locked: bool = False) -> Row[Any]:
    """Returns the offer for a redemption; raises Refusal(NOT_FOUND)."""
    statement = select(rebookings).where(_b.redemption_id == redemption)
    return tx.one(statement.with_for_update() if locked else statement)


def change(tx: Transaction, redemption: str, state: int, new_redemption: str | None = None) -> Row[Any]:
    """Writes how an offer ended; returns its row."""
    values = {"state": state, "new_redemption_id": new_redemption}
    statement = update(rebookings).where(_b.redemption_id == redemption).values(values)
    return tx.execute(statement.returning(rebookings)).one()
