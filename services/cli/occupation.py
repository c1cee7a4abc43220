"""`waymark occupation`: everything that is known of an occupation, each part with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls
from services.cli.labour_market import FIGURES, SOURCE
from services.cli.search import row

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
    "courses here": "localCourseCount",
    "as of": "date",
}
LEVELS = {
    "region": "nutsCode",
    "severity": "severity",
    "cause": "cause",
    "by rule": "method",
    "areas": "areas",
}
MONEY = {
    "MONEY_LEFT_ENOUGH": "there is enough",
    "MONEY_LEFT_LITTLE": "less than a whole voucher is left",
    "MONEY_LEFT_NOTHING": "used up: who applies may wait for it",
}
LISTS = {
    "version": "version",
    "from": "validFrom",
    "until": "validTo",
    "in force": "inForce",
    "severity": "entry.severity",
    "cause": "entry.cause",
    "region": "entry.nutsCode",
    "evidence": "entry.evidence",
}
COURSES = {
    "course": "course",
    "title": "titles",
    "provider": "organisationDisplayName",
    "starts": "starts",
    "price": "nextSession.price",
}
PAYING = {
    "programme": "programme",
    "called": "displayNames",
    "because": "because",
    "until": "lastDate",
    "pays": "cover",
    "at most": "faceValue",
    "money": "money",
    "asks of the course": "course",
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
    call.part([row(each) for each in answer.get("courses", [])], COURSES, empty="no course here")
    programmes = [_paying(each) for each in answer.get("payingProgrammes", [])]
    call.part(programmes, PAYING, empty="no programme may pay for a course")
    if programmes and not call.as_json:
        typer.echo(
            "Who may have a voucher is decided by the person, too: see `waymark application programmes`."
        )


def _level(rolled: dict[str, Any]) -> dict[str, Any]:
    """A level with how many areas it was made of; severity 0 is left out of JSON."""
    if not rolled.get("assessed"):
        return {**rolled, "severity": "not assessed"}
    return {"severity": 0, **rolled, "areas": len(rolled.get("assessments", []))}


def _paying(programme: dict[str, Any]) -> dict[str, Any]:
    """A programme with why it stands there, its cover and what it asks of the course, in words."""
    entry = programme.get("shortageEntry")
    because = (
        f"short by {entry['name']}, severity {entry['severity']}" if entry else "it asks for no shortage"
    )
    covers = dict.fromkeys(programme.get(name, 0) for name in ("minCoverPercent", "maxCoverPercent"))
    return {
        **programme,
        "because": because,
        "cover": " to ".join(map(str, covers)) + " %",
        "money": MONEY.get(programme.get("moneyLeft", ""), "not told yet"),
        "course": "; ".join(_asked(programme)),
    }


def _asked(programme: dict[str, Any]) -> Iterator[str]:
    """What a programme asks of a course, in words."""
    if kinds := programme.get("courseKinds"):
        yield " or ".join(kinds)
    least, most = programme.get("minEqfLevel", 0), programme.get("maxEqfLevel", 0)
    if least or most:
        yield f"EQF {least or 1} to {most or 8}"
    if cap := programme.get("priceCap"):
        yield f"at most {output.money(cap)}"
    if programme.get("accreditationRequired"):
        yield "accredited provider"
