"""`waymark redemption`: vouchers being spent; deliveries are accepted or refused here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_money
from services.cli.call import Call, calls, enum
from services.cli.options import Limit, Provider

redemption = typer.Typer(
    help="Vouchers being spent: reserved, agreed to, begun, delivered, accepted or refused."
)
CASEWORKER = "caseworker"
OVERDUE_DAYS = "14"  # after which the service tells of it, too
REDEMPTION = {
    "redemption": "name",
    "state": "state",
    "provider": "organisation",
    "session": "session",
    "price": "price",
    "reserved": "amount",
    "accepted": "acceptedAmount",
    "clawed back": "clawedBackAmount",
    "learner pays": "learnerShare",
    "evidence": "evidence",
    "payable from": "releaseTime",
    "no-show reported": "noShowTime",
    "instalment of": "partOf",
    "reason": "endReason",
    "note": "endNote",
}
CODE = {"valid until": "expireTime", "tries": "tries"}
INSTALMENT = {
    "instalment": "number",
    "percent": "percent",
    "at most": "amount",
    "accepted": "acceptedAmount",
    "redemption": "redemption",
}
Name = Annotated[str, typer.Argument(metavar="REDEMPTION", help="redemptions/{id}")]


class State(StrEnum):
    """Where a redemption stands."""

    RESERVED = "reserved"
    AUTHORISED = "authorised"
    STARTED = "started"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    SETTLING = "settling"
    PAID = "paid"
    VOIDED = "voided"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CLAWED_BACK = "clawed_back"


class Reason(StrEnum):
    """Why a delivery is sent back or refused, or an accepted one clawed back or refunded."""

    NOT_ATTENDED = "not_attended"
    NOT_COMPLETED = "not_completed"
    EVIDENCE_INSUFFICIENT = "evidence_insufficient"
    SUSPECTED_MISUSE = "suspected_misuse"
    OTHER = "other"


def register(app: typer.Typer) -> None:
    """Adds `redemption` to the command line `app`."""
    from services.cli import delivery_evidence, spending  # noqa: F401 - they add their commands to ours

    app.add_typer(redemption, name="redemption", no_args_is_help=True)


@redemption.command("list", epilog="Example:  waymark redemption list --state delivered")
@calls(CASEWORKER)
def list_(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    provider: Provider = "",
    learner: Annotated[str, typer.Option(help="Only of this learners/{id}.")] = "",
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only what has been over for two weeks and waits, oldest first.")
    ] = False,
    limit: Limit = 50,
) -> None:
    """List redemptions, newest first; `--state delivered` waits for a decision. Learners and providers list
    their own."""
    columns = {key: REDEMPTION[key] for key in ("redemption", "state", "provider", "reserved", "accepted")}
    query = {**call.caller.own(learner=learner, organisation=provider), "state": enum("STATE", state)}
    if overdue:
        query["session_over_days"] = OVERDUE_DAYS
    call.many("redemptions", columns, limit, empty="no redemption", **query)


@redemption.command(epilog="Example:  waymark redemption show redemptions/0198…")
@calls(CASEWORKER)
def show(call: Call, name: Name) -> None:
    """Show a redemption, and its instalments where it is paid in such."""
    show_redemption(call, call.get(name))


@redemption.command(
    "send-code",
    epilog="Example:  waymark redemption send-code redemptions/0198… --org organisations/harbour",
)
@calls("provider")
def send_code(call: Call, name: Name) -> None:
    """Have a code for this spend brought to the learner, in place of an older one; it is not shown here."""
    call.one(call.post(f"{name}:sendCode"), CODE)


@redemption.command(
    epilog="Example:  waymark redemption authorise redemptions/0198… --code 7ZXC-04KM "
    "--org organisations/harbour"
)
@calls("provider")
def authorise(
    call: Call,
    name: Name,
    code: Annotated[str, typer.Option(help="As the learner reads it out; a learner needs none.")] = "",
) -> None:
    """Agree to this spend: a provider with the learner's code, or the learner (`--as learner`)."""
    call.one(call.post(f"{name}:authorise", {"code": code}), REDEMPTION)


