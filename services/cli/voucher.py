"""`waymark voucher`: the learner's wallet, QRs proved without network, and waiting for money."""

from __future__ import annotations

import sys
from base64 import b64decode
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.key_files import read_keys
from services.cli.legal_day import last_second
from services.cli.options import AsJson, Limit

voucher = typer.Typer(help="The learner's wallet: vouchers, their history, codes and QRs; waiting for money.")
LEARNER = "learner"
CASEWORKER = "caseworker"
VOUCHER = {
    "voucher": "name",
    "state": "state",
    "programme": "programme",
    "course": "course",
    "value": "value",
    "available": "available",
    "reserved": "reserved",
    "reserve until": "orderTimeLimit",
    "valid until": "expireTime",
    "proposed until": "proposedExpireTime",
    "issue": "issueNumber",
    "taken back for": "endReason",
    "note": "endNote",
}
HISTORY = {
    "when": "createTime",
    "what": "kind",
    "available": "available",
    "change": "availableChange",
    "reserved": "reserved",
    "state": "state",
    "redemption": "redemption",
    "valid until": "expireTime",
}
WAITING = {
    "entry": "name",
    "state": "state",
    "position": "position",
    "programme": "programme",
    "application": "application",
    "offered": "amount",
    "accept until": "acceptUntil",
    "voucher": "voucher",
    "closed for": "reasonCodes",
}
CHECKED = {
    "outcome": "outcome",
    "why": "why",
    "voucher": "voucher",
    "programme": "programme",
    "valid until": "expireTime",
    "issue": "issueNumber",
    "key": "keyId",
}
Name = Annotated[str, typer.Argument(metavar="VOUCHER", help="vouchers/{id}")]
EntryName = Annotated[str, typer.Argument(metavar="ENTRY", help="waitingListEntries/{id}")]
LearnerName = Annotated[str, typer.Option("--learner", help="learners/{id}; default: your own.")]


class Lost(StrEnum):
    """Why a voucher is issued again."""

    LOST = "lost"
    STOLEN = "stolen"
    SEEN_BY_OTHERS = "seen_by_others"
    OTHER = "other"


class Longer(StrEnum):
    """Why a voucher is valid for longer."""

    ILLNESS = "illness"
    CARE = "care"
    COURSE_POSTPONED = "course_postponed"
    PROVIDER_FAILED = "provider_failed"
    OTHER = "other"


class Taken(StrEnum):
    """Why a voucher is taken back."""

    NOT_ELIGIBLE = "not_eligible"
    FALSE_FACTS = "false_facts"
    MISUSE = "misuse"
    MISTAKE = "mistake"
    OTHER = "other"


class WaitingState(StrEnum):
    """Where an entry of a waiting list stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    LAPSED = "lapsed"
    LEFT = "left"
    CLOSED = "closed"


def register(app: typer.Typer) -> None:
    """Adds `voucher` to the command line `app`."""
    app.add_typer(voucher, name="voucher", no_args_is_help=True)


@voucher.command("list", epilog="Example:  waymark voucher list --as learner:Anouk")
@calls(LEARNER)
def list_(call: Call, learner: LearnerName = "", limit: Limit = 50) -> None:
    """List a learner's vouchers, newest first."""
    columns = {key: VOUCHER[key] for key in ("voucher", "state", "programme", "available", "valid until")}
    call.many("vouchers", columns, limit, empty="no voucher", learner=learner_of(call, learner))


@voucher.command(epilog="Example:  waymark voucher show vouchers/0198… --as learner:Anouk")
@calls(CASEWORKER)
def show(call: Call, name: Name) -> None:
    """Show a voucher."""
    call.one(call.get(name), VOUCHER)


@voucher.command(epilog="Example:  waymark voucher history vouchers/0198… --as auditor")
@calls(CASEWORKER)
def history(call: Call, name: Name, limit: Limit = 50) -> None:
    """List what happened to a voucher, first thing first."""
    call.many(f"{name}/history", HISTORY, limit, key="items", empty="nothing happened")


@voucher.command(
    epilog="Examples:  waymark voucher qr vouchers/0198… --as learner:Anouk · add --svg qr.svg or --png "
    "qr.png"
)
@calls(LEARNER)
def qr(
    call: Call,
    name: Name,
    svg: Annotated[Path | None, typer.Option(help="Write the QR there as SVG.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the QR there as PNG.")] = None,
) -> None:
    """Print what a voucher's QR says, or write it as a picture."""
    found = call.get(f"{name}:qr")
    if svg:
        svg.write_text(found["svg"], encoding="utf-8")
    if png:
        png.write_bytes(b64decode(found["png"]))
    if call.as_json:
        output.as_json(found)
    else:
        typer.echo(found["token"])


