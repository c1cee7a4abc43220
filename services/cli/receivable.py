"""`waymark receivable`: what providers owe back, set off against their next batches or written off."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit

receivable = typer.Typer(help="What providers owe back: by age, with write-off approved by a second person.")
RECEIVABLE = {
    "receivable": "name",
    "provider": "organisation",
    "for": "redemption",
    "state": "state",
    "amount": "amount",
    "set off": "setOff",
    "written off": "writtenOff",
    "outstanding": "outstanding",
    "days": "ageDays",
}
ONE = {**RECEIVABLE, "give up because": "writeOffReason"}
Name = Annotated[str, typer.Argument(metavar="RECEIVABLE", help="receivables/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `receivable` to the command line `app`."""
    app.add_typer(receivable, name="receivable", no_args_is_help=True)


@receivable.command("list", epilog="Example:  waymark receivable list --days 90")
@calls("auditor")
def list_(
    call: Call,
    provider: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    days: Annotated[int, typer.Option(min=0, help="Only so many days old or older.")] = 0,
    settled: Annotated[bool, typer.Option(help="Those of which nothing is left too.")] = False,
    limit: Limit = 50,
) -> None:
    """List receivables, oldest first."""
    call.many(
        "receivables",
        RECEIVABLE,
        limit,
        empty="nobody owes anything back",
        organisation=provider,
        min_age_days=days,
        show_settled=str(settled).lower(),
    )


@receivable.command(epilog="Example:  waymark receivable show receivables/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a receivable."""
    call.one(call.get(name), ONE)


@receivable.command(
    epilog="Example:  waymark receivable write-off receivables/0198… 'the provider is bankrupt'"
)
@calls("finance:maker")
def write_off(
    call: Call, name: Name, reason: Annotated[str, typer.Argument(help="Why; kept sealed.")]
) -> None:
    """Propose to write off what is left."""
    call.one(call.post(f"{name}:proposeWriteOff", {"reason": reason}), ONE)


@receivable.command(epilog="Example:  waymark receivable approve receivables/0198…")
@calls("finance:checker")
def approve(call: Call, name: Name) -> None:
    """Approve a write-off; by another person than the one who proposed it."""
    call.one(call.post(f"{name}:approveWriteOff"), ONE)
