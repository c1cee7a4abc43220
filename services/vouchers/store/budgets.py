"""Statements of budgets and their pots."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Exists, Row, Select, and_, any_, exists, func, insert, literal, or_, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.waiting import WaitingState
from services.vouchers.store.tables import budgets, pots
from services.vouchers.store.wallet_tables import waiting_list

_w = waiting_list.c


def for_period(tx: Transaction, programme_id: str, start: date, end: date) -> str:
    """Returns the id of the budget of exactly this period, made when there is none.

    Hold the programme's lock. Raises Refusal(BUDGET_PERIOD_OVERLAP) when another period touches it.
    """
    touching = select(budgets).where(
        budgets.c.programme_id == programme_id, budgets.c.start_date <= end, budgets.c.end_date >= start
    )
    found = tx.execute(touching).all()
    if any((row.start_date, row.end_date) != (start, end) for row in found):
        raise Refusal(reason_pb2.REASON_BUDGET_PERIOD_OVERLAP)
    if found:
        return str(found[0].id)
    values = {"id": new_id(), "programme_id": programme_id, "start_date": start, "end_date": end}
    tx.execute(insert(budgets), values)
    return values["id"]  # type: ignore[return-value]


def fund_pot(
    tx: Transaction, budget_id: str, code: str, source: str, groups: list[str], cents: int, name: str
) -> None:
    """Adds money to a pot, made when there is none. Hold the programme's lock.

    Raises Refusal(POT_CONFLICT) when it is there with another source or other groups.
    """
    place = and_(pots.c.budget_id == budget_id, pots.c.code == code)
    row = tx.execute(select(pots).where(place).with_for_update(key_share=True)).one_or_none()
    if row is None:
        values = {
            "id": new_id(),
            "budget_id": budget_id,
            "code": code,
            "funding_source_id": source,
            "target_groups": groups,
            "funded_cents": cents,
            "available_cents": cents,
            "name": name,
        }
        tx.execute(insert(pots), values)
        return
    if (row.funding_source_id, sorted(row.target_groups)) != (source, groups):
        raise Refusal(reason_pb2.REASON_POT_CONFLICT)
    added = {
        "funded_cents": pots.c.funded_cents + cents,
        "available_cents": pots.c.available_cents + cents,
    }
    tx.execute(update(pots).where(place).values(added))


def _waited_for(programme_id: str) -> Exists:
    """Whether somebody waits for money of a pot."""
    waits = and_(_w.programme_id == programme_id, _w.state == int(WaitingState.WAITING))
    for_them = or_(func.cardinality(pots.c.target_groups) == 0, _w.target_group == any_(pots.c.target_groups))
    return exists().where(waits, for_them)


def _fitting(programme_id: str, group: str, day: date, place: int | None) -> Select[Any]:
    """Pots for the group that nobody waits for whose place is before `place`; None: nobody at all."""
    wanted = _waited_for(programme_id)
    return (
        select(pots)
        .join(budgets, budgets.c.id == pots.c.budget_id)
        .where(
            budgets.c.programme_id == programme_id,
            budgets.c.start_date <= day,
            budgets.c.end_date >= day,
            or_(func.cardinality(pots.c.target_groups) == 0, literal(group) == any_(pots.c.target_groups)),
            ~(wanted if place is None else wanted.where(_w.place < place)),
        )
    )


def holds_enough(
    tx: Transaction, programme_id: str, group: str, day: date, cents: int, place: int | None = None
) -> bool:
    """True when some pot for the group holds that much now; takes no lock. `place`: of whoever waits; None
    comes behind all who do."""
    statement = _fitting(programme_id, group, day, place).where(pots.c.available_cents >= cents).limit(1)
    return tx.execute(statement).first() is not None


def lock_all(tx: Transaction, programme_id: str) -> dict[str, str]:
    """Locks every pot of a programme, in order of their ids, as `take` does; returns their names by id."""
    statement = (
        select(pots.c.id, pots.c.name)
        .join(budgets, budgets.c.id == pots.c.budget_id)
        .where(budgets.c.programme_id == programme_id)
        .order_by(pots.c.id)
    )
    rows = tx.execute(statement.with_for_update(of=pots, key_share=True))
    return {str(row.id): row.name for row in rows}


def last_day(tx: Transaction, pot_id: str) -> date:
    """Returns the last day of the budget period that a pot belongs to."""
    statement = select(budgets.c.end_date).join(pots, pots.c.budget_id == budgets.c.id)
    found: date = tx.execute(statement.where(pots.c.id == pot_id)).scalar_one()
    return found


def take(
    tx: Transaction,
    programme_id: str,
    group: str,
    day: date,
    cents: int,
    place: int | None = None,
    *,
    locked: bool = True,
) -> Row[Any]:
    """Takes `cents` from a pot for the group, ring-fenced ones first; returns the pot's row. `place` as
    above.

    The pots are locked in order of their ids, so that two callers never take the same cents or wait for each
    other in a ring. `locked=False` exists for the test that shows what the lock is for. Raises
    Refusal(BUDGET_EXHAUSTED).
    """
    statement = _fitting(programme_id, group, day, place).order_by(pots.c.id)
    if locked:
        statement = statement.with_for_update(of=pots, key_share=True)
    candidates = [row for row in tx.execute(statement) if row.available_cents >= cents]
    if not candidates:
        raise Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)
    pot = min(candidates, key=lambda row: (not row.target_groups, str(row.id)))
    left = pots.c.available_cents - cents
    tx.execute(update(pots).where(pots.c.id == pot.id).values(available_cents=left))
    return pot


def of_programme(programme_id: str) -> Select[Any]:
    """Returns the statement for a programme's budgets."""
    return select(budgets).where(budgets.c.programme_id == programme_id)


def get(tx: Transaction, budget_id: str, programme_id: str) -> Row[Any]:
    """Returns a budget's row; raises Refusal(NOT_FOUND)."""
    return tx.one(of_programme(programme_id).where(budgets.c.id == budget_id))


def pots_of(tx: Transaction, budget_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Returns the pots of some budgets, by code."""
    statement = select(pots).where(pots.c.budget_id.in_(list(budget_ids))).order_by(func.lower(pots.c.code))
    found: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(statement):
        found.setdefault(str(row.budget_id), []).append(row)
    return found


def open_pots(tx: Transaction, programme_id: str, day: date, *, locked: bool) -> list[Row[Any]]:
    """Returns the pots whose budget holds on `day` (its `end_date` with them) and that nobody waits for,
    ring-fenced ones first, then by id; locked in order of their ids where asked."""
    statement = (
        select(pots, budgets.c.end_date)
        .join(budgets, budgets.c.id == pots.c.budget_id)
        .where(
            budgets.c.programme_id == programme_id,
            budgets.c.start_date <= day,
            budgets.c.end_date >= day,
            ~_waited_for(programme_id),
        )
        .order_by(pots.c.id)
    )
    if locked:
        statement = statement.with_for_update(of=pots, key_share=True)
    found = tx.execute(statement).all()
    return sorted(found, key=lambda row: (not row.target_groups, str(row.id)))


def take_from(tx: Transaction, pot_id: str, cents: int) -> None:
    """Takes `cents` from a locked pot; the table's check holds that it has them."""
    left = pots.c.available_cents - cents
    tx.execute(update(pots).where(pots.c.id == pot_id).values(available_cents=left))
