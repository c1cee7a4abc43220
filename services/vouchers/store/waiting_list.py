"""Statements of waiting lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, text, update

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.vouchers.domain.waiting import OPEN, Entry, WaitingState
from services.vouchers.store.wallet_tables import waiting_list

_w = waiting_list.c
# Whose turn it is: the first of each group, where some pot for that group holds money.
_FIRST = text("""SELECT DISTINCT ON (w.programme_id, w.target_group) w.id, w.place
FROM waiting_list w
WHERE w.state = 1 AND EXISTS (
  SELECT 1 FROM budgets b JOIN pots p ON p.budget_id = b.id
  WHERE b.programme_id = w.programme_id AND b.start_date <= current_date AND b.end_date >= current_date
    AND p.available_cents > 0
    AND (cardinality(p.target_groups) = 0 OR w.target_group = ANY (p.target_groups))
)
ORDER BY w.programme_id, w.target_group, w.place""")
_DUE = text("""SELECT id FROM waiting_list WHERE state = 2 AND accept_until <= now()
ORDER BY accept_until LIMIT :limit""")


def entry_of(row: Row[Any]) -> Entry:
    """Returns what the domain needs of a row."""
    return Entry(WaitingState(row.state), row.held_cents, row.accept_until)


def add(tx: Transaction, application: Row[Any]) -> Row[Any]:
    """Puts an application at the end of its programme's list; returns the entry's row."""
    values = {
        "id": new_id(),
        "application_id": application.id,
        "learner": application.learner,
        "programme_id": application.programme_id,
        "target_group": application.target_group,
        "currency": application.currency,
        "created_at": tx.now,
    }
    return tx.execute(insert(waiting_list).values(values).returning(waiting_list)).one()


def standing(tx: Transaction, learner: str, programme_id: str) -> str:
    """Returns the name of the learner's entry that waits or is offered; empty when there is none. Hold the
    learner's lock."""
    return _standing(tx, _w.learner == learner, _w.programme_id == programme_id)


def standing_for(tx: Transaction, application: Row[Any]) -> str:
    """Returns the name of the entry by which an application waits or is offered; empty when there is none.
    Its learner is asked for too, because that is what an index has."""
    return _standing(tx, _w.learner == application.learner, _w.application_id == application.id)


def _standing(tx: Transaction, *which: ColumnElement[bool]) -> str:
    statement = select(_w.id).where(*which, _w.state.in_([int(each) for each in OPEN]))
    found = tx.execute(statement).scalar()
    return f"waitingListEntries/{found}" if found else ""


def get(tx: Transaction, entry_id: str) -> Row[Any]:
    """Returns an entry's row; raises Refusal(NOT_FOUND)."""
    return tx.one(select(waiting_list).where(_w.id == entry_id))


def lock(tx: Transaction, entry_id: str) -> Row[Any]:
    """Locks an entry; raises Refusal(NOT_FOUND)."""
    return tx.one(select(waiting_list).where(_w.id == entry_id).with_for_update(key_share=True))


def change(tx: Transaction, row: Row[Any], entry: Entry, **values: Any) -> Row[Any]:
    """Writes a locked entry; returns its new row. `values`: further columns."""
    ended = {} if entry.state in OPEN else {"ended_at": tx.now}
    changed = {
        "state": int(entry.state),
        "held_cents": entry.held,
        "accept_until": entry.accept_until,
        "version": _w.version + 1,
        **ended,
        **values,
    }
    statement = update(waiting_list).where(_w.id == row.id).values(changed).returning(waiting_list)
    return tx.execute(statement).one()


def position(tx: Transaction, row: Row[Any]) -> int:
    """Returns how many of the programme have their turn before an entry that waits, plus one."""
    before = select(func.count()).where(
        _w.programme_id == row.programme_id, _w.state == int(WaitingState.WAITING), _w.place < row.place
    )
    return int(tx.execute(before).scalar_one()) + 1


def listed(learner: str, programme_id: str, state: int) -> Select[Any]:
    """Returns the statement for entries; empty and zero mean any."""
    statement = select(waiting_list)
    if learner:
        statement = statement.where(_w.learner == learner)
    if programme_id:
        statement = statement.where(_w.programme_id == programme_id)
    if state:
        statement = statement.where(_w.state == state)
    return statement


def first_in_turn(tx: Transaction) -> list[str]:
    """Returns the entries whose turn it may be, one of each group of each programme that has money, in
    order."""
    rows = sorted(tx.execute(_FIRST), key=lambda row: row.place)
    return [str(row.id) for row in rows]


def due_to_lapse(tx: Transaction, limit: int) -> list[str]:
    """Returns offers past their limit by the database's clock."""
    return [str(row.id) for row in tx.execute(_DUE, {"limit": limit})]
