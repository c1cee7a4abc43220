"""Mandates of counsellors: what they open, and on how many days they were used."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy
from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    any_,
    case,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.mandate_pb2 import MANDATE_PURPOSE_SPECIAL_CATEGORY as SPECIAL
from waymark.portfolio.v1.mandate_pb2 import ListMandatesRequest, Mandate, MandatePart

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.store import locking
from services.portfolio.store.collection import Paged, check_room, page_of
from services.portfolio.store.columns import is_row
from services.portfolio.store.tables import mandates

Part: TypeAlias = MandatePart.ValueType
# Written out and compared as a whole, so that the database has figures of how many name none.
_NONE: ColumnElement[Any] = literal_column("'{}'::smallint[]")
_TODAY = func.current_date()
# A day that has begun may be used to its end.
_LEFT = or_(mandates.c.max_uses == 0, mandates.c.uses < mandates.c.max_uses, mandates.c.used_on == _TODAY)
_IN_FORCE = and_(mandates.c.revoked_at.is_(None), mandates.c.expires_at > func.now(), _LEFT)
_UNNAMED = mandates.c.questionnaire_id == ""  # one from when none named a questionnaire is for none
STATE: ColumnElement[int] = case(
    (mandates.c.revoked_at.is_not(None), Mandate.STATE_REVOKED),
    (mandates.c.expires_at <= func.now(), Mandate.STATE_EXPIRED),
    (and_(_LEFT, mandates.c.purpose == SPECIAL, _UNNAMED), Mandate.STATE_NEEDS_RENEWAL),
    (_LEFT, Mandate.STATE_ACTIVE),
    else_=Mandate.STATE_EXHAUSTED,
)
_WHOLE = (mandates, STATE.label("state"))


class Held(NamedTuple):
    """A mandate in force. `used`: today already."""

    name: str
    used: bool


def create(tx: Transaction, holder: str, mandate: Mandate) -> Mandate:
    """Adds a mandate; raises Refusal(QUOTA_EXCEEDED)."""
    check_room(tx, mandates, holder)
    row = tx.execute(
        insert(mandates)
        .values(
            holder_id=holder,
            id=new_id(),
            counsellor=mandate.counsellor,
            organisation=mandate.organisation,
            purpose=mandate.purpose,
            act_on_behalf=mandate.act_on_behalf,
            questionnaire_id=names.last(mandate.questionnaire),
            legal_basis=mandate.legal_basis,
            parts=list(mandate.parts),
            max_uses=mandate.max_uses,
            uses=mandate.uses,
            expires_at=mandate.expire_time.ToDatetime(tzinfo=tx.now.tzinfo),
            created_at=tx.now,
            next_contact_at=tx.now,
        )
        .returning(*_WHOLE)
    ).one()
    return _shown(row)


def get(tx: Transaction, holder: str, mandate_id: str, *, lock: bool = False) -> Mandate:
    """Returns a mandate, `lock`ed until the end of the transaction; raises Refusal(NOT_FOUND)."""
    query = select(*_WHOLE).where(is_row(mandates, holder, mandate_id))
    return _shown(tx.one(query.with_for_update() if lock else query))


def listed(
    tx: Transaction, signer: PageTokenSigner, holder: str, request: ListMandatesRequest
) -> Paged[Mandate]:
    """Returns a page of a holder's mandates, newest first."""
    found = page_of(tx, signer, mandates, holder, request, _WHOLE)
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def revoke(tx: Transaction, holder: str, mandate_id: str) -> Mandate:
    """Withdraws a mandate; one withdrawn before keeps its time. Raises Refusal(NOT_FOUND)."""
    row = tx.execute(
        update(mandates)
        .where(is_row(mandates, holder, mandate_id))
        .values(revoked_at=func.coalesce(mandates.c.revoked_at, tx.now))
        .returning(*_WHOLE)
    ).one_or_none()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return _shown(row)


def counsellors(tx: Transaction, holder: str) -> frozenset[str]:
    """Returns everybody who ever had a mandate of a holder, ended ones included."""
    query = select(mandates.c.counsellor).distinct().where(mandates.c.holder_id == holder)
    return frozenset(tx.execute(query).scalars())


