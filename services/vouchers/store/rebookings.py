"""Statements of rebooking: whose provider was delisted, like courses elsewhere, offers."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.store import sanctions
from services.vouchers.store.columns import REAL
from services.vouchers.store.quality_tables import rebookings

OFFERED, ACCEPTED, DECLINED, EXPIRED, NONE, ENDED = range(1, 7)
MOST = 5  # sessions of an offer
_b = rebookings.c
_STRANDED = text(f"""SELECT r.id FROM sanctions n JOIN redemptions r ON r.organisation = n.organisation
WHERE n.kind = 4 AND n.state IN (2, 3, 4) AND r.state IN (1, 2, 3) AND r.{REAL}
  AND NOT EXISTS (SELECT 1 FROM rebookings b WHERE b.redemption_id = r.id)
ORDER BY r.id LIMIT :limit""")  # noqa: S608 - a condition of our own
# The same occupation by URI and ISCO code, the same NUTS 2 region, from today on, with a price.
_LIKE = f"""SELECT DISTINCT s.name, s.start_date FROM sessions gone JOIN courses was ON was.name = gone.course
CROSS JOIN LATERAL jsonb_array_elements(
  CASE jsonb_typeof(was.occupations) WHEN 'array' THEN was.occupations ELSE '[]' END) AS o (occupation)
JOIN courses c ON c.occupations @> jsonb_build_array(o.occupation)
JOIN organisations p ON p.name = c.organisation
JOIN sessions s ON s.course = c.name
WHERE gone.name = :session AND NOT c.removed AND c.organisation <> was.organisation
  AND s.listed AND s.start_date >= :today AND s.price_cents > 0 AND s.currency = :currency
  AND left(s.nuts_code, 4) = left(gone.nuts_code, 4)
  AND p.accredited AND (p.accredited_until IS NULL OR p.accredited_until >= :today)
  AND NOT {sanctions.barred("c.organisation")}"""  # noqa: S608 - parts of our own
_SOONEST = text(f"SELECT name FROM ({_LIKE}) AS found ORDER BY start_date, name LIMIT {MOST}")  # noqa: S608
_REPLACES = text(f"""SELECT EXISTS (
  SELECT 1 FROM sessions s JOIN courses c ON c.name = s.course
  JOIN sanctions n ON n.organisation = c.organisation
  WHERE s.name = :session AND n.kind = 4 AND n.state IN (2, 3, 4)
) AND EXISTS (SELECT 1 FROM ({_LIKE}) AS found WHERE name = :wanted)""")  # noqa: S608 - parts of our own
_GRANTED_FOR = text("""SELECT a.session FROM vouchers v JOIN applications a ON a.id = v.application_id
WHERE v.id = :voucher""")
_OVERDUE = text("""SELECT redemption_id FROM rebookings WHERE state = 1 AND expires_at <= now()
ORDER BY expires_at LIMIT :limit""")


def stranded(tx: Transaction, limit: int) -> list[str]:
    """Returns open redemptions of delisted providers whose learners were offered nothing yet."""
    return [str(row.id) for row in tx.execute(_STRANDED, {"limit": limit})]


def overdue(tx: Transaction, limit: int) -> list[str]:
    """Returns redemptions whose offer has run out by the database's clock."""
    return [str(row.redemption_id) for row in tx.execute(_OVERDUE, {"limit": limit})]


def like(tx: Transaction, session: str, currency: str, today: date) -> list[str]:
    """Returns sessions of other providers that can take the place of one, the soonest first."""
    values = {"session": session, "currency": currency, "today": today}
    return [row.name for row in tx.execute(_SOONEST, values)]


def replaces(tx: Transaction, voucher: str, wanted: str, currency: str, today: date) -> bool:
    """True when the provider of the session that a voucher was granted for has been delisted since, and
    `wanted` can take its place."""
    session = tx.execute(_GRANTED_FOR, {"voucher": voucher}).scalar()
    values = {"session": session, "wanted": wanted, "currency": currency, "today": today}
    return bool(tx.execute(_REPLACES, values).scalar_one())


def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts an offer."""
    tx.execute(insert(rebookings).values(values))


def get(tx: Transaction, redemption: str, *, locked: bool = False) -> Row[Any]:
    """Returns the offer for a redemption; raises Refusal(NOT_FOUND)."""
    statement = select(rebookings).where(_b.redemption_id == redemption)
    return tx.one(statement.with_for_update() if locked else statement)


def change(tx: Transaction, redemption: str, state: int, new_redemption: str | None = None) -> Row[Any]:
    """Writes how an offer ended; returns its row."""
    values = {"state": state, "new_redemption_id": new_redemption}
    statement = update(rebookings).where(_b.redemption_id == redemption).values(values)
    return tx.execute(statement.returning(rebookings)).one()
