"""`waymark outcome`: contracts that investors pay for and that are repaid by results."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, enum, listed
from services.cli.known_fields import known
from services.cli.options import Limit
from services.cli.programme import CHECKER, MAKER, read_json

outcome = typer.Typer(
    help="Outcome contracts: investors, milestones with verified outcomes, target mix, repayment by results."
)
CONTRACT = {
    "contract": "name",
    "called": "displayNames",
    "state": "state",
    "invested": "invested",
    "not released": "available",
    "repaid from": "repayDate",
}
MILESTONE = {
    "milestone": "code",
    "counts": "measure",
    "has": "count",
    "takes": "threshold",
    "tranche": "amount",
    "released": "releaseTime",
}
PARTICIPANT = {"participant": "name", "learner": "learner", "reports": "reports"}
WRITTEN = {"written": "appliedCount", "known": "knownCount"}
SHARE = {
    "group": "code",
    "too few to tell": "suppressed",
    "of the group": "members",
    "not known": "unknown",
    "ten-thousandths": "shareBasisPoints",
    "least, percent": "minPercent",
    "met": "met",
}
PUT_IN = {"investor": "fundingSource", "puts in": "amount", "paid at": "organisation"}
REPAYMENT = {
    "contract": "outcomeContract",
    "from": "dueDate",
    "participants": "participants",
    "placed": "placed",
    "ten-thousandths": "resultBasisPoints",
    "released": "released",
    "repaid": "repaid",
    "unspent": "unspent",
    "bank has yet to confirm": "outstanding",
}
INVESTOR = {
    "investor": "fundingSource",
    "invested": "invested",
    "repaid": "repaid",
    "unspent": "unspent",
    "paid at": "organisation",
    "bank has yet to confirm": "outstanding",
}
Name = Annotated[str, typer.Argument(metavar="CONTRACT", help="outcomeContracts/{id}")]
People = Annotated[list[str], typer.Argument(help="outcomeContracts/{id}/participants/{id} …")]


class Kind(StrEnum):
    """What came of participants."""

    COMPLETED = "completed"
    PLACED = "placed"


Came = Annotated[Kind, typer.Argument(help="What came of them.")]


def register(app: typer.Typer) -> None:
    """Adds `outcome` to the command line `app`."""
    app.add_typer(outcome, name="outcome", no_args_is_help=True)


@outcome.command(
    epilog="Example:  waymark outcome create samples/programmes/brussels-becode-bond.json --check"
)
@calls(MAKER)
def create(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON with `outcomeContract`.")],
    id_: Annotated[str, typer.Option("--id", help="Id of the contract; default: one is made.")] = "",
    check: Annotated[bool, typer.Option(help="Only check the draft.")] = False,
) -> None:
    """Draft a contract; a second person puts it in force."""
    from waymark.vouchers.v1.outcome_contract_pb2 import OutcomeContract

    body = known(file, read_json(file, "outcomeContract")["outcomeContract"], OutcomeContract)
    query: dict[str, Any] = {"outcome_contract_id": id_, "validate_only": str(check).lower()}
    show_contract(call, call.post("outcomeContracts", body, **query))


@outcome.command(epilog="Example:  waymark outcome activate outcomeContracts/bond")
@calls(CHECKER)
def activate(call: Call, name: Name) -> None:
    """Put a contract in force; by another person than the one who drafted it."""
    show_contract(call, call.post(f"{name}:activate"))


@outcome.command("list", epilog="Example:  waymark outcome list")
@calls("auditor")
def list_(call: Call, limit: Limit = 50) -> None:
    """List contracts, oldest first."""
    call.many("outcomeContracts", CONTRACT, limit, empty="no contract yet")


@outcome.command(epilog="Example:  waymark outcome show outcomeContracts/bond --as observer:Eva")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a contract with its milestones as they stand."""
    show_contract(call, call.get(name))


@outcome.command(epilog="Example:  waymark outcome enrol outcomeContracts/bond learners/0198…")
@calls("caseworker")
def enrol(
    call: Call, name: Name, learners: Annotated[list[str], typer.Argument(help="learners/{id} …")]
) -> None:
    """Enrol people; who is enrolled already stays."""
    done = call.post(f"{name}/participants:enrol", {"learners": learners})
    call.rows(done.get("participants", []), PARTICIPANT)


@outcome.command(
    epilog="Example:  waymark outcome remove outcomeContracts/bond outcomeContracts/bond/participants/0198…"
)
@calls("caseworker:checker")
def remove(call: Call, name: Name, people: People) -> None:
    """Remove people enrolled by mistake: the first who says so proposes it, another does it."""
    done = call.post(f"{name}/participants:remove", {"participants": people})
    call.one(done, {"removed": "removedCount", "wait for another person": "proposedCount"})


