"""`waymark occupation`: everything that is known of an occupation, each part with its source."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.labour_market import FIGURES, SOURCE

occupation = typer.Typer(help="Occupations: what they are, take and pay, and how short they are where.")
PAGE = {
    "occupation": "concept.labels",
    "ISCO-08": "concept.iscoCode",
    "taxonomy": "concept.name",
    "what it is": "concept.description",
    "skill level": "requiredLevel.skillLevels",
    "ISCED 2011": "requiredLevel.iscedLevels",
    "level by": "requiredLevel.source",
    "courses": "courseCount",
    "as of": "date",
}
LEVELS = {
    "region": "nutsCode",
    "severity": "severity",
    "cause": "cause",
    "by rule": "method",
    "areas": "areas",
}
LISTS = {
    "version": "version",
    "from": "validFrom",
    "until": "validTo",
    "in force": "inForce",
    "severity": "entry.severity",
    "cause": "entry.cause",
    "region": "entry.nutsCode",
}


def register(app: typer.Typer) -> None:
    """Adds `occupation` to the command line `app`."""
    app.add_typer(occupation, name="occupation", no_args_is_help=True)


@occupation.command(epilog="Example:  waymark occupation show 7212 BE21")
@calls()
def show(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="OCCUPATION", help="ISCO-08 code or concept URI.")],
    region: Annotated[str, typer.Argument(help="NUTS code of the place.")],
) -> None:
    """Show the page of an occupation for a place."""
    answer = call.get("occupations:page", occupation=name, nuts_code=region)
    call.one(answer, PAGE)
    call.part(answer.get("observations", []), FIGURES, empty="no figures")
    call.part(
        answer.get("sources", []), {key: SOURCE[key] for key in ("source", "publisher", "covers", "how")}
    )
    call.part([_level(each) for each in answer.get("rollUps", [])], LEVELS, empty="not assessed")
    call.part(answer.get("shortages", []), LISTS, empty="on no list")


def _level(rolled: dict[str, Any]) -> dict[str, Any]:
    """A level with how many areas it was made of; severity 0 is left out of JSON."""
    if not rolled.get("assessed"):
        return {**rolled, "severity": "not assessed"}
    return {"severity": 0, **rolled, "areas": len(rolled.get("assessments", []))}
