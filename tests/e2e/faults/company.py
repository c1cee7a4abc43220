"""What a learner does in company, on a running stack, to be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.cli.amounts import json_date
from services.cli.demo import portfolio
from tests.support.traffic import Person


def fill(learner: Person, holder: str, provider: Person) -> None:
    """Somebody of the provider's organisation mentors the learner, and leads a group that they are in."""
    offer = {"subject": provider.subject, "isco_codes": ["7212"], "languages": ["nl"], "capacity": 1}
    mentor = provider.surely("CreateMentor", mentor=offer).name
    wanted = {"mentor": mentor, "fields": ["holder"], "expire_time": portfolio.in_days(30)}
    match = learner.surely("CreateMentoringMatch", parent=holder, mentoring_match=wanted).name
    provider.surely("AgreeMentoringMatch", name=match)
    _group(learner, holder, provider)


def _group(learner: Person, holder: str, provider: Person) -> None:
    """The learner is in a programme that the provider leads, and was in one that is completed."""
    today = datetime.now(UTC).date()
    programme = {
        "title": "x",
        "start_date": json_date(today),
        "end_date": json_date(today + timedelta(days=30)),
        "size_limit": 1,
        "steps": [{"title": "x", "tasks": [{"id": "x", "title": "x"}]}],
        "areas": [{"id": "x", "title": "x"}],
    }
    for over in (False, True):
        name = provider.surely("CreateGroupProgramme", group_programme=programme).name
        wanted = {"group_programme": name, "display_name": "x"}
        learner.surely("CreateGroupMembership", parent=holder, group_membership=wanted)
        if over:
            provider.surely("CompleteGroupProgramme", name=name)
