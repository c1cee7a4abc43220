"""Mentors and matches on a running portfolio service."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from waymark.portfolio.v1 import mentor_pb2
from waymark.portfolio.v1 import mentoring_match_pb2 as pb

from tests.support.portfolio import Caller, Portfolio, soon

WELDER = "http://data.europa.eu/esco/occupation/welder"
FIELDS = ["holder.given_name", "entries.title"]


class Offered(NamedTuple):
    """A mentor, and who is it."""

    caller: Caller
    name: str


def offered(portfolio: Portfolio, organisation: str = "", **fields: Any) -> Offered:
    """An organisation offers a mentor: a welder who speaks Dutch and takes one person."""
    organisation = organisation or f"organisations/{uuid.uuid4()}"
    caller, staff = portfolio.staff("provider", organisation), portfolio.staff("provider", organisation)
    facts: dict[str, Any] = {"occupation_uris": [WELDER], "isco_codes": ["7212"], "languages": ["nl"]}
    facts |= {"subject": caller.subject, "capacity": 1} | fields
    mentor = mentor_pb2.Mentor(**facts)
    return Offered(caller, staff.CreateMentor(mentor_pb2.CreateMentorRequest(mentor=mentor)).name)


def asking(person: Caller, mentor: str, **fields: Any) -> pb.CreateMentoringMatchRequest:
    """A request by which somebody asks for a mentor; without `fields` as a counsellor may send it."""
    facts: dict[str, Any] = {"mentor": mentor, "occupation_uri": WELDER, "wish": "to weld"}
    match = pb.MentoringMatch(**(facts | {"expire_time": soon(days=30)} | fields))
    return pb.CreateMentoringMatchRequest(parent=person.holder, mentoring_match=match)


def matched(person: Caller, mentor: Offered, **fields: Any) -> pb.MentoringMatch:
    """A match in force: asked for by the holder, agreed to by the mentor."""
    asked = person.CreateMentoringMatch(asking(person, mentor.name, **({"fields": FIELDS} | fields)))
    answer: pb.MentoringMatch = mentor.caller.AgreeMentoringMatch(
        pb.AgreeMentoringMatchRequest(name=asked.name)
    )
    return answer
