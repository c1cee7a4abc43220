"""Legal holds: who set and lifted each is in the clear, why is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.legal_hold_pb2 import LegalHold

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.store.collection import Collection
from services.portfolio.store.rights_tables import legal_holds


def _finish(hold: LegalHold, row: Row[Any], _now: datetime) -> None:
    hold.state = LegalHold.STATE_LIFTED if row.lifted_at else LegalHold.STATE_IN_FORCE
    hold.setter, hold.lifter = row.setter, row.lifter
    if row.lifted_at:
        hold.lift_time.FromDatetime(row.lifted_at)


LEGAL_HOLDS = Collection(legal_holds, "legalHolds", LegalHold, _finish)


def require_none(tx: Transaction, holder: str) -> None:
    """Raises Refusal(ERASURE_HELD) while a hold on a holder is in force; ask it with the holder locked."""
    in_force = (legal_holds.c.holder_id == holder, legal_holds.c.lifted_at.is_(None))
    if tx.execute(select(legal_holds.c.id).where(*in_force).limit(1)).first():
        raise Refusal(reason_pb2.REASON_ERASURE_HELD)
