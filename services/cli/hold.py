"""`waymark hold`: money that looks wrong waits until somebody else has looked."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.amounts import in_days
from services.cli.call import Call, calls
from services.cli.options import Limit

hold = typer.Typer(help="Holds on payouts: placed on an alert, released by a second person with a finding.")
HOLD = {
    "hold": "name",
    "stops": "target",
    "because": "reason",
    "alert": "alert",
    "until": "endTime",
    "renewed": "renewalCount",
    "because again": "renewalReason",
    "released": "released",
    "finding": "finding",
}

Days = Annotated[int, typer.Option(min=0, help="Ends by itself after so many days; 0: when released.")]


def register(app: typer.Typer) -> None:
    """Adds `hold` to the command line `app`."""
    app.add_typer(hold, name="hold", no_args_is_help=True)


@hold.command(epilog="Example:  waymark hold place organisations/harbour 'complaint about attendance lists'")
@calls("finance:maker")
def place(
    call: Call,
    target: Annotated[str, typer.Argument(help="redemptions/{id}, courses/{id} or organisations/{id}")],
    reason: Annotated[str, typer.Argument(help="Why; kept sealed.")],
    days: Days = 0,
) -> None:
    """Stop payouts for a redemption, a course or a provider."""
    body = {"hold": {"target": target, "reason": reason, **_end(days)}}
    call.one(call.post("holds", body), HOLD | {"approved before": "payoutBatches"})


@hold.command(epilog="Example:  waymark hold renew holds/0198… 'not heard yet' --days 30")
@calls("finance:maker")
def renew(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="HOLD", help="holds/{id}")],
    reason: Annotated[str, typer.Argument(help="Why it goes on; kept sealed.")],
    days: Days = 0,
) -> None:
    """Put off the end of a hold that would end by itself."""
    call.one(call.post(f"{name}:renew", {"reason": reason, **_end(days)}), HOLD)


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


def _end(days: int) -> dict[str, str]:
    return {"endTime": in_days(days)} if days else {}
