"""Statements of budgets and their pots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Exists,
    Integer,
    Row,
    Select,
    SmallInteger,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call, Named, compiled, named
from services.platform.errors import Refusal
from services.vouchers.domain.ledger import Kind
from services.vouchers.domain.waiting import WaitingState
from services.vouchers.store.tables import budgets, pots, programmes
from services.vouchers.store.wallet_tables import waiting_list

_w = waiting_list.c


def pot_balance(tx: Transaction, name: str) -> list[tuple[Kind, str, int]]:
    """Returns what is available in the pot of this name as (kind, currency, cents) of its one account; empty
    when there is none. A pot that was never funded is none either."""
    programme, _, rest = name.removeprefix("programmes/").partition("/budgets/")
    _, found, code = rest.partition("/pots/")
    if not found:
        return []
    statement = (
        select(programmes.c.currency, pots.c.available_cents)
        .join(budgets, budgets.c.programme_id == programmes.c.id)
        .join(pots, pots.c.budget_id == budgets.c.id)
        .where(programmes.c.id == programme, pots.c.code == code, pots.c.name == name)
    )
    return [
        (Kind.PROGRAMME_AVAILABLE, row.currency, int(row.available_cents)) for row in tx.execute(statement)
    ]


def for_period(tx: Transaction, programme_id: str, start: date, end: date) -> str:
    """Returns the id of the budget of exactly this period, made when there is none; one that touches it and
    whose money was all returned takes its period.

    Hold the programme's lock. Raises Refusal(BUDGET_PERIOD_OVERLAP) when another period touches it.
    """
    touching = select(budgets).where(
        budgets.c.programme_id == programme_id, budgets.c.start_date <= end, budgets.c.end_date >= start
    )
    found = tx.execute(touching).all()
    if len(found) == 1 and _is_empty(tx, found[0].id):
        period = {"start_date": start, "end_date": end}
        tx.execute(update(budgets).where(budgets.c.id == found[0].id).values(period))
        return str(found[0].id)
    if any((row.start_date, row.end_date) != (start, end) for row in found):
        raise Refusal(reason_pb2.REASON_BUDGET_PERIOD_OVERLAP)
    if found:
        return str(found[0].id)
    values = {"id": new_id(), "programme_id": programme_id, "start_date": start, "end_date": end}
    tx.execute(insert(budgets), values)
    return values["id"]  # type: ignore[return-value]


def _is_empty(tx: Transaction, budget_id: str) -> bool:
    """True when no pot of a budget has money, granted or not."""
    funded = select(pots.c.id).where(pots.c.budget_id == budget_id, pots.c.funded_cents > 0)
    return tx.execute(funded.limit(1)).first() is None


def fund_pot(
    tx: Transaction, budget_id: str, code: str, source: str, groups: list[str], cents: int, name: str
) -> None:
    """Adds money to a pot, made when there is none. Hold the programme's lock.

    Raises Refusal(POT_CONFLICT) when it is there with another source or other groups, unless all its money
    was returned.
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
    same = (row.funding_source_id, sorted(row.target_groups)) == (source, groups)
    if row.funded_cents and not same:
        raise Refusal(reason_pb2.REASON_POT_CONFLICT)
    added = {
        "funding_source_id": source,
        "target_groups": groups,
        "funded_cents": pots.c.funded_cents + cents,
        "available_cents": pots.c.available_cents + cents,
    }
    tx.execute(update(pots).where(place).values(added))


def _waited_for(programme_id: str | ColumnElement[str]) -> Exists:
    """Whether somebody waits for money of a pot."""
    waiting = literal_column(str(int(WaitingState.WAITING)), SmallInteger)
    for_them = or_(_for_all(), _w.target_group == any_(pots.c.target_groups))
    return exists().where(_w.programme_id == programme_id, _w.state == waiting, for_them)


def _for_all() -> ColumnElement[bool]:
    return func.cardinality(pots.c.target_groups) == literal_column("0", Integer)


# Statements that every application makes are built once: building costs more than running them.
@cache
def _fitting(*, placed: bool) -> Select[Any]:
    """Pots for `group` that nobody waits for whose place is before `place`; not `placed`: nobody at all."""
    programme, day = bindparam("programme", type_=Text), bindparam("day", type_=Date)
    wanted = _waited_for(programme)
    group = bindparam("group", type_=Text)
    return (
        select(pots)
        .join(budgets, budgets.c.id == pots.c.budget_id)
        .where(
            budgets.c.programme_id == programme,
            budgets.c.start_date <= day,
            budgets.c.end_date >= day,
            or_(_for_all(), group == any_(pots.c.target_groups)),
            ~(wanted.where(_w.place < bindparam("place", type_=BigInteger)) if placed else wanted),
        )
    )


