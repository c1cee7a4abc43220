"""`waymark assessment`: what officers make of an occupation in their area, verified by a second person."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

assessment = typer.Typer(help="Shortages as officers see them: entered, verified, rolled up, attested.")
OFFICER, SECOND = "caseworker:officer", "supervisor:second"
ASSESSMENT = {
    "assessment": "name",
    "occupation": "occupation",
    "area": "nutsCode",
    "severity": "severity",
    "cause": "cause",
    "state": "state",
    "rests on": "evidence",
    "entered": "createTime",
    "verified": "verifyTime",
}
ROLL_UP = {
    "assessed": "assessed",
    "severity": "severity",
    "cause": "cause",
    "by rule": "method",
}
COUNCIL = {"council": "organisation", "speaks for ISCO-08": "iscoCodes"}
WORDS = {"council": "organisation", "says": "verdict", "because": "explanation"}
Name = Annotated[str, typer.Argument(metavar="ASSESSMENT", help="assessments/{id}")]
Occupation = Annotated[str, typer.Argument(help="ISCO-08 code or concept URI.")]
Region = Annotated[str, typer.Argument(help="NUTS code.")]


class Cause(StrEnum):
    """Why an occupation is short."""

    TOO_FEW_PEOPLE = "too-few-people"
    WRONG_SKILLS = "wrong-skills"
    WORKING_CONDITIONS = "working-conditions"


class State(StrEnum):
    """States of an assessment."""

    ENTERED = "entered"
    VERIFIED = "verified"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


def register(app: typer.Typer) -> None:
    """Adds `assessment` to the command line `app`."""
    app.add_typer(assessment, name="assessment", no_args_is_help=True)


@assessment.command(
    epilog="Example:  waymark assessment enter 7212 BE21 4 --cause too-few-people --evidence 'open long'"
)
@calls(OFFICER)
def enter(
    call: Call,
    occupation: Occupation,
    area: Region,
    severity: Annotated[int, typer.Argument(min=0, max=5, help="0 (not short) to 5 (critical).")],
    cause: Annotated[Cause | None, typer.Option(help="Why; needed above 0.")] = None,
    evidence: Annotated[str, typer.Option(help="What it rests on; of nobody in particular.")] = "",
) -> None:
    """Enter how short an occupation is in an area; a second person verifies it."""
    body = {
        "occupation": occupation,
        "nutsCode": area,
        "severity": severity,
        "cause": enum("SHORTAGE_CAUSE", cause) or "SHORTAGE_CAUSE_UNSPECIFIED",
        "evidence": evidence,
    }
    call.one(call.post("assessments", body), ASSESSMENT)


@assessment.command(epilog="Example:  waymark assessment verify assessments/0198…")
@calls(SECOND)
def verify(
    call: Call, name: Name, reject: Annotated[bool, typer.Option("--reject", help="Reject it.")] = False
) -> None:
    """Verify an assessment, or reject it; by another person than the one who entered it."""
    call.one(call.post(f"{name}:verify", {"reject": reject}), ASSESSMENT)


@assessment.command(epilog="Example:  waymark assessment show assessments/0198…")
@calls(OFFICER)
def show(call: Call, name: Name) -> None:
    """Show an assessment."""
    call.one(call.get(name), ASSESSMENT)


@assessment.command("list", epilog="Example:  waymark assessment list --region BE2 --state entered")
@calls(OFFICER)
def list_(
    call: Call,
    occupation: Annotated[str, typer.Option(help="Only of this occupation.")] = "",
    region: Annotated[str, typer.Option(help="Only of this area and those below it.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List assessments, newest first."""
    asked = {"occupation": occupation, "nuts_code": region, "state": enum("STATE", state)}
    call.many("assessments", ASSESSMENT, limit, empty="no assessment", **asked)


@assessment.command("roll-up", epilog="Example:  waymark assessment roll-up 7212 BE2")
@calls()
def roll_up(call: Call, occupation: Occupation, region: Region) -> None:
    """Show what verified assessments come to in a region or nation, and which they are."""
    answer = call.get("assessments:rollUp", occupation=occupation, nuts_code=region)
    answer.setdefault("assessed", False)
    call.one(answer, ROLL_UP)
    call.part(answer.get("assessments", []), ASSESSMENT, empty="no verified assessment")


@assessment.command(epilog="Example:  waymark assessment appoint organisations/metal-council 72 73")
@calls("catalogue_manager")
def appoint(
    call: Call,
    organisation: Annotated[str, typer.Argument(help="organisations/{id}")],
    isco_codes: Annotated[list[str] | None, typer.Argument(help="ISCO-08 groups; none ends it.")] = None,
) -> None:
    """Appoint an organisation as the sector council for ISCO-08 groups."""
    answer = call.post(f"{organisation}:appointSectorCouncil", {"iscoCodes": isco_codes or []})
    call.one(answer, COUNCIL)


@assessment.command(
    epilog="Example:  waymark assessment attest assessments/0198… --org organisations/metal-council "
    "--explanation 'our members say the same'"
)
@calls("provider:council")
def attest(
    call: Call,
    name: Name,
    dispute: Annotated[bool, typer.Option("--dispute", help="Say that it is not so.")] = False,
    explanation: Annotated[str, typer.Option(help="Why, for everybody to read.")] = "",
) -> None:
    """Say in the name of a sector council that a verified assessment is right, or not."""
    verdict = "VERDICT_DISPUTES" if dispute else "VERDICT_AGREES"
    answer = call.post(f"{name}:attest", {"verdict": verdict, "explanation": explanation})
    call.one(answer, ASSESSMENT)
    call.part(answer.get("attestations", []), WORDS)
