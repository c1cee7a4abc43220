"""`waymark consent`: what a holder let others see or do."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output
from services.cli.call import Call, calls, listed
from services.cli.holder import LEARNER, own
from services.cli.options import Limit

consent = typer.Typer(help="See all that you let others see or do, and whether they still can.")
RECEIPT = {
    "what": "kind",
    "to": "recipient",
    "of": "organisation",
    "for": "purpose",
    "in your words": "statedPurpose",
    "by law": "legalBasis",
    "data": "fields",
    "parts": "parts",
    "given": "giveTime",
    "until": "expireTime",
    "ended": "endTime",
    "used": "uses",
    "at most": "maxUses",
    "in force": "inForce",
    "permission": "permission",
}


def register(app: typer.Typer) -> None:
    """Adds `consent` to the command line `app`."""
    app.add_typer(consent, name="consent", no_args_is_help=True)


@consent.command("list", epilog="Example:  waymark consent list --in-force")
@calls(LEARNER)
def list_(
    call: Call,
    in_force: Annotated[bool, typer.Option("--in-force", help="Only what is open now.")] = False,
    limit: Limit = 50,
) -> None:
    """List your receipts of consent, newest first: to whom, what for, which data, until when."""
    alone = {"inForce": "true"} if in_force else {}
    found = listed(call.caller, f"{own(call, '')}/consentReceipts", limit, **alone)
    if call.as_json or not found:
        call.rows(found, RECEIPT, empty="nobody but you may see or do anything")
        return
    for each in found:  # of more parts than a table has room for
        output.details(each, RECEIPT)
        typer.echo()