@voucher.command(epilog="Example:  waymark voucher keys --json > keys.json")
@calls()
def keys(call: Call) -> None:
    """Print the public keys that prove QRs; with --json a JWK set for `verify-qr`."""
    found = call.get("voucherKeys")
    if call.as_json:
        output.as_json(found)
    else:
        output.table(found.get("keys", []), {"key": "kid", "kind": "crv", "public": "x"})


@voucher.command(
    "verify-qr",
    epilog="Examples:  waymark voucher verify-qr eyJ… keys.json · zbarimg -q --raw qr.png | waymark voucher "
    "verify-qr - keys.json    Exit codes: 0 valid · 1 not genuine · 4 expired · 5 signed with a key that the "
    "file has not",
)
def verify_qr(
    said: Annotated[
        str, typer.Argument(metavar="TOKEN", help="What the QR says; `-` reads it from standard input.")
    ],
    keys: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Public keys as JWK set, see `keys --json`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Prove a voucher's QR without stack and network: programme, expiry, key, valid or why not.

    It cannot tell what the voucher holds, nor whether it was issued again after loss; `check-qr` asks that.
    """
    text = sys.stdin.read() if said == "-" else said
    found, code = prove(text, read_keys(keys, "waymark voucher keys"), datetime.now(UTC))
    output.one(found, CHECKED, as_json)
    raise typer.Exit(int(code))


@voucher.command(
    "check-qr",
    epilog="Example:  waymark voucher check-qr eyJ… --as provider --org organisations/o    "
    "Exit codes: 0 it counts · 1 it does not",
)
@calls("provider")
def check_qr(
    call: Call, said: Annotated[str, typer.Argument(metavar="TOKEN", help="What the QR says.")]
) -> None:
    """Ask whether a QR counts now: not issued again since, not ended. Nothing of its balance."""
    fields = {"standing": "standing", "programme": "programme", "valid until": "expireTime"}
    found = call.post("vouchers:checkQr", {"token": said.strip()})
    call.one(found, fields)
    if found["standing"] != "STANDING_GOOD":
        raise typer.Exit(ExitCode.OTHER)


@voucher.command(epilog="Example:  waymark voucher code vouchers/0198… --as learner:Anouk")
@calls(LEARNER)
def code(call: Call, name: Name) -> None:
    """Make a new code to hand to a provider; shown once, an older one stops working."""
    call.one(call.post(f"{name}:issueCode"), {"code": "code"})


@voucher.command(epilog="Example:  waymark voucher reissue vouchers/0198… stolen")
@calls(CASEWORKER)
def reissue(call: Call, name: Name, reason: Annotated[Lost, typer.Argument(help="Why.")]) -> None:
    """Issue a voucher again after loss: code and QR of before stop working at once."""
    body = {"reasonCode": enum("REISSUE_REASON", reason)}
    call.one(call.post(f"{name}:reissue", body), {"code": "code", "issue": "issueNumber"})


@voucher.command(epilog="Example:  waymark voucher extend vouchers/0198… 2027-03-31 illness")
@calls("caseworker:maker")
def extend(
    call: Call,
    name: Name,
    until: Annotated[str, typer.Argument(help="Last day of validity, 2027-03-31.")],
    reason: Annotated[Longer, typer.Argument(help="Why.")],
) -> None:
    """Let a voucher be valid for longer; beyond the programme's rule it waits for a second person."""
    body = {"expireTime": _end_of(until), "reasonCode": enum("EXTENSION_REASON", reason)}
    call.one(call.post(f"{name}:extend", body), VOUCHER)


@voucher.command("approve-extension", epilog="Example:  waymark voucher approve-extension vouchers/0198…")
@calls("caseworker:checker")
def approve_extension(call: Call, name: Name) -> None:
    """Approve a proposed extension; by another person than the one who proposed it."""
    proposed = call.get(name).get("proposedExpireTime")
    if not proposed:
        raise Failure(
            ExitCode.REFUSED, f"No extension of {name} waits.", remedy="See `waymark voucher show`."
        )
    call.one(call.post(f"{name}:approveExtension", {"expireTime": proposed}), VOUCHER)


@voucher.command(epilog="Example:  waymark voucher cancel vouchers/0198… --as learner:Anouk")
@calls(LEARNER)
def cancel(call: Call, name: Name) -> None:
    """Give your voucher back; what is available returns to the programme."""
    call.one(call.post(f"{name}:cancel"), VOUCHER)


@voucher.command(epilog="Example:  waymark voucher revoke vouchers/0198… false_facts")
@calls(CASEWORKER)
def revoke(
    call: Call,
    name: Name,
    reason: Annotated[Taken, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="Words for the learner; kept sealed.")] = "",
) -> None:
    """Take a voucher back; what is available returns to the programme."""
    body = {"reasonCode": enum("END_REASON", reason), "reason": note}
    call.one(call.post(f"{name}:revoke", body), VOUCHER)


