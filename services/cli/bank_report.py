"""`waymark bank-report`: what the bank says of payments, matched to them."""

from __future__ import annotations

import gzip
from base64 import b64encode
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

bank_report = typer.Typer(
    help="Files of the bank: status of payments (pain.002) and bookings (camt.054), matched to payments."
)
REPORT = {
    "report": "name",
    "format": "format",
    "message": "messageId",
    "page": "page",
    "of": "bankTime",
    "statements": "entryCount",
    "applied": "appliedCount",
    "to look at": "openCount",
}
ENTRY = {
    "line": "line",
    "reference": "endToEndId",
    "bank says": "verdict",
    "code": "code",
    "amount": "amount",
    "came of it": "outcome",
    "batch": "payoutBatch",
    "provider": "organisation",
    "pays": "receivable",
    "too much": "excess",
}
Name = Annotated[str, typer.Argument(metavar="REPORT", help="bankReports/{id}")]


class Outcome(StrEnum):
    """What came of a statement."""

    APPLIED = "applied"
    REPEATED = "repeated"
    NOTED = "noted"
    UNMATCHED = "unmatched"
    DIFFERENT = "different"
    NOT_SENT = "not-sent"
    UNCLEAR = "unclear"
    OVERPAID = "overpaid"


def register(app: typer.Typer) -> None:
    """Adds `bank-report` to the command line `app`."""
    app.add_typer(bank_report, name="bank-report", no_args_is_help=True)


@bank_report.command("import", epilog="Example:  waymark bank-report import camt054.xml")
@calls("finance:maker")
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(help="pain.002.001.10 or camt.054.001.08 as the bank made it.")],
    try_only: Annotated[bool, typer.Option("--try", help="Say what would be, and change nothing.")] = False,
) -> None:
    """Take in a file; the same file again changes nothing but what could not be matched before."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Failure(ExitCode.USAGE, f"{file} cannot be read: {error.strerror}.") from None
    if not content.startswith(b"\x1f\x8b"):
        content = gzip.compress(content, mtime=0)
    body = {"content": b64encode(content).decode(), "validateOnly": try_only}
    call.one(call.post("bankReports:import", body), REPORT)


@bank_report.command(epilog="Example:  waymark bank-report show bankReports/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show what a file came to."""
    call.one(call.get(name), REPORT)


@bank_report.command("list", epilog="Example:  waymark bank-report list")
@calls("auditor")
def list_(call: Call, limit: Limit = 50) -> None:
    """List files, the latest first."""
    call.many("bankReports", REPORT, limit, empty="no file yet")


@bank_report.command(epilog="Example:  waymark bank-report entries bankReports/0198… --outcome unmatched")
@calls("auditor")
def entries(
    call: Call,
    name: Name,
    outcome: Annotated[Outcome | None, typer.Option(help="Only with this outcome.")] = None,
    limit: Limit = 50,
) -> None:
    """List what a file says, payment by payment, and what came of it."""
    call.many(f"{name}/entries", ENTRY, limit, outcome=enum("OUTCOME", outcome), empty="nothing")
