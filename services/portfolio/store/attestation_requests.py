"""Requests for attestations: the secret as a hash, used once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from waymark.portfolio.v1.attestation_pb2 import AttestationRequest

from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.domain.sharing import require_usable
from services.portfolio.store import locking, tables
from services.portfolio.store.collection import Collection

State = AttestationRequest.State
_TABLE = tables.attestation_requests


class Locked(NamedTuple):
    """What using a link needs to know of it; the row is locked."""

    holder: str
    id: str
    claim: str
    expires_at: datetime

    @property
    def name(self) -> str:
        """Resource name."""
        return names.child(self.holder, "attestationRequests", self.id)


def state_of(row: Row[Any], now: datetime) -> State.ValueType:
    """Returns the state of a request at `now` (UTC, the database's clock)."""
    over = row.state == State.STATE_OPEN and row.expires_at <= now
    return State.STATE_EXPIRED if over else State.ValueType(row.state)


def _finish(request: AttestationRequest, row: Row[Any], now: datetime) -> None:
    request.skill_claim = names.child(row.holder_id, "skillClaims", row.skill_claim_id)
    request.state = state_of(row, now)
    request.expire_time.FromDatetime(row.expires_at)


REQUESTS = Collection(_TABLE, "attestationRequests", AttestationRequest, _finish)


def lock(tx: Transaction, token_hash: bytes) -> Locked:
    """Finds and locks the request of a token; raises Refusal(NOT_FOUND, SHARE_LINK_ENDED)."""
    locking.enter_by(tx, _TABLE, token_hash)
    row = tx.one(select(_TABLE).where(_TABLE.c.token_hash == token_hash).with_for_update())
    require_usable(state_of(row, tx.now), State.STATE_OPEN, State)
    return Locked(row.holder_id, row.id, row.skill_claim_id, row.expires_at)
