"""`waymark framework`: what there is to be able to do, in versions that a second person publishes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.call import Call, calls
from services.cli.options import Limit
from services.cli.programme import read_json

framework = typer.Typer(help="Frameworks of skills: draft, import, publish by a second person, read.")
MAKER, CHECKER = "catalogue_manager:maker", "catalogue_manager:checker"
VERSION = {
    "version": "name",
    "called": "titles",
    "state": "state",
    "from": "source",
    "published": "publishTime",
    "etag": "etag",
}
ELEMENT = {"element": "id", "of": "standard", "called": "titles"}
LEVEL = {"level": "id", "called": "titles", "told by": "descriptions"}
Id = Annotated[str, typer.Argument(metavar="FRAMEWORK", help="frameworks/{id}; the id is yours to choose.")]
Name = Annotated[str, typer.Argument(metavar="VERSION", help="frameworks/{id}/versions/{n}")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON of the version.")]


def register(app: typer.Typer) -> None:
    """Adds `framework` to the command line `app`."""
    app.add_typer(framework, name="framework", no_args_is_help=True)


@framework.command(
    epilog="Example:  waymark framework draft frameworks/career-management "
    "samples/frameworks/career-management.json"
)
@calls(MAKER)
def draft(call: Call, name: Id, file: File) -> None:
    """Draft the next version of a framework."""
    call.one(call.post(f"{name}/versions", read_json(file)), VERSION)


@framework.command(
    "import", epilog="Example:  waymark framework import frameworks/nace nace_usa.matrix --language en"
)
@calls(MAKER)
def import_(
    call: Call,
    name: Id,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A SmartEvidence `.matrix` file.")
    ],
    language: Annotated[str, typer.Option(help="Language of its texts.")] = "en",
) -> None:
    """Draft the next version from a file of Mahara SmartEvidence."""
    body = {"content": base64.b64encode(file.read_bytes()).decode(), "languageCode": language}
    answer = call.post(f"{name}/versions:import", body)
    if call.as_json:
        output.as_json(answer)
    else:
        left = {"not carried": "notCarried"}
        output.details(
            answer["frameworkVersion"] | {"notCarried": answer.get("notCarried", [])}, VERSION | left
        )


@framework.command(
    epilog="Example:  waymark framework change frameworks/career-management/versions/1 "
    "samples/frameworks/career-management.json"
)
@calls(MAKER)
def change(call: Call, name: Name, file: File) -> None:
    """Replace what a draft says."""
    call.one(call.replace(name, read_json(file)), VERSION)


@framework.command(epilog="Example:  waymark framework publish frameworks/career-management/versions/1")
@calls(CHECKER)
def publish(call: Call, name: Name) -> None:
    """Publish a draft, for good; by another person than those who drafted it."""
    call.one(call.post(f"{name}:publish"), VERSION)


@framework.command(epilog="Example:  waymark framework show frameworks/career-management/versions/1")
@calls()
def show(call: Call, name: Name) -> None:
    """Show a version with its elements and levels."""
    found = call.get(name)
    call.one(found, VERSION)
    call.part(found.get("elements", []), ELEMENT)
    call.part(found.get("levels", []), LEVEL, empty="no levels")


@framework.command("list", epilog="Example:  waymark framework list")
@calls()
def list_(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="[FRAMEWORK]", help="frameworks/{id}; default: all.")] = "",
    limit: Limit = 50,
) -> None:
    """List versions; drafts too for who may draft (`--as catalogue_manager:maker`)."""
    path = f"{name or 'frameworks/-'}/versions"
    call.many(path, VERSION, limit, key="frameworkVersions", empty="no framework yet")
