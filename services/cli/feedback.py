"""`waymark feedback`: what learners say of courses they have completed, and what becomes of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

feedback = typer.Typer(help="What learners say of courses they have completed: given, answered, moderated.")
FEEDBACK = {
    "feedback": "name",
    "rating": "rating",
    "comment": "comment",
    "answer": "answer",
    "state": "state",
    "fault": "fault",
}
Course = Annotated[str, typer.Argument(metavar="COURSE", help="courses/{id}")]
Name = Annotated[str, typer.Argument(metavar="FEEDBACK", help="courses/{course}/feedback/{id}")]


class Fault(StrEnum):
    """What is wrong with feedback."""

    PERSONAL_DATA = "personal-data"
    ABUSE = "abuse"
    OFF_TOPIC = "off-topic"
    NOT_GENUINE = "not-genuine"
    UNTRUE = "untrue"


def register(app: typer.Typer) -> None:
    """Adds `feedback` to the command line `app`."""
    app.add_typer(feedback, name="feedback", no_args_is_help=True)


@feedback.command(epilog='Example:  waymark feedback give courses/0198… 4 --comment "Much practice."')
@calls("learner")
def give(
    call: Call,
    course: Course,
    rating: Annotated[int, typer.Argument(min=1, max=5, help="From 1 (poor) to 5 (excellent).")],
    comment: Annotated[str, typer.Option(help="In your words, for everybody to read.")] = "",
) -> None:
    """Say what a course that you have completed with a voucher was like."""
    call.one(call.post(f"{course}/feedback", {"rating": rating, "comment": comment}), FEEDBACK)


@feedback.command(epilog="Example:  waymark feedback delete courses/0198…/feedback/0198…")
@calls("learner")
def delete(call: Call, name: Name) -> None:
    """Take back what you said of a course."""
    call.delete(name)


@feedback.command("list", epilog="Example:  waymark feedback list courses/0198…")
@calls()
def list_(call: Call, course: Course, limit: Limit = 50) -> None:
    """List what learners say of a course, newest first."""
    call.many(f"{course}/feedback", FEEDBACK, limit, key="feedback", empty="nobody has said anything")


@feedback.command(epilog="Example:  waymark feedback rating courses/0198…")
@calls()
def rating(call: Call, course: Course) -> None:
    """Say how a course is rated; nothing of fewer than five."""
    call.one(call.get(f"{course}/rating"), {"rated by": "count", "mean": "mean", "too few": "suppressed"})


@feedback.command(epilog='Example:  waymark feedback answer courses/0198…/feedback/0198… "Thank you."')
@calls("provider")
def answer(
    call: Call, name: Name, said: Annotated[str, typer.Argument(metavar="ANSWER", help="The answer.")]
) -> None:
    """Answer what a learner says of a course of your organisation."""
    call.one(call.post(f"{name}:answer", {"answer": said}), FEEDBACK)


@feedback.command(epilog="Example:  waymark feedback report courses/0198…/feedback/0198… abuse")
@calls("provider")
def report(call: Call, name: Name, fault: Annotated[Fault, typer.Argument(help="What is wrong.")]) -> None:
    """Report feedback that should not be shown."""
    call.one(call.post(f"{name}:report", {"fault": enum("FAULT", fault)}), FEEDBACK)


@feedback.command(epilog="Example:  waymark feedback appeal courses/0198…/feedback/0198…")
@calls("learner")
def appeal(call: Call, name: Name) -> None:
    """Appeal against the hiding of what you said."""
    call.one(call.post(f"{name}:appeal", {}), FEEDBACK)


@feedback.command(epilog="Example:  waymark feedback reported")
@calls("catalogue_manager:maker")
def reported(call: Call, limit: Limit = 50) -> None:
    """List reports and appeals that wait for a decision, oldest first."""
    call.many("courseFeedback:reported", FEEDBACK, limit, key="feedback", empty="nothing waits")


@feedback.command(epilog="Example:  waymark feedback decide courses/0198…/feedback/0198… --hide abuse")
@calls("catalogue_manager:maker")
def decide(
    call: Call,
    name: Name,
    hide: Annotated[Fault | None, typer.Option(help="Hide it for this; without: show it.")] = None,
) -> None:
    """Decide a report or an appeal: show the feedback, or hide it with a reason."""
    call.one(call.post(f"{name}:decide", {"fault": enum("FAULT", hide)} if hide else {}), FEEDBACK)
