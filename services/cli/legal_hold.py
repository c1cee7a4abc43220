"""`waymark legal-hold`: what the law asks to be kept of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.holder import LEARNER, HolderName, own
from services.cli.options import Limit
from services.cli.rights import DESK

legal_hold = typer.Typer(help="Reasons in law to keep a portfolio that its holder may want erased.")
HOLD = {
    "hold": "name",
    "because of": "legalBasis",
    "state": "state",
    "set by": "setter",
    "since": "createTime",
    "lifted by": "lifter",
    "lifted because": "liftReason",
}


KEPT = {"kept": "name", "of": "resource", "changed": "keepTime"}


def register(app: typer.Typer) -> None:
    """Adds `legal-hold` to the command line `app`."""
    app.add_typer(legal_hold, name="legal-hold", no_args_is_help=True)


@legal_hold.command("set", epilog="Example:  waymark legal-hold set holders/0198… 'Art. 17(3)(e), claim 1'")
@calls(DESK)
def set_(
    call: Call,
    holder: Annotated[str, typer.Argument(help="holders/{id}")],
    legal_basis: Annotated[str, typer.Argument(help="Law, article or order, in words for the person.")],
) -> None:
    """Keep a portfolio from being erased; the person is shown why."""
    call.one(call.post(f"{holder}/legalHolds", {"legalBasis": legal_basis}), HOLD)


@legal_hold.command("list", epilog="Example:  waymark legal-hold list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List holds, lifted ones included; a look of the office is written to the access log."""
    call.many(f"{own(call, holder)}/legalHolds", HOLD, limit, empty="nothing is held")


@legal_hold.command(epilog="Example:  waymark legal-hold kept --json")
@calls(LEARNER)
def kept(call: Call, limit: Limit = 50) -> None:
    """List what was changed while a hold was in force; what it said before is in the JSON."""
    call.many(f"{own(call, '')}/keptContents", KEPT, limit, empty="nothing was kept")


@legal_hold.command(epilog="Example:  waymark legal-hold lift holders/0198…/legalHolds/0198… 'settled'")
@calls(DESK)
def lift(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="HOLD", help="holders/{id}/legalHolds/{id}")],
    reason: Annotated[str, typer.Argument(help="Why, in words for the person.")],
) -> None:
    """Lift a hold."""
    call.one(call.post(f"{name}:lift", {"reason": reason}), HOLD)
