"""`waymark redemption`: a voucher is spent, from reserving a session to handing in that it took place."""

from __future__ import annotations

import mimetypes
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.applying import Session
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.redemption import REDEMPTION, Name, redemption, show_redemption, with_amount
from services.cli.uploads import measured, send

LEARNER, PROVIDER = "learner", "provider"


class Kind(StrEnum):
    """What a paper shows."""

    ATTENDANCE = "attendance"
    COMPLETION = "completion"
    OUTCOME = "outcome"


class Why(StrEnum):
    """Why a reservation is given up."""

    LEARNER_WITHDREW = "learner_withdrew"
    SESSION_CHANGED = "session_changed"
    MISTAKE = "mistake"
    OTHER = "other"


@redemption.command(
    epilog="Examples:  waymark redemption reserve courses/welding/sessions/spring --voucher vouchers/0198… "
    "--as learner:Anouk · waymark redemption reserve courses/welding/sessions/spring --code 7ZXC-… "
    "--as provider --org organisations/harbour"
)
@calls(LEARNER)
def reserve(
    call: Call,
    session: Session,
    voucher: Annotated[str, typer.Option(help="vouchers/{id}, as its learner.")] = "",
    code: Annotated[str, typer.Option(help="The voucher's code, as a provider is given it.")] = "",
    amount: Annotated[str, typer.Option(help="Amount; default: all that the voucher covers.")] = "",
) -> None:
    """Set value aside for a session and fix its price; the learner then agrees to it (`authorise`)."""
    if bool(voucher) == bool(code):
        remedy = "A learner names --voucher, a provider gives the --code it was told."
        raise Failure(ExitCode.USAGE, "Say which voucher, in one way.", remedy=remedy)
    body = {"session": session, **({"voucher": voucher} if voucher else {"code": code})}
    call.one(call.post("redemptions:reserve", with_amount(body, amount)), REDEMPTION)


@redemption.command(epilog="Example:  waymark redemption start redemptions/0198… --org organisations/harbour")
@calls(PROVIDER)
def start(call: Call, name: Name) -> None:
    """Say that the training has begun, on the first day of its session or later."""
    call.one(call.post(f"{name}:start"), REDEMPTION)


@redemption.command(
    epilog="Example:  waymark redemption deliver redemptions/0198… list.pdf --kind attendance "
    "--org organisations/harbour"
)
@calls(PROVIDER)
def deliver(
    call: Call,
    name: Name,
    papers: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="PDF, PNG or JPEG, of up to 25 MiB each."),
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What the papers show.")] = Kind.ATTENDANCE,
) -> None:
    """Hand in that the training, or its next instalment, took place, with the papers that show it."""
    evidence = [_handed_over(call, name, paper, kind) for paper in papers or []]
    show_redemption(call, call.post(f"{name}:deliver", {"evidence": evidence}))


@redemption.command(
    epilog="Example:  waymark redemption void redemptions/0198… session_changed --as learner:Anouk"
)
@calls(LEARNER)
def void(
    call: Call,
    name: Name,
    reason: Annotated[Why, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="Words for all concerned; kept sealed.")] = "",
) -> None:
    """Give a reservation up before it starts, its provider or a caseworker before it is delivered: the amount
    returns to the voucher."""
    body = {"reasonCode": enum("END_REASON", reason), "reason": note}
    call.one(call.post(f"{name}:void", body), REDEMPTION)


def _handed_over(call: Call, redemption: str, paper: Path, kind: Kind) -> str:
    """Uploads a paper; returns its name."""
    told = {
        **measured(paper),
        "contentType": mimetypes.guess_type(paper.name)[0] or "application/octet-stream",
        "kind": enum("KIND", kind),
    }
    ticket = call.post(f"{redemption}/evidence", told)
    send(call.caller, paper, ticket["uploadUri"], ticket.get("uploadHeaders", {}))
    return str(ticket["name"])
