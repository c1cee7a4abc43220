"""`waymark rebooking`: another course for a learner whose provider was delisted."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls

rebooking = typer.Typer(help="Another course for learners of a delisted provider, or the money back.")
REBOOKING = {
    "rebooking": "name",
    "state": "state",
    "sessions": "sessions",
    "choose until": "expireTime",
    "new redemption": "newRedemption",
}
Redemption = Annotated[str, typer.Argument(help="redemptions/{id} at the delisted provider")]


def register(app: typer.Typer) -> None:
    """Adds `rebooking` to the command line `app`."""
    app.add_typer(rebooking, name="rebooking", no_args_is_help=True)


@rebooking.command(epilog="Example:  waymark rebooking show redemptions/0198…")
@calls("learner")
def show(call: Call, redemption: Redemption) -> None:
    """Show what is offered."""
    call.one(call.get(f"{redemption}/rebooking"), REBOOKING)


@rebooking.command(epilog="Example:  waymark rebooking accept redemptions/0198… courses/c/sessions/s")
@calls("learner")
def accept(
    call: Call,
    redemption: Redemption,
    session: Annotated[str, typer.Argument(help="One of the offered courses/{course}/sessions/{id}.")],
) -> None:
    """Reserve an offered session with the same voucher; authorise it afterwards."""
    call.one(call.post(f"{redemption}/rebooking:accept", {"session": session}), REBOOKING)


@rebooking.command(epilog="Example:  waymark rebooking decline redemptions/0198…")
@calls("learner")
def decline(call: Call, redemption: Redemption) -> None:
    """Give the booking up: the money is on the voucher again."""
    call.one(call.post(f"{redemption}/rebooking:decline"), REBOOKING)
