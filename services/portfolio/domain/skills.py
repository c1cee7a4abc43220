"""Skill claims: how fresh a claim is."""

from __future__ import annotations

from datetime import date

from waymark.portfolio.v1 import skill_claim_pb2 as pb

CURRENT_YEARS = 2
AGEING_YEARS = 5


def freshness(*, asserted: date, last_used: date | None, today: date) -> pb.SkillFreshness.ValueType:
    """Returns how fresh a claim is `today`, from the later of the day it was asserted and last used."""
    latest = max(asserted, last_used or asserted)
    if today < _years_after(latest, CURRENT_YEARS):
        return pb.SKILL_FRESHNESS_CURRENT
    if today < _years_after(latest, AGEING_YEARS):
        return pb.SKILL_FRESHNESS_AGEING
    return pb.SKILL_FRESHNESS_STALE


def _years_after(day: date, years: int) -> date:
    """Returns the same day `years` later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
