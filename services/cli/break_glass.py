"""`waymark break-glass`: looks without leave, for what cannot wait."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.holder import LEARNER, own
from services.cli.options import Limit

break_glass = typer.Typer(
    help="Open a portfolio without leave when something cannot wait; review such looks and alarms."
)
STAFF, REVIEWER = "counsellor", "supervisor"
LOOK = {
    "look": "name",
    "ground": "ground",
    "reason": "reason",
    "state": "state",
    "by": "opener",
    "of": "organisation",
    "opened": "createTime",
    "until": "expireTime",
    "found": "verdict",
    "because": "reviewNote",
    "found by": "reviewer",
}
ALARM = {"when": "raiseTime", "who": "reader", "of": "organisation", "people": "people"}
ROW = {key: LOOK[key] for key in ("look", "ground", "state", "by", "opened", "found")}
OWN = {key: LOOK[key] for key in ("look", "by", "of", "ground", "reason", "opened", "found", "because")}
Name = Annotated[str, typer.Argument(metavar="LOOK", help="holders/{id}/breakGlassAccesses/{id}")]


class Ground(StrEnum):
    """Why it cannot wait."""

    DANGER = "danger"
    DEADLINE = "deadline"
    LEGAL_ORDER = "legal-order"


class Verdict(StrEnum):
    """Whether there was reason for a look."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


def register(app: typer.Typer) -> None:
    """Adds `break-glass` to the command line `app`."""
    app.add_typer(break_glass, name="break-glass", no_args_is_help=True)


@break_glass.command(
    "open",
    epilog="Example:  waymark break-glass open holders/0198… danger 'found unconscious at the quay'",
)
@calls(STAFF)
def open_(
    call: Call,
    holder: Annotated[str, typer.Argument(help="holders/{id}")],
    ground: Annotated[Ground, typer.Argument(help="Why it cannot wait.")],
    reason: Annotated[str, typer.Argument(help="What happened; the person will read it.")],
) -> None:
    """Open holder, entries and pathways of somebody for an hour; it is told at once, and reviewed."""
    body = {"ground": enum("GROUND", ground), "reason": reason}
    call.one(call.post(f"{holder}/breakGlassAccesses", body), LOOK)


@break_glass.command("list", epilog="Example:  waymark break-glass list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List looks at your portfolio without your leave, newest first."""
    path = f"{own(call, '')}/breakGlassAccesses"
    call.many(path, OWN, limit, empty="nobody looked without leave")


@break_glass.command(epilog="Example:  waymark break-glass unreviewed")
@calls(REVIEWER)
def unreviewed(call: Call, limit: Limit = 50) -> None:
    """List looks that wait for a second person, the oldest first."""
    path = "breakGlassAccesses:unreviewed"
    call.many(path, ROW, limit, key="breakGlassAccesses", empty="nothing waits")


@break_glass.command(epilog="Example:  waymark break-glass alarms")
@calls(REVIEWER)
def alarms(call: Call, limit: Limit = 50) -> None:
    """List who looked at as many people in a day as anybody may, with leave or without, newest first."""
    call.many("readAlarms", ALARM, limit, empty="nobody looked at so many")


@break_glass.command(epilog="Example:  waymark break-glass show holders/0198…/breakGlassAccesses/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a look; a supervisor's is written to the access log."""
    call.one(call.get(name), LOOK)


@break_glass.command(epilog="Example:  waymark break-glass end holders/0198…/breakGlassAccesses/0198…")
@calls(STAFF)
def end(call: Call, name: Name) -> None:
    """End a look of your own before its hour is over."""
    call.one(call.post(f"{name}:end"), LOOK)


@break_glass.command(
    epilog="Example:  waymark break-glass review holders/0198…/breakGlassAccesses/0198… justified 'as said'"
)
@calls(REVIEWER)
def review(
    call: Call,
    name: Name,
    verdict: Annotated[Verdict, typer.Argument(help="Whether there was reason for it.")],
    note: Annotated[str, typer.Argument(help="Why; the person will read it.")],
) -> None:
    """Say whether there was reason for a look; by another person than who opened it."""
    body = {"verdict": enum("BREAK_GLASS_VERDICT", verdict), "note": note}
    call.one(call.post(f"{name}:review", body), LOOK)
