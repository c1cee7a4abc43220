"""Skill claims: how fresh a claim is, and what a person can do and does, as concepts alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from waymark.portfolio.v1 import skill_claim_pb2 as pb
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.skill_profile_pb2 import SkillProfile

from services.portfolio.domain.dates import is_past, to_date

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


def freshness_of(claim: pb.SkillClaim, today: date) -> pb.SkillFreshness.ValueType:
    """Returns how fresh a claim is `today`."""
    used = to_date(claim.last_used_date) if claim.HasField("last_used_date") else None
    return freshness(asserted=to_date(claim.assert_date), last_used=used, today=today)


def profile(claims: Iterable[pb.SkillClaim], work: Iterable[Entry], today: date) -> SkillProfile:
    """Returns the concepts of claims and of the work that goes on `today`, each once and in their own order.

    A skill is stale when every claim of it is.
    """
    skills, fresh = set[str](), set[str]()
    for claim in claims:
        skills.add(claim.concept_uri)
        if freshness_of(claim, today) != pb.SKILL_FRESHNESS_STALE:
            fresh.add(claim.concept_uri)
    present = {
        entry.work.occupation_uri
        for entry in work
        if entry.work.occupation_uri and not (entry.HasField("end_date") and is_past(entry.end_date, today))
    }
    return SkillProfile(
        skills=sorted(skills), stale_skills=sorted(skills - fresh), present_occupations=sorted(present)
    )


def _years_after(day: date, years: int) -> date:
    """Returns the same day `years` later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
