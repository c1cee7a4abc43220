"""`waymark obligation`: what employers promise when people are trained for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day, json_money
from services.cli.call import Call, calls
from services.cli.known_fields import known
from services.cli.options import Limit
from services.cli.programme import MAKER, read_json

obligation = typer.Typer(
    help="Employers' promises to hire: several payers, hirings by two people, what is owed for the rest."
)
OBLIGATION = {
    "obligation": "name",
    "employer": "employer",
    "state": "state",
    "until": "dueDate",
    "trainees": "traineeCount",
    "to hire": "requiredCount",
    "hired": "hiredCount",
    "owed": "owed",
    "paid": "paid",
    "written off": "writtenOff",
    "left to pay": "outstanding",
    "given up for": "writeOffReason",
}
PAYER = {"payer": "fundingSource", "ten-thousandths": "shareBasisPoints", "employer": "employer"}
PAYMENT = {
    "payment": "name",
    "amount": "amount",
    "reference": "bankReference",
    "when": "createTime",
    "undone": "undoTime",
}
TRAINEE = {
    "trainee": "name",
    "learner": "learner",
    "cost": "cost",
    "state": "state",
    "hiring": "hiring",
    "on": "hireDate",
    "found wrong": "correctionProposed",
}
Name = Annotated[str, typer.Argument(metavar="OBLIGATION", help="employerObligations/{id}")]
People = Annotated[list[str], typer.Argument(help="employerObligations/{id}/trainees/{id} …")]
Amount = Annotated[str, typer.Argument(help="Like 6000.00.")]


def register(app: typer.Typer) -> None:
    """Adds `obligation` to the command line `app`."""
    app.add_typer(obligation, name="obligation", no_args_is_help=True)


@obligation.command(
    epilog="Example:  waymark obligation create organisations/acme samples/programmes/portuguese-upskill.json"
)
@calls(MAKER)
def create(
    call: Call,
    employer: Annotated[str, typer.Argument(help="organisations/{id} of the employer.")],
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON with `employerObligation`.")
    ],
) -> None:
    """Create an employer's promise, with its payers."""
    from waymark.vouchers.v1.employer_obligation_pb2 import EmployerObligation

    said = known(file, read_json(file, "employerObligation")["employerObligation"], EmployerObligation)
    show_obligation(call, call.post("employerObligations", said | {"employer": employer}))