@voucher.command(epilog="Example:  waymark voucher wait applications/0198… --as learner:Anouk")
@calls(LEARNER)
def wait(
    call: Call, name: Annotated[str, typer.Argument(metavar="APPLICATION", help="applications/{id}")]
) -> None:
    """Wait for money with an application that was refused for lack of it alone."""
    call.one(call.post(f"{name}:wait"), WAITING)


@voucher.command(
    epilog="Examples:  waymark voucher waiting --as learner:Anouk · waymark voucher waiting "
    "waitingListEntries/0198… --as learner:Anouk · waymark voucher waiting --as caseworker --programme "
    "programmes/p1"
)
@calls(LEARNER)
def waiting(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="[ENTRY]", help="waitingListEntries/{id}")] = "",
    programme: Annotated[str, typer.Option(help="Only of this programmes/{id}; staff see everybody's.")] = "",
    own: Annotated[bool, typer.Option("--own", help="Only your own, with --programme too.")] = False,
    state: Annotated[WaitingState | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """Show an entry of a waiting list with your position, or list entries in the order of their turn."""
    if name:
        call.one(call.get(name), WAITING)
        return
    learner = "" if programme and not own else learner_of(call, "")
    query = {"learner": learner, "programme": programme, "state": enum("STATE", state)}
    columns = {key: WAITING[key] for key in ("entry", "state", "programme", "offered", "accept until")}
    call.many("waitingListEntries", columns, limit, empty="nobody waits", **query)


@voucher.command(epilog="Example:  waymark voucher accept waitingListEntries/0198… --as learner:Anouk")
@calls(LEARNER)
def accept(call: Call, name: EntryName) -> None:
    """Accept what is offered to you: the voucher is issued."""
    call.one(call.post(f"{name}:accept"), WAITING)


@voucher.command(epilog="Example:  waymark voucher leave waitingListEntries/0198… --as learner:Anouk")
@calls(LEARNER)
def leave(call: Call, name: EntryName) -> None:
    """Leave a waiting list; what is offered to you goes to the next."""
    call.one(call.post(f"{name}:leave"), WAITING)


def prove(token: str, known: dict[str, bytes], now: datetime) -> tuple[dict[str, Any], ExitCode]:
    """What a QR says and whether it is valid at `now`, with the exit code for that. `known`: keys by id."""
    from services.vouchers.domain.qr import Flaw, NotGenuineError, read_token

    try:
        claims = read_token(token.strip(), known)
    except NotGenuineError as error:
        found = {"outcome": error.flaw.name, "why": str(error), "keyId": error.key_id}
        unknown = error.flaw is Flaw.UNKNOWN_KEY
        return found, ExitCode.NOT_FOUND if unknown else ExitCode.OTHER
    expired = now >= claims.expires
    found = {
        "outcome": "EXPIRED" if expired else "VALID",
        "why": "it is genuine, and past its validity" if expired else "",
        "voucher": claims.voucher,
        "programme": claims.programme,
        "expireTime": f"{claims.expires:%Y-%m-%dT%H:%M:%SZ}",
        "issueNumber": str(claims.issue),
        "keyId": claims.key_id,
    }
    return found, ExitCode.REFUSED if expired else ExitCode.OK


def learner_of(call: Call, name: str) -> str:
    """Returns `learners/{id}`: as named, else one's own."""
    return name or f"learners/{call.caller.subject}"


def _end_of(day: str) -> str:
    """The last second of a day as JSON has moments."""
    return f"{last_second(date(**json_day(day))):%Y-%m-%dT%H:%M:%SZ}"
