"""`waymark taxonomy`: occupations and their labels, by version."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.call import listed
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling
from services.cli.uploads import upload_to_catalogue

taxonomy = typer.Typer(help="Occupations: ESCO and ISCO-08, immutable versions, labels in any language.")
VERSION = {
    "version": "name",
    "concepts": "conceptCount",
    "labels": "labelCount",
    "languages": "languages",
    "imported": "importTime",
}


class Scheme(StrEnum):
    """Classification schemes."""

    ESCO_OCCUPATIONS = "esco-occupations"
    ISCO_08 = "isco-08"


class Columns(StrEnum):
    """Columns of a taxonomy file."""

    ESCO_OCCUPATIONS = "esco-occupations"
    ISCO_GROUPS = "isco-groups"
    LABELS = "labels"


def register(app: typer.Typer) -> None:
    """Adds `taxonomy` to the command line `app`."""
    app.add_typer(taxonomy, name="taxonomy", no_args_is_help=True)


@taxonomy.command(
    "import",
    epilog="Example:  waymark taxonomy import samples/taxonomy/occupations_en.csv --scheme esco-occupations "
    "--columns esco-occupations --version sample-1",
)
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    scheme: Annotated[Scheme, typer.Option(help="Which scheme.")],
    columns: Annotated[Columns, typer.Option(help="What the columns are.")],
    version: Annotated[str, typer.Option(help="Version as its publisher names it.")],
    language: Annotated[str, typer.Option(help="Language of the labels.")] = "en",
    act_as: ActAs = "catalogue_manager:maker",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import one version of a scheme, or add labels of another language to one; all or nothing."""
    with calling(home, act_as, token=token) as caller:
        body = {
            "upload": upload_to_catalogue(caller, file),
            "scheme": "TAXONOMY_SCHEME_" + scheme.name,
            "format": "TAXONOMY_FORMAT_" + columns.name + "_CSV",
            "version": version,
            "language": language,
        }
        answer = caller.rest("POST", "/v1/taxonomies:import", body)
    output.one(answer, VERSION, as_json)


@taxonomy.command("list", epilog="Example:  waymark taxonomy list")
def list_(limit: Limit = 50, home: Home = None, as_json: AsJson = False) -> None:
    """List the imported versions, newest first."""
    with calling(home) as caller:
        found = listed(caller, "taxonomyVersions", limit)
    output.many(found, VERSION, as_json, empty="no taxonomy yet; see `waymark taxonomy import --help`")


@taxonomy.command(epilog="Example:  waymark taxonomy search welder")
def search(
    words: Annotated[list[str], typer.Argument(help="Words of a label, a URI or an ISCO-08 code.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Show at most so many.")] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Find occupations by label, URI or ISCO-08 code."""
    with calling(home) as caller:
        answer = caller.rest("GET", "/v1/concepts:search", query=" ".join(words), page_size=limit)
    columns = {"occupation": "labels", "ISCO-08": "iscoCode", "URI": "uri"}
    output.many(answer.get("concepts", []), columns, as_json, empty="no occupation found")