@obligation.command("list", epilog="Example:  waymark obligation list")
@calls("auditor")
def list_(
    call: Call,
    employer: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List promises, oldest first."""
    call.many(
        "employerObligations", OBLIGATION, limit, empty="no promise yet", **call.caller.own(employer=employer)
    )


@obligation.command(epilog="Example:  waymark obligation show employerObligations/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a promise with its payers and what it counts now."""
    show_obligation(call, call.get(name))


@obligation.command(
    epilog="Example:  waymark obligation enrol employerObligations/0198… 6000.00 learners/0198…"
)
@calls("caseworker:maker")
def enrol(
    call: Call,
    name: Name,
    cost: Amount,
    learners: Annotated[list[str], typer.Argument(help="learners/{id} …")],
    provider: Annotated[
        str,
        typer.Option(help="organisations/{id} that trains them and is paid by a batch; default: outside."),
    ] = "",
) -> None:
    """Enrol people; the cost of each is split over the payers."""
    body = {"learners": learners, "cost": json_money(cost), "provider": provider}
    call.rows(call.post(f"{name}/trainees:enrol", body)["trainees"], TRAINEE)


@obligation.command(
    epilog="Example:  waymark obligation approve employerObligations/0198… "
    "employerObligations/0198…/trainees/0198…"
)
@calls("finance:checker")
def approve(call: Call, name: Name, people: People) -> None:
    """Approve enrolments; by another person than the one who enrolled."""
    call.rows(call.post(f"{name}/trainees:approve", {"trainees": people})["trainees"], TRAINEE)


@obligation.command(
    epilog="Example:  waymark obligation remove employerObligations/0198… "
    "employerObligations/0198…/trainees/0198…"
)
@calls("caseworker:maker")
def remove(call: Call, name: Name, people: People) -> None:
    """Remove people who were enrolled by mistake, as long as nobody has approved them."""
    call.one(call.post(f"{name}/trainees:remove", {"trainees": people}), {"removed": "removedCount"})


@obligation.command(epilog="Example:  waymark obligation trainees employerObligations/0198…")
@calls("auditor")
def trainees(call: Call, name: Name, limit: Limit = 50) -> None:
    """List trainees, earliest first."""
    call.many(f"{name}/trainees", TRAINEE, limit, empty="nobody yet")


@obligation.command(
    epilog="Example:  waymark obligation hired employerObligations/0198… 2026-06-01 contracts/7 "
    "employerObligations/0198…/trainees/0198…"
)
@calls("caseworker:maker")
def hired(
    call: Call,
    name: Name,
    day: Annotated[str, typer.Argument(help="Day of the hiring, 2026-06-01.")],
    evidence: Annotated[str, typer.Argument(help="Reference of the evidence.")],
    people: People,
) -> None:
    """Report that trainees were hired; it counts once another person has verified it."""
    body = {"trainees": people, "date": json_day(day), "evidenceReference": evidence}
    call.rows(call.post(f"{name}/trainees:reportHirings", body)["trainees"], TRAINEE)


@obligation.command(
    epilog="Example:  waymark obligation verify employerObligations/0198… "
    "employerObligations/0198…/trainees/0198…"
)
@calls("caseworker:checker")
def verify(
    call: Call,
    name: Name,
    people: People,
    refute: Annotated[bool, typer.Option(help="It is not true and does not count.")] = False,
) -> None:
    """Verify or refute hirings, by another person than reported them; verified ones are refuted by two."""
    body = {"trainees": people, "refute": refute}
    call.rows(call.post(f"{name}/trainees:decideHirings", body)["trainees"], TRAINEE)


@obligation.command(epilog="Example:  waymark obligation assess employerObligations/0198…")
@calls("finance:maker")
def assess(call: Call, name: Name) -> None:
    """Count after the last day who was not hired, and book what is owed for them."""
    show_obligation(call, call.post(f"{name}:assess"))


@obligation.command(epilog="Example:  waymark obligation paid employerObligations/0198… 3600.00")
@calls("finance:maker")
def paid(
    call: Call,
    name: Name,
    amount: Amount,
    reference: Annotated[str, typer.Option(help="The bank's reference of the credit.")] = "",
) -> None:
    """Note what the employer has paid of what it owes."""
    body = {"amount": json_money(amount), "bankReference": reference}
    show_obligation(call, call.post(f"{name}:recordPayment", body))


@obligation.command(epilog="Example:  waymark obligation undo employerObligations/0198…/payments/0198…")
@calls("finance:checker")
def undo(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="PAYMENT", help="employerObligations/{id}/payments/{id}")],
) -> None:
    """Take back that a payment was noted; by another person than the one who noted it."""
    show_obligation(call, call.post(f"{name}:undo"))


@obligation.command(
    "write-off", epilog="Example:  waymark obligation write-off employerObligations/0198… 'insolvent'"
)
@calls("finance:maker")
def write_off(
    call: Call,
    name: Name,
    reason: Annotated[str, typer.Argument(help="Why, in words; kept sealed, for finance and auditors.")],
) -> None:
    """Propose to give up what the employer still owes."""
    show_obligation(call, call.post(f"{name}:proposeWriteOff", {"reason": reason}))


@obligation.command(
    "approve-write-off", epilog="Example:  waymark obligation approve-write-off employerObligations/0198…"
)
@calls("finance:checker")
def approve_write_off(call: Call, name: Name) -> None:
    """Approve that what is left is given up; by another person than the one who proposed it."""
    show_obligation(call, call.post(f"{name}:approveWriteOff"))


@obligation.command(
    "decline-write-off", epilog="Example:  waymark obligation decline-write-off employerObligations/0198…"
)
@calls("finance:checker")
def decline_write_off(call: Call, name: Name) -> None:
    """End a proposal to write off: whoever made it withdraws it, or another declines it."""
    show_obligation(call, call.post(f"{name}:declineWriteOff"))


def show_obligation(call: Call, found: dict[str, Any]) -> None:
    """Prints a promise with its payers."""
    call.one(found, OBLIGATION)
    call.part(found["payers"], PAYER)
    if found.get("payments"):
        call.part(found["payments"], PAYMENT)
