"""Group programmes on a running portfolio service."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from waymark.portfolio.v1 import group_membership_pb2 as members
from waymark.portfolio.v1 import group_programme_pb2 as pb

from services.portfolio.domain.dates import from_date
from tests.support.portfolio import Caller, Portfolio

STARTED, DONE = members.TASK_STATE_STARTED, members.TASK_STATE_DONE


class Led(NamedTuple):
    """A programme, and who leads it."""

    leader: Caller
    name: str


def planned(**fields: Any) -> pb.GroupProgramme:
    """Five months for twenty people: two steps with three tasks, and two areas."""
    today = datetime.now(UTC).date()
    facts: dict[str, Any] = {
        "title": "Launch pad",
        "start_date": from_date(today),
        "end_date": from_date(today + timedelta(days=150)),
        "size_limit": 20,
        "steps": [
            pb.PlanStep(title="Self", tasks=[pb.PlanTask(id="strengths", title="Name your strengths")]),
            pb.PlanStep(
                title="Market",
                tasks=[
                    pb.PlanTask(id="cv", title="Write a CV"),
                    pb.PlanTask(id="visit", title="Visit a firm"),
                ],
            ),
        ],
        "areas": [
            pb.EmployabilityArea(id="network", title="Network"),
            pb.EmployabilityArea(id="skills", title="Skills"),
        ],
    }
    return pb.GroupProgramme(**(facts | fields))


def programme(portfolio: Portfolio, **fields: Any) -> Led:
    """An organisation makes a programme, and its maker leads it."""
    leader = portfolio.staff("provider", f"organisations/{uuid.uuid4()}")
    request = pb.CreateGroupProgrammeRequest(group_programme=planned(**fields))
    return Led(leader, leader.CreateGroupProgramme(request).name)


def joining(person: Caller, name: str, display_name: str = "Ada") -> members.CreateGroupMembershipRequest:
    """A request to join a programme."""
    wanted = members.GroupMembership(group_programme=name, display_name=display_name)
    return members.CreateGroupMembershipRequest(parent=person.holder, group_membership=wanted)


def saying(
    name: str, tasks: dict[str, Any] | None = None, ratings: dict[str, Any] | None = None
) -> members.RecordGroupProgressRequest:
    """A request by which a member says how far they are: state by task, level by area."""
    return members.RecordGroupProgressRequest(
        name=name,
        tasks=[members.TaskProgress(task=task, state=state) for task, state in (tasks or {}).items()],
        ratings=[members.AreaRating(area=area, level=level) for area, level in (ratings or {}).items()],
    )
