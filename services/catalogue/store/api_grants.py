"""Statements on grants of API plans, and on their keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.api_keys import NewKey
from services.catalogue.store.api_tables import api_grants, api_keys
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal


class State(IntEnum):
    """Where a grant stands, as in the contract."""

    GRANTED = 1
    REFUSED = 2
    ENDED = 3


def add(
    tx: Transaction, organisation: str, product: str, plan: str, refusal_reasons: Mapping[str, str]
) -> Row[Any]:
    """Adds a grant, or the refusal of one where there are reasons; returns its row.

    Raises Refusal(API_GRANT_HELD) when the organisation has one of the product.
    """
    values = {
        "id": new_id(),
        "organisation_id": organisation,
        "product_id": product,
        "plan_id": plan,
        "state": State.REFUSED if refusal_reasons else State.GRANTED,
        "refusal_reasons": dict(refusal_reasons),
    }
    try:
        with tx.connection.begin_nested():
            return tx.execute(insert(api_grants).values(**values).returning(api_grants)).one()
    except IntegrityError as error:
        row = api_grants.c
        held = select(row.id).where(
            row.organisation_id == organisation, row.product_id == product, row.state == State.GRANTED
        )
        names = {"api_grant": f"apiGrants/{tx.execute(held).scalar()}"}
        raise Refusal(reason_pb2.REASON_API_GRANT_HELD, metadata=names) from error


def read(tx: Transaction, grant: str, *, lock: bool = False) -> Row[Any]:
    """Returns a grant, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(api_grants).where(api_grants.c.id == grant)
    return tx.one(statement.with_for_update() if lock else statement)


def in_force(tx: Transaction, grant: str) -> Row[Any]:
    """Returns a grant, locked; raises Refusal: NOT_FOUND, WRONG_STATE for one that was refused or ended."""
    row = read(tx, grant, lock=True)
    if row.state != State.GRANTED:
        state = {"state": State(row.state).name}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, "This grant is not in force.", metadata=state)
    return row


def listing(organisation: str, state: int) -> Select[Any]:
    """Selects grants of an organisation ("": of all) in a state (0: in any)."""
    statement = select(api_grants)
    if organisation:
        statement = statement.where(api_grants.c.organisation_id == organisation)
    return statement.where(api_grants.c.state == state) if state else statement


def end(tx: Transaction, grant: str, reason: str) -> Row[Any]:
    """Ends a locked grant; returns its row."""
    row = api_grants
    values = {
        "state": State.ENDED,
        "end_reason": reason,
        "end_time": func.now(),
        "version": row.c.version + 1,
    }
    return tx.execute(update(row).where(row.c.id == grant).values(**values).returning(row)).one()


def add_key(tx: Transaction, grant: str, organisation: str, label: str, made: NewKey) -> Row[Any]:
    """Adds a key; returns its row."""
    values = {
        "id": new_id(),
        "grant_id": grant,
        "organisation_id": organisation,
        "label": label,
        "prefix": made.prefix,
        "digest": made.digest,
    }
    return tx.execute(insert(api_keys).values(**values).returning(api_keys)).one()


def live_key(tx: Transaction, grant: str, key: str) -> Row[Any]:
    """Returns a key of a grant, locked; raises Refusal: NOT_FOUND, WRONG_STATE for one that is over."""
    row = tx.one(keys_of(grant).where(api_keys.c.id == key).with_for_update())
    if row.revoke_time or (row.expire_time and row.expire_time <= tx.now):
        raise Refusal(reason_pb2.REASON_WRONG_STATE, "This key is good for nothing any more.")
    return row


def expire(tx: Transaction, key: str, overlap: timedelta) -> None:
    """Lets a locked key end after a time, or when it would anyway if that is sooner."""
    row = api_keys
    until = func.least(row.c.expire_time, func.now() + overlap)  # of what is not null
    tx.execute(update(row).where(row.c.id == key).values(expire_time=until, version=row.c.version + 1))


def revoke(tx: Transaction, key: str) -> Row[Any]:
    """Revokes a locked key; returns its row."""
    row = api_keys
    values = {"revoke_time": func.now(), "version": row.c.version + 1}
    return tx.execute(update(row).where(row.c.id == key).values(**values).returning(row)).one()


def keys_of(grant: str) -> Select[Any]:
    """Selects the keys of a grant."""
    return select(api_keys).where(api_keys.c.grant_id == grant)


def live_keys() -> Select[Any]:
    """Selects the keys of grants in force that may still be good."""
    row = api_keys.c
    joined = api_keys.join(api_grants, api_grants.c.id == row.grant_id)
    return (
        select(
            row.id, row.digest, row.expire_time, row.grant_id, api_grants.c.product_id, api_grants.c.plan_id
        )
        .select_from(joined)
        .where(
            api_grants.c.state == State.GRANTED,
            row.revoke_time.is_(None),
            or_(row.expire_time.is_(None), row.expire_time > func.now()),
        )
    )
