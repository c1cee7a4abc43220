"""Skill claims."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.domain.dates import to_date
from services.portfolio.domain.skills import freshness
from services.portfolio.store import tables
from services.portfolio.store.collection import Collection


def _finish(claim: SkillClaim, row: Row[Any], now: datetime) -> None:
    claim.source = row.source
    used = to_date(claim.last_used_date) if claim.HasField("last_used_date") else None
    claim.freshness = freshness(asserted=to_date(claim.assert_date), last_used=used, today=now.date())


SKILL_CLAIMS = Collection(tables.skill_claims, "skillClaims", SkillClaim, _finish)
