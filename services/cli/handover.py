"""`waymark handover`: counsellors hand mandates over, by the holder's word."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.holder import LEARNER, HolderName, own
from services.cli.options import Limit, subject_of

handover = typer.Typer(help="Hand a mandate over to another counsellor or office; the person decides.")
HANDOVER = {
    "hand-over": "name",
    "mandate": "mandate",
    "to": "counsellor",
    "of": "organisation",
    "state": "state",
    "new mandate": "newMandate",
}
ROW = {key: HANDOVER[key] for key in ("hand-over", "to", "of", "state")}
Name = Annotated[str, typer.Argument(metavar="HANDOVER", help="holders/{id}/handovers/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `handover` to the command line `app`."""
    app.add_typer(handover, name="handover", no_args_is_help=True)


@handover.command(
    epilog="Example:  waymark handover offer holders/0198…/mandates/0198… counsellor:Sven "
    "organisations/actiris --as counsellor:Tess --org organisations/office"
)
@calls("counsellor")
def offer(
    call: Call,
    mandate: Annotated[str, typer.Argument(help="Your mandate, holders/{id}/mandates/{id}.")],
    counsellor: Annotated[str, typer.Argument(help="Subject of who takes over, or ROLE:NAME as for --as.")],
    organisation: Annotated[str, typer.Argument(help="organisations/{id} they act for.")],
) -> None:
    """Offer to hand your mandate over; nothing changes before the person accepts."""
    body = {"mandate": mandate, "counsellor": subject_of(counsellor), "organisation": organisation}
    call.one(call.post(f"{mandate.partition('/mandates/')[0]}/handovers", body), HANDOVER)


@handover.command("list", epilog="Example:  waymark handover list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List hand-overs, newest first."""
    call.many(f"{own(call, holder)}/handovers", ROW, limit, empty="nothing was offered")


@handover.command(epilog="Example:  waymark handover accept holders/0198…/handovers/0198…")
@calls(LEARNER)
def accept(call: Call, name: Name) -> None:
    """Accept: the former counsellor's mandate ends, the new one's begins."""
    call.one(call.post(f"{name}:accept"), HANDOVER)


@handover.command(epilog="Example:  waymark handover decline holders/0198…/handovers/0198…")
@calls(LEARNER)
def decline(call: Call, name: Name) -> None:
    """Decline: everything stays as it was."""
    call.one(call.post(f"{name}:decline"), HANDOVER)
