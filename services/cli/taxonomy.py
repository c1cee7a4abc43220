"""`waymark taxonomy`: occupations, skills and their labels, by version."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli import taxonomy_change
from services.cli.call import Call, calls, enum
from services.cli.options import Limit
from services.cli.uploads import upload_to_catalogue

taxonomy = typer.Typer(
    help="Occupations, skills and other schemes: versions side by side, labels in any language, crosswalks."
)
VERSION = {
    "version": "name",
    "concepts": "conceptCount",
    "labels": "labelCount",
    "occupation skills": "occupationSkillCount",
    "languages": "languages",
    "imported": "importTime",
    "in use since": "inUseTime",
}

CONCEPT = {
    "concept": "name",
    "URI": "uri",
    "code": "code",
    "ISCO-08": "iscoCode",
    "called": "labels",
    "means": "description",
}


class Scheme(StrEnum):
    """Classification schemes."""

    ESCO_OCCUPATIONS = "esco-occupations"
    ESCO_SKILLS = "esco-skills"
    ISCO_08 = "isco-08"
    ISCED_F = "isced-f"
    EQF = "eqf"
    NACE = "nace"
    NUTS = "nuts"
    NATIONAL = "national"


class Columns(StrEnum):
    """Columns of a taxonomy file."""

    ESCO_OCCUPATIONS = "esco-occupations"
    ESCO_SKILLS = "esco-skills"
    ISCO_GROUPS = "isco-groups"
    LABELS = "labels"
    TEMPLATE = "template"
    OCCUPATION_SKILLS = "occupation-skills"


def register(app: typer.Typer) -> None:
    """Adds `taxonomy` to the command line `app`."""
    taxonomy_change.register(taxonomy)
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
    national: Annotated[str, typer.Option(help="Name of a national scheme, such as rome.")] = "",
) -> None:
    """Import a version of a scheme, or add labels or the skills that occupations need; all or nothing."""
    body = {
        "upload": upload_to_catalogue(call.caller, file),
        "scheme": enum("TAXONOMY_SCHEME", scheme),
        "format": enum("TAXONOMY_FORMAT", columns) + "_CSV",
        "version": version,
        "language": language,
        "nationalScheme": national,
    }
    answer = call.post("taxonomies:import", body)
    call.one(answer, VERSION)


@taxonomy.command("versions", epilog="Example:  waymark taxonomy versions")
@taxonomy.command("list", hidden=True, epilog="Example:  waymark taxonomy list")
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
    """Find occupations and skills by label, URI or ISCO-08 code."""
    answer = call.get("concepts:search", query=" ".join(words), page_size=limit)
    columns = {"concept": "labels", "ISCO-08": "iscoCode", "URI": "uri", "name": "name"}
    call.rows(answer.get("concepts", []), columns, empty="nothing found")


@taxonomy.command(epilog="Example:  waymark taxonomy concept taxonomies/isco-08/versions/2008/concepts/C7212")
@calls()
def concept(
    call: Call,
    name: Annotated[
        str, typer.Argument(metavar="CONCEPT", help="taxonomies/{scheme}/versions/{version}/concepts/{id}")
    ],
) -> None:
    """Show a concept that a search names: what it is called and means."""
    call.one(call.get(name), CONCEPT)


@taxonomy.command(epilog='Example:  waymark taxonomy tag "manage small projects"')
@calls("catalogue_manager:maker")
def tag(
    call: Call,
    words: Annotated[list[str], typer.Argument(help="A title, a learning outcome or a sentence.")],
    scheme: Annotated[Scheme, typer.Option(help="Of which scheme.")] = Scheme.ESCO_SKILLS,
    language: Annotated[str, typer.Option(help="Language of the words.")] = "en",
    limit: Annotated[int, typer.Option(min=1, max=20, help="Show at most so many.")] = 5,
) -> None:
    """Tell which skills or occupations a phrase names, surest first."""
    body = {
        "text": " ".join(words),
        "scheme": enum("TAXONOMY_SCHEME", scheme),
        "language": language,
        "maxTags": limit,
    }
    answer = call.post("taxonomies:previewTags", body)
    columns = {"concept": "label", "confidence": "confidence", "version": "taxonomyVersion", "URI": "uri"}
    call.rows(answer.get("tags", []), columns, empty="no concept is close enough to be a tag")
