"""What awarding bodies issued: to whom, the bit in the status lists, and whether it was taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import issued_credential_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.credentials.issuing import Place, new_place
from services.portfolio.domain.states import word, wrong_state
from services.portfolio.store.collection import Paged
from services.portfolio.store.columns import fixed
from services.portfolio.store.credential_tables import achievements, credential_issuers, issued_credentials

State = pb.IssuedCredential.State
_TABLE = issued_credentials
_NOT_ACTIVE = _TABLE.c.state != fixed(State.STATE_ACTIVE)
_TRIES = 100  # to find a free bit, of which at least half are


def add(
    tx: Transaction, issuer_id: str, holder: str, wanted: pb.IssuedCredential
) -> tuple[pb.IssuedCredential, Place]:
    """Writes down what is issued to a holder, and finds it a bit; `valid_from` must be set."""
    achievement_id = _achievement(tx, issuer_id, wanted.achievement)
    issued, row_id = _count(tx, issuer_id), new_id()
    until = wanted.valid_until.ToDatetime(UTC) if wanted.HasField("valid_until") else None
    for _ in range(_TRIES):
        place = new_place(issued)
        row = tx.execute(
            insert(_TABLE)
            .values(
                issuer_id=issuer_id,
                id=row_id,
                holder_id=holder,
                list=place.list,
                index=place.bit,
                state=State.STATE_ACTIVE,
                achievement_id=achievement_id,
                valid_from=wanted.valid_from.ToDatetime(UTC),
                valid_until=until,
                created_at=tx.now,
                updated_at=tx.now,
            )
            .on_conflict_do_nothing(constraint="issued_credentials_place")
            .returning(_TABLE)
        ).one_or_none()
        if row is not None:
            return _shown(row, wanted.achievement), place
    raise Refusal(reason_pb2.REASON_OVERLOADED)


def get(tx: Transaction, issuer_id: str, row_id: str) -> pb.IssuedCredential:
    """Returns what was issued; raises Refusal(NOT_FOUND)."""
    row = tx.one(_query().where(_TABLE.c.issuer_id == issuer_id, _TABLE.c.id == row_id))
    return _shown(row, pb.Achievement.FromString(row.content))


def listed(
    tx: Transaction, signer: PageTokenSigner, issuer_id: str, request: pb.ListIssuedCredentialsRequest
) -> Paged[pb.IssuedCredential]:
    """Returns a page of what an awarding body issued, newest first."""
    return _page(tx, signer, request, issuer_id=issuer_id)


def of_holder(
    tx: Transaction, signer: PageTokenSigner, holder: str, request: pb.ListIssuedCredentialsRequest
) -> Paged[pb.IssuedCredential]:
    """Returns a page of what was issued to a holder, newest first."""
    return _page(tx, signer, request, holder_id=holder)


def _page(
    tx: Transaction, signer: PageTokenSigner, request: pb.ListIssuedCredentialsRequest, **equal: str
) -> Paged[pb.IssuedCredential]:
    found = page(
        tx,
        signer,
        _query().where(*(_TABLE.c[column] == value for column, value in equal.items())),
        order_by=[_TABLE.c.id.desc()],
        request=request,
        filters=equal,
    )
    made = [_shown(row, pb.Achievement.FromString(row.content)) for row in found.rows]
    return Paged(made, found.next_page_token)


def move(
    tx: Transaction, issuer_id: str, row_id: str, target: int, origins: Collection[int]
) -> tuple[pb.IssuedCredential, bool]:
    """Moves what was issued from one of `origins` to `target`; returns it and whether it moved just now.

    Raises Refusal(NOT_FOUND, WRONG_STATE).
    """
    of = (_TABLE.c.issuer_id == issuer_id, _TABLE.c.id == row_id)
    state = tx.one(select(_TABLE.c.state).where(*of).with_for_update()).state
    if state not in (target, *origins):
        raise wrong_state(_word(state), ", ".join(map(_word, origins)))
    if state != target:
        tx.execute(update(_TABLE).where(*of).values(state=target, updated_at=tx.now))
    return get(tx, issuer_id, row_id), state != target


def taken_back(tx: Transaction, issuer_id: str, number: int, state: int) -> list[int]:
    """Returns the bits of a status list that are set; raises Refusal(NOT_FOUND) for a list not begun yet."""
    begun = select(_TABLE.c.id).where(_TABLE.c.issuer_id == issuer_id, _TABLE.c.list == number).limit(1)
    tx.one(begun)
    return list(tx.execute(_taken(issuer_id, number, state)).scalars())


def _taken(issuer_id: str, number: int, state: int) -> Select[Any]:
    return select(_TABLE.c.index).where(
        _TABLE.c.issuer_id == issuer_id, _TABLE.c.list == number, _TABLE.c.state == state, _NOT_ACTIVE
    )


def _count(tx: Transaction, issuer_id: str) -> int:
    """Counts one more credential of an awarding body; returns how many it had before."""
    more = (
        update(credential_issuers)
        .where(credential_issuers.c.id == issuer_id)
        .values(issued=credential_issuers.c.issued + 1)
    )
    return int(tx.execute(more.returning(credential_issuers.c.issued)).scalar_one()) - 1


def _achievement(tx: Transaction, issuer_id: str, achievement: pb.Achievement) -> bytes:
    content = achievement.SerializeToString(deterministic=True)
    achievement_id = hashlib.sha256(content).digest()
    values = {"issuer_id": issuer_id, "id": achievement_id, "content": content}
    tx.execute(insert(achievements).values(**values).on_conflict_do_nothing())
    return achievement_id


def _query() -> Select[Any]:
    same = (achievements.c.issuer_id == _TABLE.c.issuer_id) & (achievements.c.id == _TABLE.c.achievement_id)
    return select(_TABLE, achievements.c.content).join(achievements, same)


def _word(state: int) -> str:
    return word(State, state)


def _shown(row: Row[Any], achievement: pb.Achievement) -> pb.IssuedCredential:
    made = pb.IssuedCredential(
        name=f"credentialIssuers/{row.issuer_id}/issuedCredentials/{row.id}",
        holder=names.holder(row.holder_id) if row.holder_id else "",
        achievement=achievement,
        state=row.state,
    )
    for field, value in (
        (made.valid_from, row.valid_from),
        (made.valid_until, row.valid_until),
        (made.create_time, row.created_at),
        (made.update_time, row.updated_at),
    ):
        if value:
            field.FromDatetime(value)
    return made