@outcome.command(epilog="Example:  waymark outcome participants outcomeContracts/bond --limit 500")
@calls("auditor")
def participants(call: Call, name: Name, limit: Limit = 50) -> None:
    """List participants with what was reported of them."""
    rows = listed(call.caller, f"{name}/participants", limit)
    for row in rows:
        said = row.get("reports", [])
        if not call.as_json:
            row["reports"] = ", ".join(
                f"{each['outcome']}: {each['state']}".replace("PARTICIPANT_OUTCOME_", "").replace(
                    "STATE_", ""
                )
                for each in said
            ).lower()
    call.rows(rows, PARTICIPANT, empty="nobody yet")


@outcome.command(
    epilog="Example:  waymark outcome report outcomeContracts/bond placed 2026-06-01 list-7 "
    "outcomeContracts/bond/participants/0198…"
)
@calls("caseworker:maker")
def report(
    call: Call,
    name: Name,
    came: Came,
    day: Annotated[str, typer.Argument(help="Day of the outcome, 2026-06-01.")],
    evidence: Annotated[str, typer.Argument(help="Reference of the evidence.")],
    people: People,
) -> None:
    """Report an outcome; it counts once another person has verified it."""
    body = {
        "outcome": enum("PARTICIPANT_OUTCOME", came),
        "date": json_day(day),
        "evidenceReference": evidence,
        "participants": people,
    }
    call.one(call.post(f"{name}:reportOutcomes", body), WRITTEN)


@outcome.command(
    epilog="Example:  waymark outcome verify outcomeContracts/bond placed "
    "outcomeContracts/bond/participants/0198…"
)
@calls("caseworker:checker")
def verify(
    call: Call,
    name: Name,
    came: Came,
    people: People,
    refute: Annotated[bool, typer.Option(help="It is not true and does not count.")] = False,
) -> None:
    """Verify or refute outcomes, by another person than reported them; verified ones are refuted by two."""
    body = {"outcome": enum("PARTICIPANT_OUTCOME", came), "participants": people, "refute": refute}
    call.one(call.post(f"{name}:decideOutcomes", body), WRITTEN)


@outcome.command(epilog="Example:  waymark outcome release outcomeContracts/bond first-150")
@calls("finance:maker")
def release(
    call: Call, name: Name, milestone: Annotated[str, typer.Argument(help="Code of the milestone.")]
) -> None:
    """Release the tranche of a milestone that was reached."""
    show_contract(call, call.post(f"{name}:releaseTranche", {"milestone": milestone}))


@outcome.command(epilog="Example:  waymark outcome mix outcomeContracts/bond")
@calls("auditor")
def mix(call: Call, name: Name) -> None:
    """Tell which part of the participants is of which group now."""
    found = call.get(f"{name}/targetMix")
    call.one(found, {"contract": "outcomeContract", "participants": "participants"})
    call.part(found.get("shares", []), SHARE, empty="no group")


@outcome.command(epilog="Example:  waymark outcome repayment outcomeContracts/bond")
@calls("auditor")
def repayment(call: Call, name: Name) -> None:
    """Compute what the investors have back."""
    show_repayment(call, call.get(f"{name}/repayment"))


@outcome.command(epilog="Example:  waymark outcome repay outcomeContracts/bond")
@calls("finance:maker")
def repay(call: Call, name: Name) -> None:
    """Fix the results and propose to repay."""
    show_repayment(call, call.post(f"{name}:proposeRepayment"))


@outcome.command(epilog="Example:  waymark outcome approve outcomeContracts/bond")
@calls("finance:checker")
def approve(call: Call, name: Name) -> None:
    """Repay; by another person than the one who proposed it. A batch of payables pays organisations."""
    show_repayment(call, call.post(f"{name}:approveRepayment"))


@outcome.command(epilog="Example:  waymark outcome reject outcomeContracts/bond")
@calls("finance:checker")
def reject(call: Call, name: Name) -> None:
    """End a proposal to repay, for results to be mended: whoever made it, or another."""
    show_repayment(call, call.post(f"{name}:rejectRepayment"))


def show_contract(call: Call, contract: dict[str, Any]) -> None:
    """Prints a contract with its investors and milestones."""
    call.one(contract, CONTRACT)
    call.part(contract["investors"], PUT_IN)
    call.part(contract["milestones"], MILESTONE)


def show_repayment(call: Call, found: dict[str, Any]) -> None:
    """Prints a repayment by investor."""
    call.one(found, REPAYMENT)
    call.part(found["investors"], INVESTOR)
