"""`waymark hold`: money that looks wrong waits until somebody else has looked."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit

hold = typer.Typer(help="Holds on payouts: placed on an alert, released by a second person with a finding.")
HOLD = {
    "hold": "name",
    "stops": "target",
    "because": "reason",
    "alert": "alert",
    "released": "released",
    "finding": "finding",
}


def register(app: typer.Typer) -> None:
    """Adds `hold` to the command line `app`."""
    app.add_typer(hold, name="hold", no_args_is_help=True)


@hold.command(epilog="Example:  waymark hold place organisations/harbour 'complaint about attendance lists'")
@calls("finance:maker")
def place(
    call: Call,
    target: Annotated[str, typer.Argument(help="redemptions/{id}, courses/{id} or organisations/{id}")],
    reason: Annotated[str, typer.Argument(help="Why; kept sealed.")],
) -> None:
    """Stop payouts for a redemption, a course or a provider."""
    body = {"hold": {"target": target, "reason": reason}}
    call.one(call.post("holds", body), HOLD)


@hold.command(epilog="Example:  waymark hold release holds/0198… 'lists and register agree'")
@calls("finance:checker")
def release(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="HOLD", help="holds/{id}")],
    finding: Annotated[str, typer.Argument(help="What was found; kept sealed.")],
) -> None:
    """End a hold; by another person than the one who placed it."""
    call.one(call.post(f"{name}:release", {"finding": finding}), HOLD)


@hold.command("list", epilog="Example:  waymark hold list --ended")
@calls("auditor")
def list_(
    call: Call,
    ended: Annotated[bool, typer.Option(help="Released and ended ones too.")] = False,
    limit: Limit = 50,
) -> None:
    """List holds, newest first."""
    call.many("holds", HOLD, limit, show_ended=str(ended).lower(), empty="nothing is held")
