"""Skill claims."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.domain.skills import freshness_of
from services.portfolio.store import tables
from services.portfolio.store.collection import Collection


def _finish(claim: SkillClaim, row: Row[Any], now: datetime) -> None:
    claim.source = row.source
    claim.freshness = freshness_of(claim, now.date())


SKILL_CLAIMS = Collection(tables.skill_claims, "skillClaims", SkillClaim, _finish)
