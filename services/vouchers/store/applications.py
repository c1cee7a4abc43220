"""Statements of applications and of what a learner was granted before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Date,
    Row,
    ScalarSelect,
    Select,
    Text,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from waymark.errors.v1 import reason_pb2

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.domain.eligibility import History
from services.vouchers.domain.programme import Rules
from services.vouchers.domain.states import VoucherState
from services.vouchers.store import facts
from services.vouchers.store.columns import apart, one_of
from services.vouchers.store.desk_tables import earlier_decisions
from services.vouchers.store.tables import applications, programme_versions, redemptions, vouchers

GRANTED = 2
_NOTHING = History()
WAITING = (1, 5)
_a = applications.c
# Looks every learner up by the index on learners: OFFSET 0 hides the other conditions from the planner, which
# in a table that has just grown takes an index on one of them, and reads all of a programme for each person.
_GRANTED_FOR = text("""SELECT p.learner FROM unnest(CAST(:people AS text[])) AS p (learner)
CROSS JOIN LATERAL (
  SELECT programme_id, session, state FROM applications WHERE learner = p.learner OFFSET 0
) AS a WHERE a.programme_id = :programme AND a.session = :session AND a.state = 2""")


# The version that an application was granted by funds no session beside another programme.
_ALONE = exists(
    select(1).where(
        programme_versions.c.programme_id == _a.programme_id,
        programme_versions.c.number == _a.version_number,
        programme_versions.c.rules["amount_rule"]["no_double_funding"].as_boolean(),
    )
).correlate(applications)


# The voucher was given back or has expired, and nothing of it was ever accepted.
_OVER_UNUSED = exists(
    select(1).where(
        vouchers.c.id == _a.voucher_id,
        or_(
            vouchers.c.state.in_((VoucherState.EXPIRED, VoucherState.CANCELLED)),
            (vouchers.c.state < VoucherState.EXHAUSTED) & (vouchers.c.expires_at <= func.now()),
        ),
        vouchers.c.reserved_cents == 0,
        vouchers.c.spent_cents == 0,
        ~exists(
            select(1).where(
                redemptions.c.learner == vouchers.c.learner,
                redemptions.c.voucher_id == vouchers.c.id,
                redemptions.c.accepted_cents > 0,
            )
        ),
    )
).correlate(applications)


def _histories() -> Select[Any]:
    programme, session = bindparam("programme", type_=Text), bindparam("session", type_=Text)
    here = _a.programme_id == programme
    since, recent = bindparam("since", type_=Date), bindparam("recent", type_=Date)
    return (
        select(
            _a.learner,
            func.count().filter(here).label("grants"),
            func.coalesce(func.sum(_a.face_cents).filter(here & (_a.decided_on >= since)), 0).label("face"),
            func.coalesce(func.sum(_a.amount_cents).filter(here), 0).label("granted"),
            func.count().filter((_a.session == session) & ~here).label("elsewhere"),
            func.count().filter(here & (_a.decided_on >= recent)).label("recent"),
            _unused(_a.learner, programme).label("unused"),
            func.count().filter((_a.session == session) & ~here & _ALONE).label("alone"),
        )
        .where(_a.learner == any_(bindparam("people", type_=ARRAY(Text))), _a.state == GRANTED)
        .where(or_(~bindparam("restore", type_=Boolean), ~_OVER_UNUSED))
        .group_by(_a.learner)
    )


def _unused(learner: ColumnElement[str], programme: BindParameter[str]) -> ScalarSelect[Any]:
    """Returns the count of vouchers of the programme that can still be spent."""
    v = vouchers.c
    open_ones = (v.learner == learner) & (v.programme_id == programme) & (v.state < VoucherState.EXHAUSTED)
    return select(func.count()).where(open_ones, v.expires_at > func.now()).scalar_subquery()


# Statements that every application makes are built once: building costs more than running them.
_HISTORIES = _histories()
_ADD = insert(applications).returning(applications)
_CLASH = select(_a.id, ((_a.state == GRANTED) & _OVER_UNUSED).label("unused")).where(
    _a.learner == bindparam("learner"),
    _a.programme_id == bindparam("programme"),
    _a.session == bindparam("session"),
    _a.state.in_((*WAITING, GRANTED)),
    ~_a.superseded,
)


def history(tx: Transaction, learner: str, programme_id: str, session: str, rules: Rules) -> History:
    """Returns what the learner was granted before, as `rules` count it today."""
    return histories(tx, [learner], programme_id, session, rules)[learner]


def histories(
    tx: Transaction, people: Sequence[str], programme_id: str, session: str, rules: Rules
) -> dict[str, History]:
    """The same for some learners."""
    today = tx.today
    asked = {
        "people": list(people),
        "programme": programme_id,
        "session": session,
        "since": rules.period_start(today),
        "recent": rules.grants_since(today),
        "restore": rules.version.amount_rule.restore_unused,
    }
    found = {
        row.learner: History(
            row.grants,
            int(row.face),
            int(row.granted),
            row.elsewhere > 0,
            row.recent,
            row.unused,
            row.alone > 0,
        )
        for row in tx.execute(_HISTORIES, asked)
    }
    return {learner: found.get(learner, _NOTHING) for learner in people}


def last_versions(tx: Transaction, people: Sequence[str], programme_id: str) -> dict[str, int]:
    """Returns, by learner, the number of the version by which they were last granted something of the
    programme; who was granted nothing is left out."""
    granted = (_a.programme_id == programme_id) & (_a.state == GRANTED)
    statement = select(_a.learner, _a.version_number).where(_a.learner == one_of(people), granted)
    return {row.learner: row.version_number for row in tx.execute(statement.order_by(_a.decided_at, _a.id))}


def granted_for(tx: Transaction, people: Sequence[str], programme_id: str, session: str) -> set[str]:
    """Returns those of some learners who have a grant of the programme for a session or allocation."""
    values = {"people": list(people), "programme": programme_id, "session": session}
    return set(tx.execute(_GRANTED_FOR, values).scalars())


def add(tx: Transaction, values: dict[str, Any]) -> Row[Any]:
    """Inserts an application; raises Refusal(APPLICATION_OPEN) while another stands for this session."""
    if values["state"] != 3:
        need_none_open(tx, values["learner"], values["programme_id"], values["session"])
    row = {"id": new_id(), **values}
    return tx.execute(_ADD, row).one()


def need_none_open(tx: Transaction, learner: str, programme_id: str, session: str) -> None:
    """Raises Refusal(APPLICATION_OPEN) while an application for this session waits or is granted; one whose
    voucher ended unused is marked as superseded instead: what it counts for still is the rules' to say."""
    wanted = {"learner": learner, "programme": programme_id, "session": session}
    for before in tx.execute(_CLASH, wanted).all():
        if not before.unused:
            metadata = {"application": f"applications/{before.id}"}
            raise Refusal(reason_pb2.REASON_APPLICATION_OPEN, metadata=metadata)
        tx.execute(update(applications).where(_a.id == before.id).values(superseded=True))


