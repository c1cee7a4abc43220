"""What a learner does in company, on a running stack, to be asked for."""

from __future__ import annotations

from services.cli.demo import portfolio
from tests.support.traffic import Person


def fill(learner: Person, holder: str, provider: Person) -> None:
    """Somebody of the provider's organisation mentors the learner."""
    offer = {"subject": provider.subject, "isco_codes": ["7212"], "languages": ["nl"], "capacity": 1}
    mentor = provider.surely("CreateMentor", mentor=offer).name
    wanted = {"mentor": mentor, "fields": ["holder"], "expire_time": portfolio.in_days(30)}
    match = learner.surely("CreateMentoringMatch", parent=holder, mentoring_match=wanted).name
    provider.surely("AgreeMentoringMatch", name=match)
