"""Statements of openings and their draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, insert, select, text, update

from services.platform.db.transaction import Transaction
from services.vouchers.domain.draw import DrawOutcome, OpeningState
from services.vouchers.store.wallet_tables import drawn_applications, openings

_o = openings.c
_d = drawn_applications.c
_RANK = text("""UPDATE drawn_applications d SET rank = n.rank
FROM unnest(CAST(:ids AS uuid[]), CAST(:ranks AS integer[])) AS n (id, rank)
WHERE d.application_id = n.id""")
_DUE = text("""SELECT programme_id, number FROM openings
WHERE state < 3 AND close_at <= now() ORDER BY close_at LIMIT :limit""")
_STANDING = (
    select(openings)
    .where(_o.programme_id == bindparam("programme"), _o.state < int(OpeningState.DONE))
    .with_for_update(read=True)
)


def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Inserts an opening."""
    tx.execute(insert(openings), values)


def get(tx: Transaction, programme_id: str, number: int, *, locked: bool = False) -> Row[Any]:
    """Returns an opening's row, `locked` against applicants and other draws; raises Refusal(NOT_FOUND)."""
    statement = select(openings).where(_o.programme_id == programme_id, _o.number == number)
    return tx.one(statement.with_for_update() if locked else statement)


def standing(tx: Transaction, programme_id: str) -> Row[Any] | None:
    """Returns the opening of a programme that is not done. Applicants share its lock, and the draw waits for
    them: who came in time is in it."""
    return tx.execute(_STANDING, {"programme": programme_id}).one_or_none()


def of_programme(programme_id: str) -> Select[Any]:
    """Returns the statement for a programme's openings."""
    return select(openings).where(_o.programme_id == programme_id)


def application_of(tx: Transaction, opening: Row[Any], learner: str) -> str:
    """Returns the id of what a learner has applied with in an opening; empty when nothing. Hold the learner's
    lock."""
    statement = _members(opening.programme_id, opening.number).where(_d.learner == learner)
    row = tx.execute(statement).one_or_none()
    return str(row.application_id) if row else ""


def collect(tx: Transaction, opening: Row[Any], application: Row[Any]) -> None:
    """Puts an application into the draw; the database refuses a second one of a person."""
    values = {
        "application_id": application.id,
        "programme_id": opening.programme_id,
        "number": opening.number,
        "learner": application.learner,
    }
    tx.execute(insert(drawn_applications), values)


def leave(tx: Transaction, application_id: str) -> None:
    """Takes an application out of a draw that has no order yet. Share the opening's lock."""
    tx.execute(delete(drawn_applications).where(_d.application_id == application_id))


def collected(tx: Transaction, opening: Row[Any]) -> list[str]:
    """Returns the ids of all applications in a locked opening."""
    statement = _members(opening.programme_id, opening.number).with_only_columns(_d.application_id)
    return [str(id_) for id_ in tx.execute(statement).scalars()]


def rank(tx: Transaction, ids: Sequence[str]) -> None:
    """Gives applications their places, from 1, in the order of `ids`."""
    tx.execute(_RANK, {"ids": list(ids), "ranks": list(range(1, len(ids) + 1))})


def change(tx: Transaction, opening: Row[Any], values: Mapping[str, Any]) -> None:
    """Writes a locked opening."""
    here = (_o.programme_id == opening.programme_id) & (_o.number == opening.number)
    tx.execute(update(openings).where(here).values(dict(values)))


def next_in_order(tx: Transaction, opening: Row[Any], limit: int) -> list[Row[Any]]:
    """Returns the next applications of a locked opening to be dealt with, in the order drawn."""
    statement = (
        _members(opening.programme_id, opening.number)
        .where(_d.rank > opening.done_count)
        .order_by(_d.rank)
        .limit(limit)
    )
    return list(tx.execute(statement))


def dealt(tx: Transaction, application_id: str, outcome: DrawOutcome) -> None:
    """Keeps what came of an application."""
    statement = update(drawn_applications).where(_d.application_id == application_id)
    tx.execute(statement.values(outcome=int(outcome)))


def order_of(programme_id: str, number: int) -> Select[Any]:
    """Returns the statement for the applications of a draw that have a place."""
    return _members(programme_id, number).where(_d.rank.is_not(None))


def due(tx: Transaction, limit: int) -> list[tuple[str, int]]:
    """Returns openings past their window, by the database's clock, that are not done."""
    return [(row.programme_id, row.number) for row in tx.execute(_DUE, {"limit": limit})]


def _members(programme_id: str, number: int) -> Select[Any]:
    return select(drawn_applications).where(_d.programme_id == programme_id, _d.number == number)
