"""`waymark quality`: what is held back until its quality is verified, and appeals of partners."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

quality = typer.Typer(
    help="Courses and organisations held back until their quality is verified; appeals of partners."
)
HOLD = {
    "hold": "name",
    "of": "subject",
    "reason": "reason",
    "placed": "createTime",
    "lifted": "liftTime",
    "outcome": "outcome",
}
APPEAL = {
    "appeal": "name",
    "against": "subject",
    "because": "reason",
    "state": "state",
    "finding": "finding",
    "filed": "createTime",
}


class State(StrEnum):
    """Where an appeal stands."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class Reason(StrEnum):
    """Why something is held back."""

    COMPLAINTS = "complaints"
    FEEDBACK = "feedback"
    INSPECTION = "inspection"
    FRAUD_SUSPECTED = "fraud-suspected"
    SAFETY = "safety"
    ACCREDITATION = "accreditation"


class Outcome(StrEnum):
    """How a hold ends."""

    UNFOUNDED = "unfounded"
    MENDED = "mended"


def register(app: typer.Typer) -> None:
    """Adds `quality` to the command line `app`."""
    app.add_typer(quality, name="quality", no_args_is_help=True)


@quality.command(epilog="Example:  waymark quality hold organisations/harbour inspection")
@calls("catalogue_manager:maker")
def hold(
    call: Call,
    subject: Annotated[str, typer.Argument(help="courses/{id} or organisations/{id}")],
    reason: Annotated[Reason, typer.Argument(help="Why.")],
) -> None:
    """Hold a course or an organisation back: nobody finds or books it from now on."""
    call.one(call.post("qualityHolds", {"subject": subject, "reason": enum("REASON", reason)}), HOLD)


@quality.command(epilog="Example:  waymark quality lift qualityHolds/0198… mended")
@calls("catalogue_manager:checker")
def lift(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="HOLD", help="qualityHolds/{id}")],
    outcome: Annotated[Outcome, typer.Argument(help="How it ends.")],
) -> None:
    """Lift a hold; by another person than the one who placed it."""
    call.one(call.post(f"{name}:lift", {"outcome": enum("OUTCOME", outcome)}), HOLD)


@quality.command(epilog="Example:  waymark quality holds --open")
@calls("catalogue_manager:maker")
def holds(
    call: Call,
    open_only: Annotated[bool, typer.Option("--open", help="Only open ones.")] = False,
    limit: Limit = 50,
) -> None:
    """List holds, newest first."""
    call.many("qualityHolds", HOLD, limit, empty="nothing is held back", open_only=str(open_only).lower())


@quality.command(
    epilog="Example:  waymark quality appeal qualityHolds/0198… 'the inspector saw another site'"
)
@calls("provider")
def appeal(
    call: Call,
    subject: Annotated[
        str,
        typer.Argument(
            help="qualityHolds/{id}, organisations/{id}/accreditations/{id} or partnerApplications/{id}"
        ),
    ],
    reason: Annotated[str, typer.Argument(help="Why it is wrong; nothing about people.")],
) -> None:
    """Appeal against a hold, a withdrawn accreditation or a refused application."""
    call.one(call.post("appeals", {"subject": subject, "reason": reason}), APPEAL)


@quality.command(epilog="Example:  waymark quality appeals --state open")
@calls("catalogue_manager:maker")
def appeals(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List appeals, oldest first; partners see their own."""
    call.many("appeals", APPEAL, limit, empty="nobody appeals", state=enum("STATE", state))


@quality.command(epilog="Example:  waymark quality decide appeals/0198… 'seen again' --upheld")
@calls("catalogue_manager:checker")
def decide(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="APPEAL", help="appeals/{id}")],
    finding: Annotated[str, typer.Argument(help="Why; the partner reads it.")],
    upheld: Annotated[bool, typer.Option("--upheld/--dismissed", help="Whether it is right.")],
) -> None:
    """Decide an appeal; by another person than the one who decided before."""
    call.one(call.post(f"{name}:decide", {"upheld": upheld, "finding": finding}), APPEAL)
