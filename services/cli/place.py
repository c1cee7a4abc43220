"""`waymark place`: where towns, postcodes and regions are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit
from services.cli.uploads import upload_to_catalogue

place = typer.Typer(help="Where towns, postcodes and NUTS regions are; tables of postcodes by country.")
VERSION = {"version": "name", "country": "country", "places": "placeCount", "imported": "importTime"}
PLACE = {"place": "name", "kind": "kind", "code": "code", "country": "country", "where": "location"}
Country = Annotated[str, typer.Option(help="Only in this country, such as BE.")]


def register(app: typer.Typer) -> None:
    """Adds `place` to the command line `app`."""
    app.add_typer(place, name="place", no_args_is_help=True)


@place.command("import", epilog="Example:  waymark place import postcodes.csv --country BE --version 2026-1")
@calls("catalogue_manager:maker")
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    country: Annotated[str, typer.Option(help="Country of all its places, such as BE.")],
    version: Annotated[str, typer.Option(help="Version of the table.")],
) -> None:
    """Import a country's table: columns latitude, longitude, and postcode, town or both; all or nothing."""
    upload = upload_to_catalogue(call.caller, file)
    call.one(call.post("places:import", {"upload": upload, "country": country, "version": version}), VERSION)


@place.command(epilog="Example:  waymark place versions")
@calls()
def versions(call: Call, limit: Limit = 50) -> None:
    """List the imported tables, newest first; of a country the newest is in use."""
    call.many("placeVersions", VERSION, limit, empty="no table yet; see `waymark place import --help`")


@place.command(epilog="Example:  waymark place find Antwerpen --country BE")
@calls()
def find(
    call: Call,
    words: Annotated[list[str], typer.Argument(help="Name, postcode or NUTS code.")],
    country: Country = "",
) -> None:
    """Say what places a name, postcode or NUTS code may mean."""
    answer = call.get("places:find", query=" ".join(words), country=country)
    call.rows(answer.get("places", []), PLACE, empty="no such place")
