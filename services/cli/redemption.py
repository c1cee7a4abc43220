"""`waymark redemption`: vouchers being spent; deliveries are accepted or refused here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import json_money
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling

redemption = typer.Typer(help="Vouchers being spent: what is delivered, what it costs, accept or refuse it.")
CASEWORKER = "caseworker"
REDEMPTION = {
    "redemption": "name",
    "state": "state",
    "provider": "organisation",
    "session": "session",
    "price": "price",
    "reserved": "amount",
    "accepted": "acceptedAmount",
    "learner pays": "learnerShare",
    "evidence": "evidence",
    "payable from": "releaseTime",
    "ended for": "endReason",
    "note": "endNote",
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


class Reason(StrEnum):
    """Why a delivery is refused."""

    NOT_ATTENDED = "not_attended"
    NOT_COMPLETED = "not_completed"
    EVIDENCE_INSUFFICIENT = "evidence_insufficient"
    SUSPECTED_MISUSE = "suspected_misuse"
    OTHER = "other"


def register(app: typer.Typer) -> None:
    """Adds `redemption` to the command line `app`."""
    app.add_typer(redemption, name="redemption", no_args_is_help=True)


@redemption.command("list", epilog="Example:  waymark redemption list --state delivered")
def list_(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    provider: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    limit: Limit = 50,
    act_as: ActAs = CASEWORKER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List redemptions, newest first; `--state delivered` waits for a decision."""
    query: dict[str, Any] = {"organisation": provider, "page_size": limit}
    if state:
        query["state"] = f"STATE_{state.name}"
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", "/v1/redemptions", **query).get("redemptions", [])
    columns = {key: REDEMPTION[key] for key in ("redemption", "state", "provider", "reserved", "accepted")}
    output.many(found, columns, as_json, empty="no redemption")


@redemption.command(epilog="Example:  waymark redemption show redemptions/0198…")
def show(
    name: Name, act_as: ActAs = CASEWORKER, token: Token = "", home: Home = None, as_json: AsJson = False
) -> None:
    """Show a redemption."""
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("GET", f"/v1/{name}"), REDEMPTION, as_json)


@redemption.command(epilog="Example:  waymark redemption accept redemptions/0198… --amount 950.00")
def accept(
    name: Name,
    amount: Annotated[str, typer.Option(help="Amount to pay; default: all that is reserved.")] = "",
    act_as: ActAs = CASEWORKER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Accept a delivery: the amount becomes the provider's."""
    body = {"amount": json_money(amount)} if amount else {}
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", f"/v1/{name}:accept", body), REDEMPTION, as_json)


@redemption.command(epilog="Example:  waymark redemption reject redemptions/0198… not_attended")
def reject(
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="Words for the learner and the provider; kept sealed.")] = "",
    act_as: ActAs = CASEWORKER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a delivery: the amount returns to the voucher."""
    body = {"reasonCode": f"END_REASON_{reason.name}", "reason": note}
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", f"/v1/{name}:reject", body), REDEMPTION, as_json)
