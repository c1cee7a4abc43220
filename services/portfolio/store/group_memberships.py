"""Memberships in group programmes: who is in which is in the clear, what a member says is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import group_membership_pb2 as pb

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store.collection import Collection
from services.portfolio.store.columns import fixed
from services.portfolio.store.company_tables import group_memberships
from services.portfolio.store.vault import Vault, open_vaults

_TABLE = group_memberships
State = pb.GroupMembership.State
COLLECTIONS = ("holders", "groupMemberships")
_ACTIVE = _TABLE.c.state == fixed(State.STATE_ACTIVE)


class Members(NamedTuple):
    """Some members of a programme, and where the list goes on."""

    members: list[pb.GroupMembership]
    next_page_token: str


def _finish(membership: pb.GroupMembership, row: Row[Any], _now: datetime) -> None:
    membership.group_programme = f"groupProgrammes/{row.programme_id}"
    membership.state = row.state


MEMBERSHIPS = Collection(_TABLE, "groupMemberships", pb.GroupMembership, _finish)


def add(tx: Transaction, vault: Vault, membership: pb.GroupMembership) -> pb.GroupMembership:
    """Adds a member to a locked programme; raises Refusal(QUOTA_EXCEEDED), ALREADY_EXISTS for one who is in
    it."""
    columns: dict[str, Any] = {
        "programme_id": names.last(membership.group_programme),
        "state": State.STATE_ACTIVE,
    }
    try:
        return MEMBERSHIPS.add(tx, vault, membership, **columns)
    except IntegrityError as error:
        if "group_memberships_once" in str(error.orig):
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
        raise


def listed(
    tx: Transaction, signer: PageTokenSigner, keys: KeyRing, programme_id: str, request: Any
) -> Members:
    """Returns a page of those who are in a programme now, in the order in which they joined."""
    found = page(
        tx,
        signer,
        select(_TABLE).where(_TABLE.c.programme_id == programme_id, _ACTIVE),
        order_by=[_TABLE.c.id, _TABLE.c.holder_id],
        request=request,
        filters={"programme": programme_id},
    )
    return Members(_opened(tx, keys, found.rows), found.next_page_token)


def lock_all(tx: Transaction, keys: KeyRing, programme_id: str) -> list[pb.GroupMembership]:
    """Locks and returns everybody who is in a locked programme."""
    query = select(_TABLE).where(_TABLE.c.programme_id == programme_id, _ACTIVE).order_by(_TABLE.c.id)
    return _opened(tx, keys, tx.execute(query.with_for_update()).all())


def move(tx: Transaction, states: Mapping[str, State.ValueType]) -> None:
    """Notes the state of each of some locked memberships, by their names."""
    for state in sorted(set(states.values())):
        those = [names.parse(name, *COLLECTIONS) for name, each in states.items() if each == state]
        here = tuple_(_TABLE.c.holder_id, _TABLE.c.id).in_(those)
        tx.execute(update(_TABLE).where(here).values(state=state, updated_at=tx.now))


def _opened(tx: Transaction, keys: KeyRing, rows: Sequence[Row[Any]]) -> list[pb.GroupMembership]:
    vaults = open_vaults(tx, keys, {row.holder_id for row in rows})
    return [MEMBERSHIPS.shown(tx, vaults[row.holder_id], row) for row in rows if row.holder_id in vaults]
