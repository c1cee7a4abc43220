"""`waymark fund-return`: money of a budget that goes back to its funding source."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.amounts import json_money
from services.cli.call import Call, calls
from services.cli.options import Limit
from services.cli.programme import CHECKER, MAKER

fund_return = typer.Typer(
    help="Money put into a programme by mistake, back to its funding source by two people."
)
RETURN = {
    "return": "name",
    "pot": "pot",
    "source": "fundingSource",
    "amount": "amount",
    "because": "reason",
    "state": "state",
    "decided": "decideTime",
}
Name = Annotated[str, typer.Argument(metavar="RETURN", help="programmes/{id}/budgets/{id}/fundReturns/{id}")]
Budget = Annotated[str, typer.Argument(metavar="BUDGET", help="programmes/{id}/budgets/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `fund-return` to the command line `app`."""
    app.add_typer(fund_return, name="fund-return", no_args_is_help=True)


@fund_return.command(
    epilog="Example:  waymark fund-return propose programmes/p1/budgets/0198… 225000 'a nought too many'"
)
@calls(MAKER)
def propose(
    call: Call,
    budget: Budget,
    amount: Annotated[str, typer.Argument(help="How much, for example 225000 or `225000.00 EUR`.")],
    reason: Annotated[str, typer.Argument(help="Why; kept sealed.")],
    pot: Annotated[str, typer.Option(help="The pot to take it from; default: general.")] = "",
) -> None:
    """Propose to return money that nobody was granted."""
    body = {"pot": pot, "amount": json_money(amount), "reason": reason}
    call.one(call.post(f"{budget}/fundReturns", {"fundReturn": body}), RETURN)


@fund_return.command(epilog="Example:  waymark fund-return approve programmes/p1/budgets/…/fundReturns/0198…")
@calls(CHECKER)
def approve(call: Call, name: Name) -> None:
    """Return the money; by another person than the one who proposed it."""
    call.one(call.post(f"{name}:approve"), RETURN)


@fund_return.command(epilog="Example:  waymark fund-return decline programmes/p1/budgets/…/fundReturns/0198…")
@calls(CHECKER)
def decline(call: Call, name: Name) -> None:
    """End a proposal: whoever made it withdraws it, or another declines it."""
    call.one(call.post(f"{name}:decline"), RETURN)


@fund_return.command("list", epilog="Example:  waymark fund-return list programmes/p1/budgets/0198…")
@calls("auditor")
def list_(call: Call, budget: Budget, limit: Limit = 50) -> None:
    """List what was returned of a budget, or is proposed to be, newest first."""
    call.many(f"{budget}/fundReturns", RETURN, limit, empty="nothing was returned")
