"""Skill claims; those taken back stay for as long as a legal hold keeps them, and count for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, update
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.platform.days import day_of
from services.platform.db.transaction import Transaction
from services.portfolio.domain.skills import freshness_of
from services.portfolio.store import keeping, tables
from services.portfolio.store.collection import Collection

_claims = tables.skill_claims.c


class SkillClaims(Collection[SkillClaim]):
    """Claims of which those taken back are found by their names alone, and in the list of all."""

    def _there(self) -> Sequence[ColumnElement[bool]]:
        return (_claims.taken_back_at.is_(None),)


def take_back(tx: Transaction, holder: str, row_ids: Sequence[str]) -> None:
    """Removes claims of a holder; marks those that a legal hold keeps."""
    these = (_claims.holder_id == holder, _claims.id.in_(row_ids))
    keeping.purge(tx, tables.skill_claims, *these, limit=len(row_ids))
    mark = {"taken_back_at": tx.now, "updated_at": tx.now, "version": _claims.version + 1}
    tx.execute(update(tables.skill_claims).where(*these, _claims.taken_back_at.is_(None)).values(mark))


def purge(tx: Transaction, *, limit: int = 500) -> int:
    """Removes up to `limit` claims that were taken back and that no hold keeps any more; returns how many."""
    return keeping.purge(tx, tables.skill_claims, _claims.taken_back_at.is_not(None), limit=limit)


def _finish(claim: SkillClaim, row: Row[Any], now: datetime) -> None:
    claim.source = row.source
    claim.freshness = freshness_of(claim, day_of(now))
    claim.ClearField("take_back_time")  # of one that was changed since, and counts again
    if row.taken_back_at is not None:
        claim.take_back_time.FromDatetime(row.taken_back_at)


SKILL_CLAIMS = SkillClaims(tables.skill_claims, "skillClaims", SkillClaim, _finish)
