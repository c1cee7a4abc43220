"""`waymark receivable`: what providers owe back, set off against their next batches, paid or written off."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import letters
from services.cli.amounts import json_money
from services.cli.call import Call, calls
from services.cli.options import Limit, Provider

receivable = typer.Typer(help="What providers owe back: by age, with write-off approved by a second person.")
RECEIVABLE = {
    "receivable": "name",
    "provider": "organisation",
    "for": "redemption",
    "state": "state",
    "amount": "amount",
    "set off": "setOff",
    "paid": "paid",
    "written off": "writtenOff",
    "outstanding": "outstanding",
    "about to be set off": "reserved",
    "days": "ageDays",
    "to be paid with": "paymentReference",
}
ONE = {**RECEIVABLE, "give up because": "writeOffReason"}
PAYMENT = {
    "payment": "name",
    "amount": "amount",
    "bank reference": "bankReference",
    "matched": "matched",
    "noted": "createTime",
    "undone": "undoTime",
}
Name = Annotated[str, typer.Argument(metavar="RECEIVABLE", help="receivables/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `receivable` to the command line `app`."""
    app.add_typer(receivable, name="receivable", no_args_is_help=True)


@receivable.command("list", epilog="Example:  waymark receivable list --days 90")
@calls("auditor")
def list_(
    call: Call,
    provider: Provider = "",
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
        **call.caller.own(organisation=provider),
        min_age_days=days,
        show_settled=str(settled).lower(),
    )


@receivable.command(epilog="Example:  waymark receivable show receivables/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a receivable, with what its provider paid of it."""
    _show(call, call.get(name))


@receivable.command(
    epilog="Example:  waymark receivable letter receivables/0198… --language nl --out demand.pdf"
)
@calls("auditor")
def letter(
    call: Call,
    name: Name,
    out: letters.Out,
    language: letters.Language = "en",
    form: letters.Form = letters.Format.PDF,
) -> None:
    """Write the letter that demands what is left: amount, reference, day and account."""
    letters.write(call, name, out, language, form)


@receivable.command(
    epilog="Example:  waymark receivable write-off receivables/0198… 'the provider is bankrupt'"
)
@calls("finance:maker")
def write_off(
    call: Call, name: Name, reason: Annotated[str, typer.Argument(help="Why; kept sealed.")]
) -> None:
    """Propose to write off what is left."""
    _show(call, call.post(f"{name}:proposeWriteOff", {"reason": reason}))


@receivable.command(epilog="Example:  waymark receivable approve receivables/0198…")
@calls("finance:checker")
def approve(call: Call, name: Name) -> None:
    """Approve a write-off; by another person than the one who proposed it."""
    _show(call, call.post(f"{name}:approveWriteOff"))


@receivable.command(epilog="Example:  waymark receivable decline receivables/0198…")
@calls("finance:checker")
def decline(call: Call, name: Name) -> None:
    """End a proposal to write off: whoever made it withdraws it, or another declines it."""
    _show(call, call.post(f"{name}:declineWriteOff"))


@receivable.command(epilog="Example:  waymark receivable paid receivables/0198… 300.00 --reference A-1")
@calls("finance:maker")
def paid(
    call: Call,
    name: Name,
    amount: Annotated[str, typer.Argument(help="Like 300.00.")],
    reference: Annotated[str, typer.Option(help="The bank's reference of the credit.")] = "",
) -> None:
    """Note what the provider paid by itself and the bank's file did not say by reference."""
    body = {"amount": json_money(amount), "bankReference": reference}
    _show(call, call.post(f"{name}:recordPayment", body))


@receivable.command(epilog="Example:  waymark receivable undo receivables/0198…/payments/0198…")
@calls("finance:checker")
def undo(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="PAYMENT", help="receivables/{id}/payments/{id}")],
) -> None:
    """Take back that a payment was noted; by another person than the one who noted it."""
    _show(call, call.post(f"{name}:undo"))


def _show(call: Call, found: dict[str, Any]) -> None:
    call.one(found, ONE)
    if found.get("payments"):
        call.part(found["payments"], PAYMENT)