@redemption.command(epilog="Example:  waymark redemption accept redemptions/0198… --amount 950.00")
@calls(CASEWORKER)
def accept(
    call: Call,
    name: Name,
    amount: Annotated[str, typer.Option(help="Amount to pay; default: all that is allowed.")] = "",
) -> None:
    """Accept a delivery, or the instalment that it is for: the amount becomes the provider's."""
    show_redemption(call, call.post(f"{name}:accept", with_amount({}, amount)))


@redemption.command(
    "return",
    epilog="Example:  waymark redemption return redemptions/0198… evidence_insufficient "
    '--note "page 2 is missing"',
)
@calls(CASEWORKER)
def send_back(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="Words for the learner and the provider; kept sealed.")] = "",
) -> None:
    """Send a delivery back to be mended: the provider hands it in anew, and no money moves."""
    body = {"reasonCode": f"END_REASON_{reason.name}", "reason": note}
    call.one(call.post(f"{name}:returnDelivery", body), REDEMPTION)


@redemption.command(epilog="Example:  waymark redemption reject redemptions/0198… not_attended")
@calls(CASEWORKER)
def reject(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="Words for the learner and the provider; kept sealed.")] = "",
) -> None:
    """Refuse a delivery for good: the amount returns to the voucher."""
    body = {"reasonCode": f"END_REASON_{reason.name}", "reason": note}
    call.one(call.post(f"{name}:reject", body), REDEMPTION)


@redemption.command(
    "no-show",
    epilog="Example:  waymark redemption no-show redemptions/0198… --as provider --org organisations/school",
)
@calls(CASEWORKER)
def no_show(call: Call, name: Name) -> None:
    """Report that the learner was not there; what the programme pays for that waits to be accepted."""
    call.one(call.post(f"{name}:noShow"), REDEMPTION)


@redemption.command(
    "claw-back", epilog="Example:  waymark redemption claw-back redemptions/0198… not_attended"
)
@calls("finance:maker")
def claw_back(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    amount: Annotated[str, typer.Option(help="How much; default: all that was not taken back before.")] = "",
    learner_at_fault: Annotated[
        bool, typer.Option(help="The money returns to the programme, not to the voucher.")
    ] = False,
    note: Annotated[str, typer.Option(help="Words for the learner and the provider; kept sealed.")] = "",
) -> None:
    """Take an accepted or paid amount back; what was paid becomes a receivable of the provider."""
    body = {"reasonCode": f"END_REASON_{reason.name}", "reason": note, "learnerAtFault": learner_at_fault}
    call.one(call.post(f"{name}:clawBack", with_amount(body, amount)), REDEMPTION)


@redemption.command(
    epilog="Example:  waymark redemption refund redemptions/0198… not_completed --amount 400.00 "
    "--org organisations/school"
)
@calls("provider")
def refund(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    amount: Annotated[str, typer.Option(help="How much; default: all that was not given back before.")] = "",
    note: Annotated[str, typer.Option(help="Words for the learner and staff; kept sealed.")] = "",
) -> None:
    """Give an accepted or paid amount back, as its provider; the learner's voucher has it again."""
    body = {"reasonCode": f"END_REASON_{reason.name}", "reason": note}
    call.one(call.post(f"{name}:refund", with_amount(body, amount)), REDEMPTION)


def with_amount(body: dict[str, Any], amount: str, currency: str = "EUR") -> dict[str, Any]:
    """The body with the amount, where one is given."""
    return {**body, "amount": json_money(amount, currency)} if amount else body


def show_redemption(call: Call, answer: dict[str, Any]) -> None:
    """Prints a redemption, with its instalments where it is paid in such."""
    call.one(answer, REDEMPTION)
    if instalments := answer.get("instalments"):
        call.part(instalments, INSTALMENT)
