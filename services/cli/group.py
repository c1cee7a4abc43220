"""`waymark group`: programmes for groups of people who look for work together."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.holder import LEARNER, own
from services.cli.options import Limit, subject_of
from services.cli.programme import read_json

group = typer.Typer(help="Group programmes: make one, join, say how far you are, complete it.")
STAFF = "provider"
PROGRAMME = {
    "programme": "name",
    "title": "title",
    "of": "organisation",
    "leader": "leader",
    "from": "startDate",
    "to": "endDate",
    "takes": "sizeLimit",
    "has": "members",
    "state": "state",
}
ROW = {key: PROGRAMME[key] for key in ("programme", "title", "from", "to", "takes", "has", "state")}
TASK = {"step": "step", "task": "id", "title": "title"}
AREA = {"area": "id", "title": "title"}
MEMBERSHIP = {
    "membership": "name",
    "programme": "groupProgramme",
    "called": "displayName",
    "state": "state",
    "joined": "createTime",
}
PROGRESS = {"task": "task", "state": "state", "said": "updateTime"}
RATING = {"area": "area", "level": "level"}
MEMBER = {"member": "displayName", "done": "done", "tasks": "said"}
COUNTS = {
    "area": "area",
    "beginning": "beginning",
    "on the way": "onTheWay",
    "ready": "ready",
    "withheld": "withheld",
}
Programme = Annotated[str, typer.Argument(metavar="PROGRAMME", help="groupProgrammes/{id}")]
Membership = Annotated[str, typer.Argument(metavar="MEMBERSHIP", help="holders/{id}/groupMemberships/{id}")]


class TaskState(StrEnum):
    """How far a task is."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"


class Level(StrEnum):
    """How far somebody is in an area."""

    BEGINNING = "beginning"
    ON_THE_WAY = "on-the-way"
    READY = "ready"


def register(app: typer.Typer) -> None:
    """Adds `group` to the command line `app`."""
    app.add_typer(group, name="group", no_args_is_help=True)


@group.command(
    epilog="Example:  waymark group create samples/groups/launch-pad.json 2027-02-01 2027-06-30 "
    "--leader provider:Bea --org organisations/yard"
)
@calls(STAFF)
def create(
    call: Call,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON with title, steps and areas in `group`.")
    ],
    start: Annotated[str, typer.Argument(help="First day, 2027-02-01.")],
    end: Annotated[str, typer.Argument(help="Last day.")],
    size: Annotated[int, typer.Option(min=1, max=20, help="How many people it takes.")] = 20,
    leader: Annotated[
        str, typer.Option(help="Subject of the leader's token, or ROLE:NAME; default: you.")
    ] = "",
) -> None:
    """Make a programme of your organisation."""
    said = read_json(file, "group", pattern="samples/groups")["group"]
    days = {"startDate": json_day(start), "endDate": json_day(end)}
    body = said | days | {"sizeLimit": size, "leader": subject_of(leader) if leader else ""}
    call.one(call.post("groupProgrammes", body), PROGRAMME)


