"""Legal holds: who set and lifted each is in the clear, why is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from waymark.portfolio.v1.legal_hold_pb2 import LegalHold

from services.portfolio.store.collection import Collection
from services.portfolio.store.rights_tables import legal_holds


def _finish(hold: LegalHold, row: Row[Any], _now: datetime) -> None:
    hold.state = LegalHold.STATE_LIFTED if row.lifted_at else LegalHold.STATE_IN_FORCE
    hold.setter, hold.lifter = row.setter, row.lifter
    if row.lifted_at:
        hold.lift_time.FromDatetime(row.lifted_at)


LEGAL_HOLDS = Collection(legal_holds, "legalHolds", LegalHold, _finish)
