"""`waymark plan`: what a person is going to do, task by task."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import kept
from services.cli.call import Call, calls, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, ForHolder, own

plan = typer.Typer(help="What you are going to do, task by task, by when, and when to be reminded.")
PLAN = {
    "plan": "name",
    "title": "title",
    "goal": "goal",
    "text": "description",
    "in the trash until": "purgeTime",
    "etag": "etag",
}
TASK = {
    "task": "id",
    "title": "title",
    "state": "state",
    "by": "deadline.date",
    "zone": "deadline.timeZone",
    "days before": "deadline.remindDaysBefore",
    "text": "description",
}
IN_LIST = ("plan", "title", "goal", "in the trash until")
KIND = kept.Kind("plan", "plans", "plans", PLAN, {key: PLAN[key] for key in IN_LIST}, TASK)
Name = Annotated[str, typer.Argument(metavar="PLAN", help="holders/{id}/plans/{id}")]
Goal = Annotated[str, typer.Option(help="holders/{id}/goals/{id} that it serves.")]
TaskId = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task in the plan.")]


def register(app: typer.Typer) -> None:
    """Adds `plan` to the command line `app`."""
    app.add_typer(plan, name="plan", no_args_is_help=True)


@plan.command(epilog="Example:  waymark plan create 'Become a welder' --goal holders/0198…/goals/0198…")
@calls(LEARNER)
def create(
    call: Call,
    title: Annotated[str, typer.Argument(help="What it is called.")],
    text: kept.More = "",
    goal: Goal = "",
    holder: ForHolder = "",
) -> None:
    """Add a plan, for yourself or on behalf of somebody who let you."""
    body = kept.given({"title": title, "description": text, "goal": goal})
    KIND.print(call, call.post(f"{own(call, holder)}/plans", body))


@plan.command(epilog="Example:  waymark plan update holders/0198…/plans/0198… --title 'Weld by summer'")
@calls(LEARNER)
def update(
    call: Call,
    name: Name,
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    text: kept.More = "",
    goal: Goal = "",
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays."""
    body = kept.given({"title": title, "description": text, "goal": goal})
    KIND.print(call, call.patch(name, with_etag(body, etag)))


@plan.command(epilog="Example:  waymark plan tasks holders/0198…/plans/0198…")
@calls(LEARNER)
def tasks(call: Call, name: Name) -> None:
    """List the tasks of a plan in their order."""
    call.rows(call.get(name).get("tasks", []), TASK, empty="nothing to do")


@plan.command(
    epilog="Example:  waymark plan task holders/0198…/plans/0198… 'Ask at the yard' --due 2026-12-01 "
    "--remind 1 --zone Europe/Brussels"
)
@calls(LEARNER)
def task(
    call: Call,
    name: Name,
    title: Annotated[str, typer.Argument(help="What to do.")],
    text: kept.More = "",
    due: kept.Due = "",
    zone: kept.Zone = "",
    remind: kept.Remind = None,
    at: kept.At = "",
    before: Annotated[str, typer.Option(help="Id of the task that comes after it; default: last.")] = "",
) -> None:
    """Add a task to a plan."""
    read = call.get(name)
    todo = read.get("tasks", [])
    place = _place(todo, before) if before else len(todo)
    deadline = kept.deadline(due, zone, remind, at)
    todo.insert(place, kept.given({"title": title, "description": text, "deadline": deadline}))
    _save(call, read, todo)


@plan.command(
    epilog="Example:  waymark plan done holders/0198…/plans/0198… 0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f"
)
@calls(LEARNER)
def done(
    call: Call,
    name: Name,
    task_id: TaskId,
    dropped: Annotated[bool, typer.Option("--dropped", help="Not wanted any more.")] = False,
) -> None:
    """Mark a task as done."""
    read = call.get(name)
    todo = read.get("tasks", [])
    todo[_place(todo, task_id)]["state"] = "STATE_DROPPED" if dropped else "STATE_DONE"
    _save(call, read, todo)


def _place(todo: list[dict[str, Any]], task_id: str) -> int:
    for index, each in enumerate(todo):
        if each["id"] == task_id:
            return index
    raise Failure(ExitCode.NOT_FOUND, "The plan has no such task.", remedy="See `waymark plan tasks`.")


def _save(call: Call, read: dict[str, Any], todo: list[dict[str, Any]]) -> None:
    """Writes the tasks of a plan as it was read, refused when somebody changed it meanwhile."""
    KIND.print(call, call.patch(read["name"], {"tasks": todo, "etag": read["etag"]}))


kept.add_list_by_day(plan, KIND)
kept.add_common(plan, KIND)
kept.add_order(plan, KIND)
