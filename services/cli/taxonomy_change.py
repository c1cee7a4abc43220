"""`waymark taxonomy crosswalk`, `report`, `apply`, `undo`: links between versions, the version in use."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls, listed
from services.cli.options import Limit
from services.cli.uploads import upload_to_catalogue

CHANGE = {
    "change": "name",
    "from": "fromVersion",
    "to": "toVersion",
    "state": "state",
    "counts": "counts",
    "courses done": "doneCount",
    "of": "totalCount",
    "stopped by": "reason",
}
ITEM = {
    "concept": "label",
    "URI": "uri",
    "what": "kind",
    "now": "targets",
    "courses": "courseCount",
    "set by persons": "correctionCount",
    "shortage entries": "shortageEntryCount",
    "figures": "observationCount",
}
LINK = {"concept": "source", "linked to": "target", "strength": "strength"}
MAKER, CHECKER = "catalogue_manager:maker", "catalogue_manager:checker"
BUSY = {"STATE_COUNTING", "STATE_APPLYING", "STATE_UNDOING"}
Version = Annotated[str, typer.Argument(metavar="VERSION", help="taxonomies/{scheme}/versions/{version}")]
Change = Annotated[str, typer.Argument(metavar="CHANGE", help="taxonomyChanges/{id}")]


def register(taxonomy: typer.Typer) -> None:
    """Adds the commands to `waymark taxonomy`."""
    for command, example in (
        (
            crosswalk,
            "crosswalk taxonomies/nace/versions/2 taxonomies/nace/versions/2.1 --file links.csv",
        ),
        (report, "report taxonomies/esco-occupations/versions/1.2"),
        (apply, "apply taxonomyChanges/0190…"),
        (undo, "undo taxonomyChanges/0190…"),
    ):
        taxonomy.command(epilog=f"Example:  waymark taxonomy {example}")(command)


@calls(MAKER)
def crosswalk(
    call: Call,
    source: Version,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Version that the links lead to.")],
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV with source, target, strength to import first."),
    ] = None,
    limit: Limit = 500,
) -> None:
    """Show how concepts of two versions are linked, exact, close, broad or narrow; between versions of one
    scheme links say what replaces what."""
    if file is not None:
        body = {"upload": upload_to_catalogue(call.caller, file), "source": source, "target": target}
        call.post("conceptLinks:import", body)
    found = listed(call.caller, f"{source}/links", limit, key="conceptLinks", target=target)
    call.rows(found, LINK, empty="no links")


@calls(MAKER)
def report(call: Call, version: Version, limit: Limit = 500) -> None:
    """Report what would move if a version were taken in use; nothing moves by that."""
    change = _done(call, call.post("taxonomyChanges", {"toVersion": version}))
    items = listed(call.caller, f"{change['name']}/items", limit, key="taxonomyChangeItems")
    if call.as_json:
        output.as_json({"change": change, "items": items})
    else:
        output.details(change, CHANGE)
        output.table(items, ITEM, empty="no concept moves")


@calls(CHECKER)
def apply(call: Call, name: Change) -> None:
    """Take the version in use and re-tag courses as the report says; by a second person."""
    call.one(_done(call, call.post(f"{name}:apply")), CHANGE)


@calls(CHECKER)
def undo(call: Call, name: Change) -> None:
    """Take the former version in use again and give courses the tags they had."""
    call.one(_done(call, call.post(f"{name}:undo")), CHANGE)


def _done(call: Call, change: dict[str, Any]) -> dict[str, Any]:
    """Waits until what is under way is done or has failed."""
    while change["state"] in BUSY and not change.get("reason"):
        time.sleep(0.5)
        change = call.get(change["name"])
    return change
