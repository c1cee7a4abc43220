"""`waymark hold`: money that looks wrong waits until somebody else has looked."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output
from services.cli.call import listed
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling

hold = typer.Typer(help="Holds on payouts: placed on an alert, released by a second person with a finding.")
HOLD = {"hold": "name", "stops": "target", "because": "reason", "released": "released", "finding": "finding"}


def register(app: typer.Typer) -> None:
    """Adds `hold` to the command line `app`."""
    app.add_typer(hold, name="hold", no_args_is_help=True)


@hold.command(epilog="Example:  waymark hold place organisations/harbour 'complaint about attendance lists'")
def place(
    target: Annotated[str, typer.Argument(help="redemptions/{id}, courses/{id} or organisations/{id}")],
    reason: Annotated[str, typer.Argument(help="Why, without personal data.")],
    act_as: ActAs = "finance:maker",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Stop payouts for a redemption, a course or a provider."""
    body = {"hold": {"target": target, "reason": reason}}
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", "/v1/holds", body), HOLD, as_json)


@hold.command(epilog="Example:  waymark hold release holds/0198… 'lists and register agree'")
def release(
    name: Annotated[str, typer.Argument(metavar="HOLD", help="holds/{id}")],
    finding: Annotated[str, typer.Argument(help="What was found, without personal data.")],
    act_as: ActAs = "finance:checker",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """End a hold; by another person than the one who placed it."""
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", f"/v1/{name}:release", {"finding": finding}), HOLD, as_json)


@hold.command("list", epilog="Example:  waymark hold list --ended")
def list_(
    ended: Annotated[bool, typer.Option(help="Released and ended ones too.")] = False,
    limit: Limit = 50,
    act_as: ActAs = "auditor",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List holds, newest first."""
    with calling(home, act_as, token=token) as caller:
        found = listed(caller, "holds", limit, show_ended=str(ended).lower())
    output.many(found, HOLD, as_json, empty="nothing is held")
