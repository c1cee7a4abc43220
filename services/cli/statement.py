"""`waymark statement`: what a provider was owed, was paid and owes back, over a period."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls
from services.cli.options import Limit

statement = typer.Typer(help="What a provider was owed, was paid and owes back: sums, lines, CSV.")
SUMS = {
    "provider": "organisation",
    "from": "startDate",
    "to": "endDate",
    "held before": "openingHeld",
    "cleared before": "openingCleared",
    "owed back before": "openingReceivable",
    "accepted": "accepted",
    "released": "released",
    "approved besides": "approved",
    "paid": "paid",
    "returned": "returned",
    "set off": "setOff",
    "clawed back": "clawedBack",
    "paid back": "paidBack",
    "paid back, undone": "paidBackUndone",
    "written off": "writtenOff",
    "held after": "closingHeld",
    "cleared after": "closingCleared",
    "owed back after": "closingReceivable",
}
LINE = {
    "when": "time",
    "what": "kind",
    "amount": "amount",
    "redemption": "redemption",
    "batch": "payoutBatch",
    "receivable": "receivable",
    "for": "subject",
}
Provider = Annotated[str, typer.Argument(help="organisations/{id}")]
First = Annotated[str, typer.Argument(metavar="FROM", help="First day, 2026-11-01.")]
Last = Annotated[str, typer.Argument(metavar="TO", help="Last day, 2026-11-30.")]
Currency = Annotated[str, typer.Option(help="ISO 4217 code; XTS shows the sandbox.")]


def register(app: typer.Typer) -> None:
    """Adds `statement` to the command line `app`."""
    app.add_typer(statement, name="statement", no_args_is_help=True)


def asked(first: str, last: str, currency: str) -> dict[str, Any]:
    """Days and currency of a statement as query parameters; raises Failure for a day that does not exist."""
    days = {"start_date": json_day(first), "end_date": json_day(last)}
    parts = {f"{name}.{part}": number for name, day in days.items() for part, number in day.items()}
    return {**parts, "currency_code": currency}


@statement.command(epilog="Example:  waymark statement show organisations/harbour 2026-11-01 2026-11-30")
@calls("auditor")
def show(call: Call, provider: Provider, first: First, last: Last, currency: Currency = "EUR") -> None:
    """Sum a period, with what stood at its start and its end."""
    call.one(call.get(f"{provider}/statement", **asked(first, last, currency)), SUMS)


@statement.command(epilog="Example:  waymark statement lines organisations/harbour 2026-11-01 2026-11-30")
@calls("auditor")
def lines(
    call: Call, provider: Provider, first: First, last: Last, currency: Currency = "EUR", limit: Limit = 50
) -> None:
    """List the movements of a period, oldest first."""
    query = asked(first, last, currency)
    call.many(f"{provider}/statement/lines", LINE, limit, empty="nothing moved", **query)


@statement.command(
    epilog="Example:  waymark statement file organisations/harbour 2026-11-01 2026-11-30 --out november.csv"
)
@calls("auditor")
def file(
    call: Call,
    provider: Provider,
    first: First,
    last: Last,
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    currency: Currency = "EUR",
) -> None:
    """Write the movements of a period as CSV."""
    content = call.caller.rest_bytes("GET", f"/v1/{provider}/statement:csv", **asked(first, last, currency))
    out.write_bytes(content)
    typer.echo(f"{out}: {len(content)} bytes")
