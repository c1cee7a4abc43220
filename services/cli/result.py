"""`waymark result`: feedback and outcomes of learners, and sums of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum

result = typer.Typer(help="What training did for learners: feedback, where they are, sums of five or more.")
FEEDBACK = {
    "feedback": "name",
    "satisfied": "satisfaction",
    "learned": "skillsGained",
    "can change until": "changeTimeLimit",
}
OUTCOME = {
    "outcome": "name",
    "status": "status",
    "better": "improved",
    "says": "source",
    "as of": "observedDate",
    "asked": "askTime",
    "due": "dueTime",
}
LEAVING = {
    "leaving": "name",
    "status": "status",
    "in education": "inEducation",
    "qualified": "qualified",
    "says": "source",
    "as of": "observedDate",
    "left": "leavingDate",
    "to be told until": "lastDate",
}
GROUP = {
    "group": "group",
    "feedback": "feedbackCount",
    "satisfied": "satisfactionMean",
    "learned": "skillsGainedMean",
    "outcomes": "outcomeCount",
    "in occupation": "employedInOccupation",
    "employed": "employed",
    "in training": "inTraining",
    "seeking": "seeking",
    "too few to tell": "feedbackSuppressed",
}
Redemption = Annotated[str, typer.Argument(help="redemptions/{id}")]
Day = Annotated[str, typer.Option("--on", help="The day it is about, 2026-11-26; default: today.")]
Mark = Annotated[int, typer.Argument(min=1, max=5, help="1 to 5")]


class Status(StrEnum):
    """Where a learner is."""

    EMPLOYED_IN_OCCUPATION = "employed-in-occupation"
    EMPLOYED = "employed"
    IN_TRAINING = "in-training"
    SEEKING = "seeking"


class Work(StrEnum):
    """Whether a learner is at work."""

    AT_WORK = "at-work"
    SEEKING = "seeking"
    NEITHER = "neither"


class By(StrEnum):
    """What makes a group."""

    PROGRAMME = "programme"
    ORGANISATION = "organisation"
    COURSE = "course"


def register(app: typer.Typer) -> None:
    """Adds `result` to the command line `app`."""
    app.add_typer(result, name="result", no_args_is_help=True)


@result.command(epilog="Example:  waymark result feedback redemptions/0198… 4 5")
@calls("learner")
def feedback(call: Call, redemption: Redemption, satisfied: Mark, learned: Mark) -> None:
    """Give or change feedback: how satisfied, and how much was learned."""
    body = {"feedback": {"satisfaction": satisfied, "skillsGained": learned}}
    call.one(call.post(f"{redemption}/feedback:give", body), FEEDBACK)


@result.command(epilog="Example:  waymark result outcome redemptions/0198… employed --as learner:noor")
@calls("system")
def outcome(
    call: Call,
    redemption: Redemption,
    status: Annotated[Status, typer.Argument(help="Where the learner is.")],
    improved: Annotated[
        bool | None, typer.Option("--improved/--not-improved", help="Whether work got better (docs/esf.md).")
    ] = None,
    on: Day = "",
) -> None:
    """Say where a learner is after a training: the register at any time, the learner after six months."""
    body = _told({"status": enum("STATUS", status), "improved": improved}, on)
    call.one(call.post(f"{redemption}/outcome:report", {"outcome": body}), OUTCOME)


@result.command(epilog="Example:  waymark result show redemptions/0198… --as learner:noor")
@calls("system")
def show(call: Call, redemption: Redemption) -> None:
    """Show where a learner is, and since when they could say so."""
    call.one(call.get(f"{redemption}/outcome"), OUTCOME)


@result.command(epilog="Example:  waymark result left redemptions/0198… --work at-work --qualified")
@calls("system")
def left(
    call: Call,
    redemption: Redemption,
    work: Annotated[Work | None, typer.Option(help="Whether the learner is at work.")] = None,
    in_education: Annotated[
        bool | None, typer.Option("--in-education/--not-in-education", help="In further training or not.")
    ] = None,
    qualified: Annotated[
        bool | None, typer.Option("--qualified/--not-qualified", help="Gained a qualification or not.")
    ] = None,
    on: Day = "",
) -> None:
    """Say where a learner is upon leaving: of a day in the four weeks after the training's end."""
    said = {"status": enum("STATUS", work) or None, "inEducation": in_education, "qualified": qualified}
    call.one(call.post(f"{redemption}/leaving:report", {"leaving": _told(said, on)}), LEAVING)


@result.command(epilog="Example:  waymark result leaving redemptions/0198… --as learner:noor")
@calls("system")
def leaving(call: Call, redemption: Redemption) -> None:
    """Show what is said of a learner upon leaving, and until when it can be told."""
    call.one(call.get(f"{redemption}/leaving"), LEAVING)


@result.command(epilog="Example:  waymark result report --by course --programme programmes/welders")
@calls("auditor")
def report(
    call: Call,
    by: Annotated[By, typer.Option(help="What makes a group.")] = By.PROGRAMME,
    programme: Annotated[str, typer.Option(help="Only of this programmes/{id}.")] = "",
    provider: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    year: Annotated[int, typer.Option(help="Only what was accepted in this year.")] = 0,
) -> None:
    """Sum feedback and outcomes; nothing is told of fewer than five learners."""
    query = {"group_by": enum("GROUP_BY", by), "programme": programme, "organisation": provider}
    answer = call.get("reports/learnerResults", **query, **({"year": year} if year else {}))
    call.rows(answer.get("groups", []), GROUP, empty="nobody has said anything yet")


def _told(said: Mapping[str, Any], on: str) -> dict[str, Any]:
    """What was said, and of which day where one is given."""
    told = {name: value for name, value in said.items() if value is not None}
    return told | ({"observedDate": json_day(on)} if on else {})