@cache
def _enough(*, placed: bool) -> Select[Any]:
    return _fitting(placed=placed).where(pots.c.available_cents >= bindparam("cents")).limit(1)


@cache
def _candidates(*, placed: bool, locked: bool) -> Named:
    statement = _fitting(placed=placed).order_by(pots.c.id)
    if not locked:
        return compiled(f"pots_{placed}", statement)
    return compiled(f"pots_{placed}_locked", statement.with_for_update(of=pots, key_share=True))


# PostgreSQL lets who comes anew pass those who wait for a row; for a lock of this kind it does not.
_QUEUE = named("pot_queue", "SELECT pg_advisory_xact_lock(1886352500, hashtext(:programme))")


_TAKE = named("pot_take", "UPDATE pots SET available_cents = available_cents - :taken WHERE id = :pot")


def holds_enough(
    tx: Transaction, programme_id: str, group: str, day: date, cents: int, place: int | None = None
) -> bool:
    """True when some pot for the group holds that much now; takes no lock. `place`: of whoever waits; None
    comes behind all who do."""
    values = {"programme": programme_id, "group": group, "day": day, "place": place, "cents": cents}
    return tx.execute(_enough(placed=place is not None), values).first() is not None


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
    in_turn: bool = False,
    locked: bool = True,
) -> Row[Any]:
    """Takes `cents` from a pot for the group, ring-fenced ones first; returns the pot's row. `place` as
    above. `in_turn`: behind all who have asked before; for who holds no pot's lock, once in a transaction.

    The pots are locked in order of their ids, so that two callers never take the same cents or wait for each
    other in a ring. `locked=False` exists for the test that shows what the lock is for. Raises
    Refusal(BUDGET_EXHAUSTED).
    """
    statement = _candidates(placed=place is not None, locked=locked)
    wanted = statement(programme=programme_id, group=group, day=day, place=place)
    *_, found = tx.together(_QUEUE(programme=programme_id), wanted) if in_turn else tx.together(wanted)
    candidates = [row for row in found if row.available_cents >= cents]
    if not candidates:
        raise Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)
    pot: Row[Any] = min(candidates, key=lambda row: (not row.target_groups, str(row.id)))
    tx.at_commit(_TAKE(pot=pot.id, taken=cents))
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


def open_by_programme(tx: Transaction, day: date) -> dict[str, list[tuple[list[str], int]]]:
    """Returns the pots whose budget holds on `day` and that nobody waits for, by programme: the target groups
    of each and its cents."""
    columns = (budgets.c.programme_id, pots.c.target_groups, pots.c.available_cents)
    found: dict[str, list[tuple[list[str], int]]] = {}
    for row in tx.execute(_open(day, budgets.c.programme_id).with_only_columns(*columns)):
        found.setdefault(row.programme_id, []).append((row.target_groups, row.available_cents))
    return found


def _open(day: date, programme_id: str | ColumnElement[str]) -> Select[Any]:
    return (
        select(pots, budgets.c.end_date)
        .join(budgets, budgets.c.id == pots.c.budget_id)
        .where(budgets.c.start_date <= day, budgets.c.end_date >= day, ~_waited_for(programme_id))
    )


def open_pots(tx: Transaction, programme_id: str, day: date, *, locked: bool) -> list[Row[Any]]:
    """Returns the pots whose budget holds on `day` (its `end_date` with them) and that nobody waits for,
    ring-fenced ones first, then by id; locked in order of their ids where asked."""
    of_programme = budgets.c.programme_id == programme_id
    statement = _open(day, programme_id).where(of_programme).order_by(pots.c.id)
    if locked:
        statement = statement.with_for_update(of=pots, key_share=True)
    found = tx.execute(statement).all()
    return sorted(found, key=lambda row: (not row.target_groups, str(row.id)))


def taking(taken: Mapping[str, int]) -> Iterator[Call]:
    """Yields what takes cents from locked pots, by their ids; the table's check holds that they have them."""
    return (_TAKE(pot=pot, taken=cents) for pot, cents in taken.items() if cents)
