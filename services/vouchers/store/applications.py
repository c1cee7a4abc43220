"""Statements of applications and of what a learner was granted before."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, func, insert, select, update
from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.eligibility import History
from services.vouchers.domain.states import VoucherState
from services.vouchers.store.tables import applications, vouchers

GRANTED = 2
_a = applications.c


def history(
    tx: Transaction, learner: str, programme_id: str, session: str, since: date, recent: date
) -> History:
    """Returns what the learner was granted before: face value since `since`, grants since `recent`.

    A grant that was given back, expired or revoked unused still counts here, as the rules have it.
    """
    mine = (_a.learner == learner) & (_a.state == GRANTED)
    here = mine & (_a.programme_id == programme_id)
    statement = select(
        func.count().filter(here).label("grants"),
        func.coalesce(func.sum(_a.face_cents).filter(here & (_a.decided_on >= since)), 0).label("face"),
        func.coalesce(func.sum(_a.amount_cents).filter(here), 0).label("granted"),
        func.count().filter((_a.session == session) & (_a.programme_id != programme_id)).label("elsewhere"),
        func.count().filter(here & (_a.decided_on >= recent)).label("recent"),
        _unused(learner, programme_id).label("unused"),
    ).where(mine)
    row = tx.execute(statement).one()
    return History(row.grants, int(row.face), int(row.granted), row.elsewhere > 0, row.recent, row.unused)


def _unused(learner: str, programme_id: str) -> ScalarSelect[Any]:
    """Returns the count of vouchers of the programme that can still be spent."""
    v = vouchers.c
    open_ones = (v.learner == learner) & (v.programme_id == programme_id) & (v.state < VoucherState.EXHAUSTED)
    return select(func.count()).where(open_ones, v.expires_at > func.now()).scalar_subquery()


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts an application; raises Refusal(APPLICATION_OPEN) while another stands for this session."""
    if values["state"] != 3:
        refuse_second(tx, values["learner"], values["programme_id"], values["session"])
    return tx.execute(insert(applications).values(values).returning(applications)).one()


def refuse_second(tx: Transaction, learner: str, programme_id: str, session: str) -> None:
    """Raises Refusal(APPLICATION_OPEN) while an application of the learner stands for this session."""
    clash = select(_a.id).where(
        _a.learner == learner,
        _a.programme_id == programme_id,
        _a.session == session,
        _a.state.in_((1, GRANTED)),
    )
    before = tx.execute(clash).scalar()
    if before is not None:
        metadata = {"application": f"applications/{before}"}
        raise Refusal(reason_pb2.REASON_APPLICATION_OPEN, metadata=metadata)


def get(tx: Transaction, application_id: str, *, locked: bool = False) -> Row[Any]:
    """Returns an application's row; raises Refusal(NOT_FOUND)."""
    statement = select(applications).where(_a.id == application_id)
    if locked:
        statement = statement.with_for_update(key_share=True)
    return tx.one(statement)


def change(tx: Transaction, application_id: str, values: dict[str, Any]) -> Row[Any]:
    """Writes a decision; returns the new row."""
    statement = (
        update(applications)
        .where(_a.id == application_id)
        .values(**values, version=_a.version + 1)
        .returning(applications)
    )
    return tx.execute(statement).one()


def listed(learner: str, programme_id: str, state: int) -> Select[Any]:
    """Returns the statement for applications; empty and zero mean any."""
    statement = select(applications)
    if learner:
        statement = statement.where(_a.learner == learner)
    if programme_id:
        statement = statement.where(_a.programme_id == programme_id)
    if state:
        statement = statement.where(_a.state == state)
    return statement
