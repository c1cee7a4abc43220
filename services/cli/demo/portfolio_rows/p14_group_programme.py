"""A launch pad: ten people work by one plan, the leader sees how far, and the map at the end names nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.cli.amounts import json_date
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder, said
from services.cli.demo.portfolio_rows.guidance import post
from services.cli.legal_day import legal_day

LEADER, SIZE = "Pilar", 10
TASKS = ("strengths", "firms", "cv")


def show(journey: Journey) -> str:
    """REST: made, joined up to its size, followed by its leader, completed, and told as counts."""
    organisation = f"organisations/launch-{journey.run}"
    leader = journey.person("provider", LEADER, organisation)
    name = str(leader.rest("POST", "/v1/groupProgrammes", programme(), request_id=request_id())["name"])
    members = [join(journey, name, f"Member {number}") for number in range(SIZE)]
    with refused("GROUP_FULL"):
        join(journey, name, "One too many")
    for number, (learner, membership) in enumerate(members):
        level = "BEGINNING" if number < SIZE // 2 else "READY"
        told = {
            "tasks": [{"task": task, "state": "TASK_STATE_DONE"} for task in TASKS[: 1 + number % 3]],
            "ratings": [
                {"area": "goal", "level": f"EMPLOYABILITY_LEVEL_{level}"},
                {"area": "network", "level": "EMPLOYABILITY_LEVEL_ON_THE_WAY"},
            ],
        }
        post(learner, f"{membership}:record", told)
    progress = leader.rest("GET", f"/v1/{name}/memberProgress")["memberProgress"]
    fields = {field for each in progress for field in each}
    expect(len(progress) == SIZE and fields == {"displayName", "tasks", "done"}, f"the leader reads {fields}")
    learner, membership = members[0]
    log = learner.rest("GET", f"/v1/{membership.partition('/groupMemberships/')[0]}/accessRecords")
    expect([each["grant"] for each in log["accessRecords"]] == [membership], "the look is not in the log")
    post(leader, f"{name}:complete", {})
    with refused("WRONG_STATE"):
        leader.rest("GET", f"/v1/{name}/memberProgress")
    rows = leader.rest("GET", f"/v1/{name}:employabilityMap")["rows"]
    wanted = [{"area": "goal", "beginning": 5, "ready": 5}, {"area": "network", "withheld": True}]
    expect(said(rows) == wanted, f"the map is {rows}")
    done = sum(each["done"] == len(TASKS) for each in progress)
    return f"{SIZE} joined, {done} did all of the plan; {len(rows)} rows of counts, one withheld"


def programme() -> dict[str, Any]:
    """Five months for ten people, with three tasks and two areas."""
    today = legal_day()
    return {
        "title": "Launch pad",
        "startDate": json_date(today),
        "endDate": json_date(today + timedelta(days=150)),
        "sizeLimit": SIZE,
        "steps": [{"title": "Plan", "tasks": [{"id": task, "title": task} for task in TASKS]}],
        "areas": [{"id": "goal", "title": "A goal"}, {"id": "network", "title": "A network"}],
    }


def join(journey: Journey, name: str, person: str) -> tuple[Caller, str]:
    """Somebody joins with a portfolio of their own; returns them and the membership."""
    learner, portfolio = holder(journey, person)
    body = {"groupProgramme": name, "displayName": person}
    joined = learner.rest("POST", f"/v1/{portfolio}/groupMemberships", body, request_id=request_id())
    return learner, str(joined["name"])


STEP = Step("group-programme", "A group works by one plan; the map names nobody", ("P14",), show)
