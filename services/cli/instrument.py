"""`waymark instrument`: what people are asked and how it is scored, published by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit
from services.cli.programme import read_json

instrument = typer.Typer(help="What people are asked, and how it is scored: draft, publish, read.")
MAKER, CHECKER = "catalogue_manager:maker", "catalogue_manager:checker"
VERSION = {
    "version": "name",
    "called": "titles",
    "state": "state",
    "scored by": "frameworkVersion",
    "published": "publishTime",
    "etag": "etag",
}
PART = {"part": "id", "called": "titles", "filled by": "filledBy", "special": "specialCategory"}
QUESTION = {"question": "id", "part": "part", "asks": "titles", "counts for": "element", "answers": "answers"}
BAND = {
    "from %": "fromPercent",
    "comes to": "titles",
    "support": "tier",
    "channel": "channel",
    "means": "descriptions",
}
Id = Annotated[str, typer.Argument(metavar="INSTRUMENT", help="instruments/{id}; the id is yours to choose.")]
Name = Annotated[str, typer.Argument(metavar="VERSION", help="instruments/{id}/versions/{n}")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON of the version.")]
Framework = Annotated[
    str, typer.Option(help="frameworks/{id}/versions/{n} that scores it, instead of the one in the file.")
]


def register(app: typer.Typer) -> None:
    """Adds `instrument` to the command line `app`."""
    app.add_typer(instrument, name="instrument", no_args_is_help=True)


@instrument.command(
    epilog="Example:  waymark instrument draft instruments/digital-check "
    "samples/instruments/digital-check.json"
)
@calls(MAKER)
def draft(call: Call, name: Id, file: File, framework: Framework = "") -> None:
    """Draft the next version; its examples are tried at once."""
    call.one(call.post(f"{name}/versions", _read(file, framework)), VERSION)


@instrument.command(
    epilog="Example:  waymark instrument change instruments/digital-check/versions/1 "
    "samples/instruments/digital-check.json"
)
@calls(MAKER)
def change(call: Call, name: Name, file: File, framework: Framework = "") -> None:
    """Replace what a draft says."""
    call.one(call.replace(name, _read(file, framework)), VERSION)


@instrument.command(epilog="Example:  waymark instrument publish instruments/digital-check/versions/1")
@calls(CHECKER)
def publish(call: Call, name: Name) -> None:
    """Publish a draft, for good; by another person than those who drafted it."""
    call.one(call.post(f"{name}:publish"), VERSION)


@instrument.command(epilog="Example:  waymark instrument show instruments/digital-check/versions/1")
@calls()
def show(call: Call, name: Name) -> None:
    """Show what is asked, and how answers are scored."""
    found = call.get(name)
    call.one(found, VERSION)
    call.part(found.get("parts", []), PART)
    call.part(questions(found.get("questions", [])), QUESTION)
    bands = [{"fromPercent": 0} | band for band in found.get("scoring", {}).get("bands", [])]
    call.part(bands, BAND, empty="not scored")


@instrument.command("list", epilog="Example:  waymark instrument list")
@calls()
def list_(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="[INSTRUMENT]", help="instruments/{id}; default: all.")] = "",
    limit: Limit = 50,
) -> None:
    """List versions; drafts too for who may draft (`--as catalogue_manager:maker`)."""
    path = f"{name or 'instruments/-'}/versions"
    call.many(path, VERSION, limit, key="instrumentVersions", empty="no instrument yet")


def questions(asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions with their answers and what each counts, on one line."""
    return [
        each | {"answers": [_answer(option, each) for option in each.get("options", [])] or "a text"}
        for each in asked
    ]


def _answer(option: dict[str, Any], question: dict[str, Any]) -> str:
    points = option.get("points", 0) * (question.get("weight") or 1)
    return f"{option['id']} ({points})" if question.get("element") else str(option["id"])


def _read(file: Path, framework: str) -> dict[str, Any]:
    return read_json(file) | ({"frameworkVersion": framework} if framework else {})
