"""`waymark complaint`: what learners find wrong with a course, booked or not."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.complaint import complaint
from services.cli.options import Limit

COMPLAINT = {
    "complaint": "name",
    "kind": "kind",
    "state": "state",
    "because": "decisionReason",
    "filed": "createTime",
}
Course = Annotated[str, typer.Argument(metavar="COURSE", help="courses/{id}")]


class Kind(StrEnum):
    """What is wrong."""

    NOT_AS_DESCRIBED = "not-as-described"
    NOT_HELD = "not-held"
    PRICE = "price"
    QUALITY = "quality"
    ACCESS = "access"
    OTHER = "other"


class State(StrEnum):
    """Where a complaint stands."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


@complaint.command(epilog="Example:  waymark complaint course courses/0198… not-as-described")
@calls("learner")
def course(call: Call, name: Course, kind: Annotated[Kind, typer.Argument(help="What is wrong.")]) -> None:
    """Complain about a course."""
    call.one(call.post(f"{name}/complaints", {"kind": enum("KIND", kind)}), COMPLAINT)


@complaint.command(epilog="Example:  waymark complaint courses --state open")
@calls("catalogue_manager:maker")
def courses(
    call: Call,
    about: Annotated[str, typer.Option("--of", help="Only about this courses/{id}.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List complaints about courses, oldest first; learners see their own, providers those about theirs."""
    wanted = {"course": about, "state": enum("STATE", state)}
    call.many("courseComplaints", COMPLAINT, limit, key="complaints", empty="nobody complains", **wanted)


@complaint.command(
    epilog="Example:  waymark complaint decide courses/0198…/complaints/0198… 'price was raised' --upheld"
)
@calls("catalogue_manager:maker")
def decide(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="COMPLAINT", help="courses/{course}/complaints/{id}")],
    reason: Annotated[str, typer.Argument(help="Why; the learner and the provider read it.")],
    upheld: Annotated[bool, typer.Option("--upheld/--dismissed", help="Whether it is right.")],
) -> None:
    """Decide a complaint about a course."""
    call.one(call.post(f"{name}:decide", {"upheld": upheld, "reason": reason}), COMPLAINT)
