"""`waymark levy`: what employers pay of a levy, and have back for training of their own people."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day, json_money
from services.cli.call import Call, calls, enum
from services.cli.known_fields import known
from services.cli.options import Limit
from services.cli.programme import MAKER, read_json
from services.cli.uploads import encoded

levy = typer.Typer(
    help="Levies on wages: rates, contributions, claims approved by a second person, statements."
)
SCHEME = {
    "levy": "name",
    "called": "displayNames",
    "source": "fundingSource",
    "carried over, years": "carryOverYears",
}
RATE = {"from": "effectiveDate", "parts of 100 000": "partsPer100000", "law": "legalReference"}
IMPORTED = {
    "rows": "rowCount",
    "booked": "appliedCount",
    "known": "knownCount",
    "amount": "appliedAmount",
    "corrected": "correctedCount",
    "difference": "correctedAmount",
}
FINDING = {"line": "line", "column": "column", "what": "text"}
ACCOUNT = {"account": "name", "employer": "employer", "balance": "balance", "available": "available"}
YEAR = {
    "year": "year",
    "paid in": "contributed",
    "claimed": "claimed",
    "set aside": "reserved",
    "lapsed": "expired",
    "rest": "rest",
    "until": "expireDate",
}
CLAIM = {
    "claim": "name",
    "amount": "amount",
    "trained": "trainingDate",
    "evidence": "evidenceReference",
    "state": "state",
    "rejected for": "rejectReason",
}
STATEMENT = {
    "employer": "employer",
    "year": "year",
    "carried over": "openingBalance",
    "paid in": "contributed",
    "claimed": "claimed",
    "lapsed": "expired",
    "corrected": "corrected",
    "closing": "closingBalance",
}
LINE = {
    "date": "date",
    "what": "kind",
    "amount": "amount",
    "wages": "grossPayroll",
    "claim": "claim",
    "balance": "balance",
}
Levy = Annotated[str, typer.Argument(metavar="LEVY", help="levySchemes/{id}")]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="levyAccounts/{id}")]
Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="levyAccounts/{id}/claims/{id}")]


class Reason(StrEnum):
    """Why a claim is rejected."""

    EVIDENCE = "evidence"
    NOT_TRAINING = "not-training"
    PAID_ELSEWHERE = "paid-elsewhere"
    WITHDRAWN = "withdrawn"


def register(app: typer.Typer) -> None:
    """Adds `levy` to the command line `app`."""
    app.add_typer(levy, name="levy", no_args_is_help=True)


@levy.command(
    epilog="Example:  waymark levy create samples/programmes/greek-laec.json fundingSources/laec --id laec"
)
@calls(MAKER)
def create(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON with `levyScheme`.")],
    source: Annotated[str, typer.Argument(help="fundingSources/{id} of the contributions.")],
    id_: Annotated[str, typer.Option("--id", help="Id of the levy; default: one is made.")] = "",
) -> None:
    """Create a levy with its rates."""
    from waymark.vouchers.v1.levy_pb2 import LevyScheme

    body = known(file, read_json(file, "levyScheme")["levyScheme"], LevyScheme) | {"fundingSource": source}
    show_scheme(call, call.post("levySchemes", body, levy_scheme_id=id_))


@levy.command("list", epilog="Example:  waymark levy list")
@calls(MAKER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List levies, oldest first."""
    call.many("levySchemes", SCHEME, limit, empty="no levy yet")


@levy.command(epilog="Example:  waymark levy rate levySchemes/laec 2027-01-01 240 --law 'Law 4826/2021'")
@calls(MAKER)
def rate(
    call: Call,
    name: Levy,
    first: Annotated[str, typer.Argument(help="First of a month, 2027-01-01.")],
    parts: Annotated[int, typer.Argument(help="Parts of 100 000: 450 is 0.45 %.")],
    law: Annotated[str, typer.Option(help="Law that sets it.")] = "",
) -> None:
    """Add a rate from a month on that nothing was computed for yet."""
    told = {"effectiveDate": json_day(first), "partsPer100000": parts, "legalReference": law}
    show_scheme(call, call.post(f"{name}:addRate", {"rate": told}))


