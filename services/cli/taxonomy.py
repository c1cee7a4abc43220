"""`waymark taxonomy`: occupations and their labels, by version."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit
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
@calls("catalogue_manager:maker")
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    scheme: Annotated[Scheme, typer.Option(help="Which scheme.")],
    columns: Annotated[Columns, typer.Option(help="What the columns are.")],
    version: Annotated[str, typer.Option(help="Version as its publisher names it.")],
    language: Annotated[str, typer.Option(help="Language of the labels.")] = "en",
) -> None:
    """Import one version of a scheme, or add labels of another language to one; all or nothing."""
    body = {
        "upload": upload_to_catalogue(call.caller, file),
        "scheme": "TAXONOMY_SCHEME_" + scheme.name,
        "format": "TAXONOMY_FORMAT_" + columns.name + "_CSV",
        "version": version,
        "language": language,
    }
    answer = call.post("taxonomies:import", body)
    call.one(answer, VERSION)


@taxonomy.command("list", epilog="Example:  waymark taxonomy list")
@calls()
def list_(call: Call, limit: Limit = 50) -> None:
    """List the imported versions, newest first."""
    call.many(
        "taxonomyVersions", VERSION, limit, empty="no taxonomy yet; see `waymark taxonomy import --help`"
    )


@taxonomy.command(epilog="Example:  waymark taxonomy search welder")
@calls()
def search(
    call: Call,
    words: Annotated[list[str], typer.Argument(help="Words of a label, a URI or an ISCO-08 code.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Show at most so many.")] = 20,
) -> None:
    """Find occupations by label, URI or ISCO-08 code."""
    answer = call.get("concepts:search", query=" ".join(words), page_size=limit)
    columns = {"occupation": "labels", "ISCO-08": "iscoCode", "URI": "uri"}
    call.rows(answer.get("concepts", []), columns, empty="no occupation found")
