"""`waymark application`: applications for vouchers, above all those that wait for a person."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling

application = typer.Typer(
    help="Applications for vouchers: the caseworkers' queue, and every clause behind a decision."
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
}
Name = Annotated[str, typer.Argument(metavar="APPLICATION", help="applications/{id}")]


class State(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"


def register(app: typer.Typer) -> None:
    """Adds `application` to the command line `app`."""
    app.add_typer(application, name="application", no_args_is_help=True)


@application.command("list", epilog="Example:  waymark application list --state submitted")
def list_(
    state: Annotated[State | None, typer.Option(help="Only in this state; `submitted` is the queue.")] = None,
    programme: Annotated[str, typer.Option(help="Only of this programmes/{id}.")] = "",
    limit: Limit = 50,
    act_as: ActAs = CASEWORKER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List applications, oldest first."""
    query: dict[str, Any] = {"programme": programme, "page_size": limit}
    if state:
        query["state"] = f"STATE_{state.name}"
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", "/v1/applications", **query).get("applications", [])
    columns = {
        key: APPLICATION[key] for key in ("application", "programme", "state", "refused for", "amount")
    }
    output.many(found, columns, as_json, empty="no application")


@application.command(epilog="Example:  waymark application show applications/0198…")
def show(
    name: Name, act_as: ActAs = CASEWORKER, token: Token = "", home: Home = None, as_json: AsJson = False
) -> None:
    """Show an application with every clause as it came out."""
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", f"/v1/{name}")
    output.one(found, APPLICATION, as_json)
    if not as_json:
        columns = {"clause": "clause", "outcome": "outcome", "reason": "reasonCode", "law": "legalReference"}
        output.table(found.get("clauses", []), columns)


@application.command(
    epilog="Example:  waymark application decide applications/0198… --grant --reason 'papers seen'"
)
def decide(
    name: Name,
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="Grant or refuse it.")],
    reason: Annotated[str, typer.Option(help="Why, for the learner; kept sealed.")],
    act_as: ActAs = CASEWORKER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Decide an application that waits for a person."""
    body = {"grant": grant, "reason": reason, "reasonCodes": [] if grant else ["CASEWORKER"]}
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", f"/v1/{name}:decide", body), APPLICATION, as_json)