def show_scheme(call: Call, scheme: dict[str, Any]) -> None:
    """Prints a levy with its rates."""
    call.one(scheme, SCHEME)
    call.part(scheme["rates"], RATE)


@levy.command("import", epilog="Example:  waymark levy import levySchemes/laec wages.csv --try")
@calls("finance:maker")
def import_(
    call: Call,
    name: Levy,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV: employer,month,gross_payroll_cents.")
    ],
    try_only: Annotated[bool, typer.Option("--try", help="List findings, and change nothing.")] = False,
    correct: Annotated[
        bool, typer.Option("--correct", help="Another payroll than before corrects it, by the difference.")
    ] = False,
) -> None:
    """Take in wages by employer and month; the same file again changes nothing."""
    body = {"content": encoded(file), "validateOnly": try_only, "correct": correct}
    done = call.post(f"{name}:importContributions", body)
    call.one(done, IMPORTED)
    call.part(done.get("findings", []), FINDING, empty="no findings")


@levy.command(epilog="Example:  waymark levy accounts --employer organisations/yard")
@calls("auditor")
def accounts(
    call: Call,
    employer: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List employers' accounts, oldest first."""
    call.many("levyAccounts", ACCOUNT, limit, empty="no account yet", **call.caller.own(employer=employer))


@levy.command(epilog="Example:  waymark levy account levyAccounts/0198…")
@calls("auditor")
def account(call: Call, name: Account) -> None:
    """Show an account by the years its money was paid for."""
    found = call.get(name)
    call.one(found, ACCOUNT)
    call.part(found.get("years", []), YEAR)


@levy.command(
    epilog="Example:  waymark levy claim levyAccounts/0198… 1200.00 2026-11-20 F-2026-118 "
    "--as employer --org organisations/yard"
)
@calls("finance:maker")
def claim(
    call: Call,
    name: Account,
    amount: Annotated[str, typer.Argument(help="Like 1200.00.")],
    trained: Annotated[str, typer.Argument(help="Day the training ended, 2026-11-20.")],
    evidence: Annotated[str, typer.Argument(help="Reference of the evidence, such as an invoice number.")],
) -> None:
    """Claim money back for training; it is set aside until a second person decides."""
    body = {
        "amount": json_money(amount),
        "trainingDate": json_day(trained),
        "evidenceReference": evidence,
    }
    call.one(call.post(f"{name}/claims", body), CLAIM)


@levy.command(epilog="Example:  waymark levy claims levyAccounts/0198…")
@calls("auditor")
def claims(call: Call, name: Account, limit: Limit = 50) -> None:
    """List the claims on an account, newest first."""
    call.many(f"{name}/claims", CLAIM, limit, empty="no claim yet")


@levy.command(epilog="Example:  waymark levy approve levyAccounts/0198…/claims/0198…")
@calls("finance:checker")
def approve(call: Call, name: Claim) -> None:
    """Approve a claim; by another person than the one who claimed."""
    call.one(call.post(f"{name}:approve"), CLAIM)


@levy.command(epilog="Example:  waymark levy reject levyAccounts/0198…/claims/0198… evidence")
@calls("finance:checker")
def reject(call: Call, name: Claim, reason: Annotated[Reason, typer.Argument(help="Why.")]) -> None:
    """Reject a claim; what it set aside is free again."""
    call.one(call.post(f"{name}:reject", {"reason": enum("REJECT_REASON", reason)}), CLAIM)


@levy.command(epilog="Example:  waymark levy statement levyAccounts/0198… 2026 --out 2026.csv")
@calls("auditor")
def statement(
    call: Call,
    name: Account,
    year: Annotated[int, typer.Argument(help="Like 2026.")],
    out: Annotated[Path | None, typer.Option(help="Write it as CSV there.")] = None,
) -> None:
    """Show what an account did in a year, or write it as CSV."""
    if out is not None:
        content = call.caller.rest_bytes("GET", f"/v1/{name}:statementFile", year=year)
        out.write_bytes(content)
        typer.echo(f"{out}: {len(content)} bytes")
        return
    found = call.get(f"{name}/statement", year=year)
    call.one(found, STATEMENT)
    call.part(found.get("lines", []), LINE, empty="nothing moved")