@group.command("list", epilog="Example:  waymark group list --of organisations/yard")
@calls(LEARNER)
def list_(
    call: Call,
    of: Annotated[str, typer.Option("--of", help="Only those of organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List programmes, newest first."""
    call.many("groupProgrammes", ROW, limit, empty="no programme yet", organisation=of)


@group.command(epilog="Example:  waymark group show groupProgrammes/0198…")
@calls(LEARNER)
def show(call: Call, name: Programme) -> None:
    """Show a programme with its plan."""
    found = call.get(name)
    call.one(found, PROGRAMME)
    tasks = [task | {"step": step["title"]} for step in found["steps"] for task in step["tasks"]]
    call.part(tasks, TASK)
    call.part(found.get("areas", []), AREA)


@group.command(epilog="Example:  waymark group join groupProgrammes/0198… Samir")
@calls(LEARNER)
def join(
    call: Call,
    name: Programme,
    display_name: Annotated[str, typer.Argument(metavar="NAME", help="What the leader is to call you.")],
) -> None:
    """Join a programme; its leader then reads how far you are with the plan, and nothing else."""
    body = {"groupProgramme": name, "displayName": display_name}
    call.one(call.post(f"{own(call, '')}/groupMemberships", body), MEMBERSHIP)


@group.command(epilog="Example:  waymark group memberships")
@calls(LEARNER)
def memberships(call: Call, limit: Limit = 50) -> None:
    """List the programmes you are or were in, newest first."""
    call.many(f"{own(call, '')}/groupMemberships", MEMBERSHIP, limit, empty="none yet")


@group.command(epilog="Example:  waymark group membership holders/0198…/groupMemberships/0198…")
@calls(LEARNER)
def membership(call: Call, name: Membership) -> None:
    """Show how far you are, and how you rate yourself."""
    _membership(call, call.get(name))


@group.command(epilog="Example:  waymark group task holders/0198…/groupMemberships/0198… cv done")
@calls(LEARNER)
def task(
    call: Call,
    name: Membership,
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="Id of a task of the plan.")],
    state: Annotated[TaskState, typer.Argument(help="How far it is.")],
) -> None:
    """Say how far a task is."""
    said = {"tasks": [{"task": task_id, "state": enum("TASK_STATE", state)}]}
    _membership(call, call.post(f"{name}:record", said))


@group.command(epilog="Example:  waymark group rate holders/0198…/groupMemberships/0198… network on-the-way")
@calls(LEARNER)
def rate(
    call: Call,
    name: Membership,
    area: Annotated[str, typer.Argument(metavar="AREA", help="Id of an area of the programme.")],
    level: Annotated[Level, typer.Argument(help="How far you are.")],
) -> None:
    """Rate yourself in an area; nobody else reads it, it goes into the counts of the map."""
    said = {"ratings": [{"area": area, "level": enum("EMPLOYABILITY_LEVEL", level)}]}
    _membership(call, call.post(f"{name}:record", said))


@group.command(epilog="Example:  waymark group leave holders/0198…/groupMemberships/0198…")
@calls(LEARNER)
def leave(call: Call, name: Membership) -> None:
    """Leave: the leader reads nothing any more."""
    call.one(call.post(f"{name}:leave"), MEMBERSHIP)


@group.command(epilog="Example:  waymark group progress groupProgrammes/0198… --org organisations/yard")
@calls(STAFF)
def progress(call: Call, name: Programme, limit: Limit = 50) -> None:
    """List how far the members are, as the leader; each of them sees that you looked."""
    found = list(call.each(f"{name}/memberProgress"))[:limit]
    rows = found if call.as_json else [each | {"said": _said(each.get("tasks", []))} for each in found]
    call.rows(rows, MEMBER, empty="nobody is in it")


@group.command(epilog="Example:  waymark group complete groupProgrammes/0198… --org organisations/yard")
@calls(STAFF)
def complete(call: Call, name: Programme) -> None:
    """Complete a programme, as the leader, and draw its map."""
    call.one(call.post(f"{name}:complete"), PROGRAMME)


@group.command("map", epilog="Example:  waymark group map groupProgrammes/0198… --org organisations/yard")
@calls(STAFF)
def map_(call: Call, name: Programme) -> None:
    """Show where the members were at the end: counts without names, and only those that tell of nobody."""
    call.rows(
        call.get(f"{name}:employabilityMap").get("rows", []), COUNTS, empty="the programme has no areas"
    )


def _membership(call: Call, found: dict[str, Any]) -> None:
    call.one(found, MEMBERSHIP)
    call.part(found.get("tasks", []), PROGRESS, empty="nothing said yet")
    call.part(found.get("ratings", []), RATING, empty="not rated yet")


def _said(tasks: list[dict[str, str]]) -> str:
    return ", ".join(f"{each['task']} {each['state'].removeprefix('TASK_STATE_').lower()}" for each in tasks)
