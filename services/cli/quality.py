"""`waymark quality`: courses and organisations held back until their quality is verified."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

quality = typer.Typer(help="Courses and organisations held back until their quality is verified.")
HOLD = {
    "hold": "name",
    "of": "subject",
    "reason": "reason",
    "placed": "createTime",
    "lifted": "liftTime",
    "outcome": "outcome",
}


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
