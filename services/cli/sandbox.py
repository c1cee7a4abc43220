"""`waymark sandbox`: a provider tests its integration; it plays the learner, the caseworker and the bank."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.amounts import json_date, json_money
from services.cli.call import Call, calls
from services.cli.exits import Failure
from services.cli.legal_day import legal_day
from services.cli.options import Limit
from services.cli.receivable import RECEIVABLE
from services.cli.redemption import REDEMPTION, Name, Reason, show_redemption, with_amount

sandbox = typer.Typer(help="Test an integration without anybody's money: amounts are in XTS, which is none.")
PROVIDER = "provider"
CURRENCY = "XTS"
SOURCE = "sandbox"
VOUCHER = {"learner": "learner", "code": "code", "value": "value", "valid until": "expireTime"}
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="organisations/{id}, your own.")]
Programme = Annotated[str, typer.Argument(metavar="PROGRAMME", help="programmes/{id} of the sandbox.")]


def register(app: typer.Typer) -> None:
    """Adds `sandbox` to the command line `app`."""
    app.add_typer(sandbox, name="sandbox", no_args_is_help=True)


@sandbox.command(epilog="Example:  waymark sandbox fund programmes/sandbox 1000000")
@calls("programme_manager:maker")
def fund(
    call: Call,
    programme: Programme,
    amount: Annotated[str, typer.Argument(help="How much, 1000000 or `1000000.00 XTS`.")],
) -> None:
    """Fund a sandbox programme for this year, from a source that is no money and is made if need be."""
    source = {"kind": "KIND_SANDBOX", "displayNames": {"en": "Sandbox"}}
    try:
        call.post("fundingSources", source, funding_source_id=SOURCE)
    except Failure as failure:
        if failure.reason != "ALREADY_EXISTS":
            raise
    today = legal_day()
    body = {
        "fundingSource": f"fundingSources/{SOURCE}",
        "startDate": json_date(today.replace(month=1, day=1)),
        "endDate": json_date(today.replace(month=12, day=31)),
        "amount": json_money(amount, CURRENCY),
    }
    budget = call.post(f"{programme}:fund", body)
    columns = {"pot": "code", "funded": "funded", "available": "available"}
    call.rows(budget["pots"], columns)


@sandbox.command(epilog="Example:  waymark sandbox programmes")
@calls()
def programmes(call: Call, limit: Limit = 50) -> None:
    """List the programmes to test on."""
    columns = {"programme": "name", "called": "displayNames", "in force": "activeVersion"}
    call.many("programmes", columns, limit, empty="no sandbox yet", sandbox=True)


@sandbox.command(
    "list", epilog="Example:  waymark sandbox list organisations/harbour --org organisations/harbour"
)
@calls(PROVIDER)
def list_(call: Call, provider: Provider, limit: Limit = 50) -> None:
    """List your redemptions of sandbox vouchers, newest first."""
    columns = {key: REDEMPTION[key] for key in ("redemption", "state", "session", "reserved", "accepted")}
    call.many("redemptions", columns, limit, empty="no redemption", organisation=provider, sandbox=True)


@sandbox.command(
    epilog="Example:  waymark sandbox voucher organisations/harbour programmes/sandbox "
    "courses/welding/sessions/spring --org organisations/harbour"
)
@calls(PROVIDER)
def voucher(
    call: Call,
    provider: Provider,
    programme: Programme,
    session: Annotated[str, typer.Argument(help="courses/{course}/sessions/{session}, your own.")],
) -> None:
    """Make a voucher of a learner who does not exist, and show its code once; reserve with that."""
    body = {"programme": programme, "session": session}
    call.one(call.post(f"{provider}/sandboxVouchers", body), VOUCHER)


@sandbox.command(epilog="Example:  waymark sandbox authorise redemptions/0198… --org organisations/harbour")
@calls(PROVIDER)
def authorise(call: Call, name: Name) -> None:
    """Agree to a spend, as the learner would."""
    call.one(call.post(f"{name}:authoriseSandbox"), REDEMPTION)


@sandbox.command(epilog="Example:  waymark sandbox accept redemptions/0198… --org organisations/harbour")
@calls(PROVIDER)
def accept(
    call: Call,
    name: Name,
    amount: Annotated[str, typer.Option(help="Amount to accept; default: all that is allowed.")] = "",
) -> None:
    """Accept a delivery, or the instalment that it is for, as a caseworker would."""
    body = with_amount({}, amount, CURRENCY)
    show_redemption(call, call.post(f"{name}:acceptSandbox", body))


@sandbox.command(
    epilog="Example:  waymark sandbox reject redemptions/0198… not_attended --org organisations/harbour"
)
@calls(PROVIDER)
def reject(call: Call, name: Name, reason: Annotated[Reason, typer.Argument(help="Why.")]) -> None:
    """Refuse a delivery, as a caseworker would."""
    call.one(call.post(f"{name}:rejectSandbox", {"reasonCode": f"END_REASON_{reason.name}"}), REDEMPTION)


@sandbox.command(
    epilog="Example:  waymark sandbox pay redemptions/0198… --returned AC04 --org organisations/harbour"
)
@calls(PROVIDER)
def pay(
    call: Call,
    name: Name,
    returned: Annotated[
        str, typer.Option(help="The bank returns it, for this ISO 20022 code; default: it pays.")
    ] = "",
) -> None:
    """Release an accepted amount and pay it, as staff and bank would; no bank is told."""
    call.one(call.post(f"{name}:paySandbox", {"returnCode": returned}), REDEMPTION)


@sandbox.command(
    "claw-back",
    epilog="Example:  waymark sandbox claw-back redemptions/0198… not_attended --org organisations/harbour",
)
@calls(PROVIDER)
def claw_back(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    amount: Annotated[str, typer.Option(help="How much; default: all that was not taken back before.")] = "",
) -> None:
    """Take an accepted or paid amount back, as staff would; what was paid is owed back from then on."""
    body = with_amount({"reasonCode": f"END_REASON_{reason.name}"}, amount, CURRENCY)
    call.one(call.post(f"{name}:clawBackSandbox", body), REDEMPTION)


@sandbox.command(
    epilog="Example:  waymark sandbox receivables organisations/harbour --org organisations/harbour"
)
@calls(PROVIDER)
def receivables(call: Call, provider: Provider, limit: Limit = 50) -> None:
    """List what you owe back after claw-backs, oldest first; your next payments set it off."""
    columns = {key: RECEIVABLE[key] for key in ("receivable", "for", "state", "set off", "outstanding")}
    call.many("receivables", columns, limit, empty="nothing owed", organisation=provider, sandbox=True)
