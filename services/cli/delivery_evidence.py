"""`waymark redemption evidence`: what providers handed in to show that a training took place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.downloads import download_to
from services.cli.options import Limit
from services.cli.redemption import CASEWORKER, Name, redemption

evidence = typer.Typer(help="What was handed in to show that a training took place.")
redemption.add_typer(evidence, name="evidence", no_args_is_help=True)
ROW = {
    "evidence": "name",
    "shows": "kind",
    "type": "contentType",
    "bytes": "sizeBytes",
    "handed in": "deliverTime",
    "sent back": "returnTime",
    "deleted": "deleteTime",
}


@evidence.command("list", epilog="Example:  waymark redemption evidence list redemptions/0198…")
@calls(CASEWORKER)
def list_(call: Call, name: Name, limit: Limit = 50) -> None:
    """List what was handed in; a learner (`--as learner`) sees what shows completion."""
    call.many(f"{name}/evidence", ROW, limit, empty="nothing was handed in")


@evidence.command(
    epilog="Example:  waymark redemption evidence get redemptions/0198…/evidence/0198… --out list.pdf"
)
@calls(CASEWORKER)
def get(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="EVIDENCE", help="redemptions/{redemption}/evidence/{id}")],
    out: Annotated[Path, typer.Option(help="Where to write it.")],
) -> None:
    """Write a file that was handed in to disk. Broken off, the same command goes on where it was."""
    ticket = call.get(f"{name}:download")
    call.wrote(out, download_to(call.caller, ticket["url"], out, ticket["sha256"]))