def in_force(
    connection: sqlalchemy.Connection,
    principal: Principal,
    holder: str,
    purposes: Collection[int],
    part: Part | None,
    *,
    on_behalf: bool = False,
    questionnaire: str = "",
) -> Held | None:
    """Returns a mandate under which the caller may act now for one of `purposes` on a `part`, if any;
    of several the widest. None as `part`: on what is of no part. `on_behalf`: one that permits to act on
    behalf of the holder; `questionnaire`: id of the one that is asked for, as special categories are opened
    of one alone."""
    permitted = [or_(mandates.c.purpose != SPECIAL, _is_for(questionnaire))]
    if on_behalf:
        permitted.append(mandates.c.act_on_behalf)
    row = connection.execute(
        select(mandates.c.id, (mandates.c.used_on == _TODAY).label("used"))
        .where(mandates.c.holder_id == holder, covering(principal, purposes, part), *permitted)
        .order_by(mandates.c.purpose, mandates.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else Held(names.child(holder, "mandates", row.id), bool(row.used))


def use(tx: Transaction, held: Held) -> None:
    """Counts today as a day on which a mandate is used: once, whoever else counts it."""
    if held.used:
        return
    holder, mandate_id = names.parse(held.name, "holders", "mandates")
    locking.enter(tx, holder)
    new_day = or_(mandates.c.used_on.is_(None), mandates.c.used_on < _TODAY)
    tx.execute(
        update(mandates)
        .where(is_row(mandates, holder, mandate_id), new_day, _LEFT)
        .values(uses=mandates.c.uses + 1, used_on=_TODAY)
    )


def covering(principal: Principal, purposes: Collection[int], part: Part | None) -> ColumnElement[bool]:
    """Returns the condition of a mandate under which the caller may act now for one of `purposes` on
    a `part`; None: on what is of no part."""
    opened = (literal(part) == any_(mandates.c.parts)) | (mandates.c.parts == _NONE)
    return and_(
        mandates.c.counsellor == principal.subject,
        mandates.c.organisation == principal.organisation,
        mandates.c.purpose.in_(sorted(purposes)),
        _IN_FORCE,
        *([] if part is None else [opened]),
    )


def _is_for(questionnaire: str) -> ColumnElement[bool]:
    return and_(mandates.c.questionnaire_id == questionnaire, not_(_UNNAMED))


def due_next(tx: Transaction, holder: str, at: datetime, purposes: Collection[int], part: Part) -> None:
    """Notes in the caller's mandates of a holder for one of `purposes` that open a `part` when the
    next contact is due (UTC)."""
    those = (mandates.c.holder_id == holder, covering(tx.principal, purposes, part))
    tx.execute(update(mandates).where(*those).values(next_contact_at=at))


def due_now(tx: Transaction, holder: str) -> None:
    """Makes a contact due at once for everybody who has a mandate of a holder."""
    later = mandates.c.next_contact_at > tx.now
    those = (mandates.c.holder_id == holder, mandates.c.revoked_at.is_(None), later)
    tx.execute(update(mandates).where(*those).values(next_contact_at=tx.now))


def _shown(row: Row[Any]) -> Mandate:
    mandate = Mandate(
        name=names.child(row.holder_id, "mandates", row.id),
        counsellor=row.counsellor,
        organisation=row.organisation,
        purpose=row.purpose,
        act_on_behalf=row.act_on_behalf,
        legal_basis=row.legal_basis,
        parts=row.parts,
        max_uses=row.max_uses,
        uses=row.uses,
        state=row.state,
    )
    if row.questionnaire_id:
        mandate.questionnaire = names.child(row.holder_id, "questionnaires", row.questionnaire_id)
    mandate.expire_time.FromDatetime(row.expires_at)
    mandate.create_time.FromDatetime(row.created_at)
    if row.revoked_at:
        mandate.revoke_time.FromDatetime(row.revoked_at)
    return mandate
