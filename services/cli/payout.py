"""`waymark payout`: batches of payments by the bank, from the first look to the bank's word on each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.options import Limit

payout = typer.Typer(help="Payments by the bank: batch, freeze, approval by a second person, SEPA file.")
MAKER = "finance:maker"
CHECKER = "finance:checker"
BATCH = {
    "batch": "name",
    "state": "state",
    "kind": "kind",
    "execution": "executionDate",
    "total": "total",
    "file fetched": "fileTime",
    "file retracted": "fileRetractTime",
    "sent": "sendTime",
    "days without the bank's word": "daysWithoutWord",
    "settled": "settleTime",
    "given up": "cancelTime",
    "because": "cancelReason",
    "left out": "skippedOrganisations",
}
PAYMENTS = {
    "payee": "organisation",
    "holder": "holderName",
    "iban": "iban",
    "bic": "bic",
    "amount": "amount",
    "set off": "setOff",
    "redemptions": "redemptionCount",
    "payables": "payableCount",
    "reference": "endToEndId",
    "state": "state",
    "returned for": "returnCode",
}
PAYABLE = {
    "payable": "name",
    "pays": "subject",
    "payee": "organisation",
    "amount": "amount",
    "state": "state",
    "batch": "payoutBatch",
}
Name = Annotated[str, typer.Argument(metavar="BATCH", help="payoutBatches/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `payout` to the command line `app`."""
    app.add_typer(payout, name="payout", no_args_is_help=True)


@payout.command(epilog="Example:  waymark payout create 2026-12-01 'Employment Service' BE46735123456736")
@calls(MAKER)
def create(
    call: Call,
    execution: Annotated[str, typer.Argument(help="Day the bank shall pay, 2026-12-01.")],
    debtor: Annotated[str, typer.Argument(help="Owner of the account to pay from.")],
    iban: Annotated[str, typer.Argument(help="IBAN of the account to pay from.")],
    payables: Annotated[
        bool,
        typer.Option("--payables", help="Pay claims, tranches, investors and trainings, not redemptions."),
    ] = False,
) -> None:
    """Put everything that may be paid out into a new batch."""
    wanted = {"executionDate": json_day(execution), "debtorName": debtor, "debtorIban": iban}
    wanted["kind"] = "KIND_PAYABLES" if payables else "KIND_REDEMPTIONS"
    batch = call.post("payoutBatches", {"payoutBatch": wanted})
    show_batch(batch, call.as_json)


@payout.command(epilog="Example:  waymark payout freeze payoutBatches/0198…")
@calls(MAKER)
def freeze(call: Call, name: Name) -> None:
    """Fix the payments of a batch; again, when a hold has come in between."""
    show_batch(call.post(f"{name}:freeze"), call.as_json)


@payout.command(epilog="Example:  waymark payout approve payoutBatches/0198…")
@calls(CHECKER)
def approve(call: Call, name: Name) -> None:
    """Approve a frozen batch; by another person than the one who made it."""
    show_batch(call.post(f"{name}:approve"), call.as_json)


@payout.command(epilog="Example:  waymark payout file payoutBatches/0198… --out batch.xml")
@calls(CHECKER)
def file(call: Call, name: Name, out: Annotated[Path, typer.Option(help="Where to write it.")]) -> None:
    """Write the bank file of an approved batch, SEPA pain.001.001.09, for the bank; to look, `show` it."""
    content = call.caller.rest_bytes("GET", f"/v1/{name}:bankFile")
    out.write_bytes(content)
    typer.echo(f"{out}: {len(content)} bytes")


@payout.command(epilog="Example:  waymark payout sent payoutBatches/0198…")
@calls(CHECKER)
def sent(call: Call, name: Name) -> None:
    """Say that the bank has the file of an approved batch, once somebody has fetched it."""
    show_batch(call.post(f"{name}:markSent"), call.as_json)


@payout.command(epilog="Example:  waymark payout retract payoutBatches/0198…")
@calls(CHECKER)
def retract(call: Call, name: Name) -> None:
    """Say that a file did not go to the bank and is kept nowhere, also of a batch marked as sent by mistake:
    another may cancel the batch."""
    show_batch(call.post(f"{name}:retractBankFile"), call.as_json)


@payout.command(epilog="Example:  waymark payout cancel payoutBatches/0198… 'wrong execution date'")
@calls(MAKER)
def cancel(
    call: Call, name: Name, reason: Annotated[str, typer.Argument(help="Why, for the record.")]
) -> None:
    """Give up a batch whose file nobody has, or another has retracted; what it was to pay waits."""
    show_batch(call.post(f"{name}:cancel", {"reason": reason}), call.as_json)


@payout.command(epilog="Example:  waymark payout show payoutBatches/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a batch with its payments, and what the bank said of each."""
    show_batch(call.get(name), call.as_json)


class State(StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    FROZEN = "frozen"
    APPROVED = "approved"
    SENT = "sent"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@payout.command("list", epilog="Example:  waymark payout list --unanswered 3")
@calls("auditor")
def list_(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only those that stand there.")] = None,
    unanswered: Annotated[
        int, typer.Option(min=0, help="Only those sent so many days ago without the bank's word on all.")
    ] = 0,
    limit: Limit = 50,
) -> None:
    """List batches, newest first."""
    query = {"state": enum("STATE", state)} if state else {}
    query |= {"min_days_without_word": str(unanswered)} if unanswered else {}
    call.many("payoutBatches", BATCH, limit, empty="no such batch", **query)


@payout.command(epilog="Example:  waymark payout payables --payee organisations/acme")
@calls("auditor")
def payables(
    call: Call,
    payee: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List what was approved to be paid beside redemptions, newest first."""
    call.many("payables", PAYABLE, limit, empty="nothing was approved", organisation=payee)


@payout.command(epilog="Example:  waymark payout payable payables/0198…")
@calls("auditor")
def payable(
    call: Call, name: Annotated[str, typer.Argument(metavar="PAYABLE", help="payables/{id}")]
) -> None:
    """Show what was approved to be paid beside redemptions, and the batch that pays it."""
    call.one(call.get(name), {**PAYABLE, "approved": "createTime"})


def show_batch(batch: dict[str, object], as_json: bool) -> None:
    """Prints a batch with its payments."""
    output.one(batch, BATCH, as_json)
    payments = batch.get("payouts", [])
    if not as_json and isinstance(payments, list):
        output.table(payments, PAYMENTS, empty="no payment")
