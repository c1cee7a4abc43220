"""`waymark application`: applications for vouchers, above all those that wait for a person."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit, subject_of
from services.cli.voucher import learner_of

application = typer.Typer(
    help="Applications for vouchers: what one would get, applying, the queue, every clause of a decision."
)
CASEWORKER = "caseworker"
APPLICATION = {
    "application": "name",
    "learner": "learner",
    "programme": "programme",
    "session": "session",
    "state": "state",
    "decided by rules": "automatic",
    "refused for": "reasonCodes",
    "amount": "amount",
    "learner pays": "learnerShare",
    "shortage list": "shortageListVersion",
    "voucher": "voucher",
    "in the hands of": "assignee",
    "answer due": "answerDueDate",
    "appeal until": "appealUntilDate",
    "appeal": "appeal.outcome",
}
Name = Annotated[str, typer.Argument(metavar="APPLICATION", help="applications/{id}")]


class State(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPEALED = "appealed"
    IN_DRAW = "in_draw"


def register(app: typer.Typer) -> None:
    """Adds `application` to the command line `app`."""
    from services.cli import application_desk, applying  # noqa: F401 - they add their commands to ours

    app.add_typer(application, name="application", no_args_is_help=True)


@application.command(
    "list",
    epilog="Examples:  waymark application list --queue --unassigned · waymark application list --mine · "
    "waymark application list --own --as learner:Anouk",
)
@calls(CASEWORKER)
def list_(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Only what waits for a caseworker.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only what you have in hand.")] = False,
    assignee: Annotated[str, typer.Option(help="Only what this member of staff has in hand.")] = "",
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only what nobody has in hand.")] = False,
    programme: Annotated[str, typer.Option(help="Only of this programmes/{id}.")] = "",
    learner: Annotated[str, typer.Option(help="Only of this learners/{id}.")] = "",
    own: Annotated[bool, typer.Option("--own", help="Only your own, as a learner.")] = False,
    limit: Limit = 50,
) -> None:
    """List applications, oldest first."""
    columns = {
        key: APPLICATION[key]
        for key in ("application", "programme", "state", "in the hands of", "refused for", "amount")
    }
    query = {"programme": programme, "state": enum("STATE", state)}
    query["learner"] = learner_of(call, learner) if own else learner
    query |= {"queued": "true"} if queue else {}
    query |= {"unassigned": "true"} if unassigned else {}
    if mine or assignee:
        query["assignee"] = call.caller.subject if mine else subject_of(assignee)
    call.many("applications", columns, limit, empty="no application", **query)


@application.command(epilog="Example:  waymark application show applications/0198…")
@calls(CASEWORKER)
def show(call: Call, name: Name) -> None:
    """Show an application with every clause as it came out."""
    found = call.get(name)
    call.one(found, APPLICATION)
    columns = {"clause": "clause", "outcome": "outcome", "reason": "reasonCode", "law": "legalReference"}
    call.part(found.get("clauses", []), columns)


@application.command(
    epilog="Examples:  waymark application decide applications/0198… --grant --reason 'papers seen' · "
    "waymark application decide applications/0198… --refuse --code BUDGET_EXHAUSTED --reason 'no money'"
)
@calls(CASEWORKER)
def decide(
    call: Call,
    name: Name,
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="Grant or refuse it.")],
    reason: Annotated[str, typer.Option(help="Why, for the learner; kept sealed.")],
    code: Annotated[
        list[str] | None, typer.Option(help="Reason code of a refusal; repeat for more. Default: CASEWORKER.")
    ] = None,
) -> None:
    """Decide an application that waits for a person; refused with BUDGET_EXHAUSTED alone, it can wait."""
    body = {"grant": grant, "reason": reason, "reasonCodes": code or []}
    call.one(call.post(f"{name}:decide", body), APPLICATION)
