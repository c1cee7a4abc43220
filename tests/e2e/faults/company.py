"""What a learner does in company, on a running stack, to be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.cli.amounts import json_date
from services.cli.demo import portfolio
from tests.support.traffic import Person


def fill(learner: Person, holder: str, provider: Person, counsellor: Person) -> None:
    """Somebody of the provider's organisation mentors the learner, and leads a group that they are in; both
    provider and counsellor are handed pages in."""
    offer = {"subject": provider.subject, "isco_codes": ["7212"], "languages": ["nl"], "capacity": 1}
    mentor = provider.surely("CreateMentor", mentor=offer).name
    wanted = {"mentor": mentor, "fields": ["holder"], "expire_time": portfolio.in_days(30)}
    match = learner.surely("CreateMentoringMatch", parent=holder, mentoring_match=wanted).name
    provider.surely("AgreeMentoringMatch", name=match)
    _group(learner, holder, provider)
    _pages(learner, holder, (provider, counsellor))


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


def _pages(learner: Person, holder: str, recipients: Iterable[Person]) -> None:
    """A page with a file, in a collection, commented and handed in."""
    files = learner.surely("ListEvidence", parent=holder).evidence
    file = next(each for each in files if each.state == Evidence.STATE_STORED)
    page = {"title": "x", "blocks": [{"evidence": file.name}]}
    name = learner.surely("CreatePage", parent=holder, page=page).name
    collection = {"title": "x", "pages": [name]}
    learner.surely("CreatePageCollection", parent=holder, page_collection=collection)
    wanted = {"page": name, "max_comments": 1, "expire_time": portfolio.in_days(30)}
    link = learner.surely("CreatePageInvitation", parent=holder, page_invitation=wanted)
    learner.surely("GivePageComment", token=link.token, author="x", text="x")
    for each in recipients:
        handed_in = {
            "source": name,
            "recipient": each.subject,
            "organisation": each.organisation,
            "expire_time": portfolio.in_days(30),
        }
        learner.surely("CreatePageSubmission", parent=holder, page_submission=handed_in)