def get(tx: Transaction, application_id: str, *, locked: bool = False) -> Row[Any]:
    """Returns an application's row; raises Refusal(NOT_FOUND)."""
    statement = select(applications).where(_a.id == application_id)
    if locked:
        statement = statement.with_for_update(key_share=True)
    return tx.one(statement)


def lock(tx: Transaction, application_id: str) -> Row[Any]:
    """Locks an application after its learner, as everybody does; returns its row. Raises
    Refusal(NOT_FOUND)."""
    facts.lock_learner(tx, get(tx, application_id).learner)
    return get(tx, application_id, locked=True)


def change(tx: Transaction, application_id: str, values: dict[str, Any]) -> Row[Any]:
    """Writes a decision; returns the new row."""
    statement = (
        update(applications)
        .where(_a.id == application_id)
        .values(**values, version=_a.version + 1)
        .returning(applications)
    )
    return tx.execute(statement).one()


def keep_earlier(tx: Transaction, application_id: str) -> None:
    """Keeps the decision as it stands, without what people wrote, before an appeal replaces it."""
    notes = array(["sealed_note", "sealed_grounds", "sealed_appeal_note"])
    row = func.to_jsonb(literal_column("applications"))
    kept = select(_a.id, row.op("-")(notes)).where(_a.id == application_id)
    tx.execute(insert(earlier_decisions).from_select(["application_id", "decision"], kept))


def earlier(tx: Transaction, application_id: str) -> dict[str, Any] | None:
    """Returns the decision that an appeal has replaced, columns by name; None where there is none."""
    e = earlier_decisions.c
    found = tx.execute(select(e.decision).where(e.application_id == application_id)).scalar()
    return dict(found) if found is not None else None


def listed(
    learner: str,
    programme_id: str,
    state: int,
    *,
    assignee: str | None = None,
    queued: bool = False,
) -> Select[Any]:
    """Returns the statement for applications; empty, zero and None mean any, an empty `assignee`: nobody's.

    `queued`: only those that wait for a person. Those of the sandbox are left out: nobody made them.
    """
    statement = select(applications).where(apart(_a.currency))
    if queued:
        statement = statement.where(_a.state.in_(WAITING))
    if assignee is not None:
        statement = statement.where(_a.assignee == assignee)
    if learner:
        statement = statement.where(_a.learner == learner)
    if programme_id:
        statement = statement.where(_a.programme_id == programme_id)
    if state:
        statement = statement.where(_a.state == state)
    return statement
