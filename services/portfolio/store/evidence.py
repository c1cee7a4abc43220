"""Evidence files: what is known of each; the bytes are in the object store under the row's id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import Transaction
from services.portfolio.store import tables
from services.portfolio.store.collection import Collection

BUCKET = "waymark-portfolio-evidence"


def _finish(evidence: Evidence, row: Row[Any], _now: datetime) -> None:
    evidence.state = row.state
    if row.state == Evidence.STATE_STORED:
        evidence.store_time.FromDatetime(row.updated_at)


EVIDENCE = Collection(tables.evidence, "evidence", Evidence, _finish)


def bytes_held(tx: Transaction, holder: str) -> int:
    """Returns how many bytes a holder's files have, announced ones included."""
    total = select(func.coalesce(func.sum(tables.evidence.c.size_bytes), 0))
    return int(tx.execute(total.where(tables.evidence.c.holder_id == holder)).scalar_one())


def files_of(tx: Transaction, holder: str) -> list[str]:
    """Returns the object keys of a holder's files, announced ones included."""
    return list(
        tx.execute(select(tables.evidence.c.id).where(tables.evidence.c.holder_id == holder)).scalars()
    )


def known_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Returns those object keys that rows name."""
    return set(tx.execute(select(tables.evidence.c.id).where(tables.evidence.c.id.in_(keys))).scalars())
