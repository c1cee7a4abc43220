"""`waymark goal`: what a person wants to reach."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import kept
from services.cli.call import Call, calls, enum, with_etag
from services.cli.holder import LEARNER, Etag, ForHolder, own

goal = typer.Typer(help="What you want to reach, by when, and when to be reminded.")
GOAL = {
    "goal": "name",
    "title": "title",
    "kind": "kind",
    "state": "state",
    "by": "deadline.date",
    "zone": "deadline.timeZone",
    "days before": "deadline.remindDaysBefore",
    "at": "deadline.remindTime",
    "text": "description",
    "in the trash until": "purgeTime",
    "etag": "etag",
}
IN_LIST = ("goal", "title", "kind", "state", "by", "in the trash until")
KIND = kept.Kind("goal", "goals", "goals", GOAL, {key: GOAL[key] for key in IN_LIST})


class About(StrEnum):
    """What a goal is about."""

    CAREER = "career"
    LEARNING = "learning"
    PERSONAL = "personal"


class State(StrEnum):
    """How far a goal has come."""

    OPEN = "open"
    REACHED = "reached"
    DROPPED = "dropped"


Kind = Annotated[About | None, typer.Option(help="What it is about.")]


def register(app: typer.Typer) -> None:
    """Adds `goal` to the command line `app`."""
    app.add_typer(goal, name="goal", no_args_is_help=True)


@goal.command(
    epilog="Example:  waymark goal create 'Weld for a living' --kind career --due 2027-06-30 "
    "--zone Europe/Brussels --remind 7 --remind 0"
)
@calls(LEARNER)
def create(
    call: Call,
    title: Annotated[str, typer.Argument(help="What you want to reach.")],
    text: kept.More = "",
    kind: Kind = None,
    due: kept.Due = "",
    zone: kept.Zone = "",
    remind: kept.Remind = None,
    at: kept.At = "",
    holder: ForHolder = "",
) -> None:
    """Add a goal, for yourself or on behalf of somebody who let you."""
    body = _goal(title, text, kind, None, kept.deadline(due, zone, remind, at))
    call.one(call.post(f"{own(call, holder)}/goals", body), GOAL)


@goal.command(epilog="Example:  waymark goal update holders/0198…/goals/0198… --state reached")
@calls(LEARNER)
def update(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="GOAL", help="holders/{id}/goals/{id}")],
    title: Annotated[str, typer.Option(help="What you want to reach.")] = "",
    text: kept.More = "",
    kind: Kind = None,
    state: Annotated[State | None, typer.Option(help="How far it has come.")] = None,
    due: kept.Due = "",
    zone: kept.Zone = "",
    remind: kept.Remind = None,
    at: kept.At = "",
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays."""
    body = _goal(title, text, kind, state, kept.deadline(due, zone, remind, at))
    call.one(call.patch(name, with_etag(body, etag)), GOAL)


def _goal(
    title: str, text: str, kind: About | None, state: State | None, deadline: dict[str, Any] | None
) -> dict[str, Any]:
    words = {"kind": enum("KIND", kind), "state": enum("STATE", state), "deadline": deadline}
    return kept.given({"title": title, "description": text} | words)


kept.add_list_by_day(goal, KIND)
kept.add_common(goal, KIND)
kept.add_order(goal, KIND)
