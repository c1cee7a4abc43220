"""`waymark lmi`: figures of the labour market, from sources with their caveats."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls, listed
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit
from services.cli.uploads import upload_to_catalogue

lmi = typer.Typer(help="Figures of the labour market: sources with their caveats, files in and out, queries.")
MAKER = "catalogue_manager:maker"
SOURCE = {
    "source": "name",
    "publisher": "publisher",
    "method": "method",
    "covers": "coverage",
    "biased": "biased",
    "how": "bias",
    "licence": "licence",
    "hides below": "suppressBelow",
}
IMPORT = {
    "import": "name",
    "state": "state",
    "rows": "rowCount",
    "accepted": "acceptedCount",
    "rejected": "rejectedCount",
    "hidden": "suppressedCount",
    "because": "reason",
    "to mend": "explanation",
    "taken back": "undoState",
}
FINDINGS = {"line": "line", "column": "path", "value": "value", "what": "message", "mend it": "remedy"}
FIGURES = {
    "occupation": "occupation",
    "region": "nutsCode",
    "period": "period",
    "measure": "measure",
    "figure": "value",
    "unit": "unit",
    "hidden": "suppressed",
    "status": "status",
    "source": "source",
}
CHANGES = {
    "when": "createTime",
    "what": "kind",
    "which": "resource",
    "about": "subject",
    "region": "nutsCode",
}
OPEN = ("STATE_QUEUED", "STATE_RUNNING")
Occupations = Annotated[list[str] | None, typer.Option("--occupation", help="ISCO-08 code, URI or _T.")]
Regions = Annotated[list[str] | None, typer.Option("--region", help="NUTS code.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="observationSources/{id}")]
From = Annotated[str, typer.Option("--from", help="First period: 2025, 2025-Q3, 2025-07.")]
To = Annotated[str, typer.Option("--to", help="Last period.")]


class Columns(StrEnum):
    """Columns of a file of figures."""

    CSV = "csv"
    SDMX_CSV = "sdmx-csv"


class Measure(StrEnum):
    """What is measured."""

    VACANCIES = "vacancies"
    JOBSEEKERS = "jobseekers"
    WAGE = "wage"
    EMPLOYMENT = "employment"
    FORECAST = "forecast"
    TIGHTNESS = "tightness"
    TRAVEL = "travel"


Measures = Annotated[list[Measure] | None, typer.Option("--measure", help="What is measured.")]


def register(app: typer.Typer) -> None:
    """Adds `lmi` to the command line `app`."""
    app.add_typer(lmi, name="lmi", no_args_is_help=True)


@lmi.command(
    "add-source",
    epilog="Example:  waymark lmi add-source online --publisher Cedefop --method 'scraped, deduplicated' "
    "--coverage 'vacancies published online' --bias 'few manual jobs' --licence 'CC BY 4.0' --hide-below 5",
)
@calls(MAKER)
def add_source(
    call: Call,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits and hyphens.")],
    publisher: Annotated[str, typer.Option(help="Who publishes the figures.")],
    method: Annotated[str, typer.Option(help="How they are measured.")],
    coverage: Annotated[str, typer.Option(help="What part of the market they cover.")],
    licence: Annotated[str, typer.Option(help="Licence they may be used under.")],
    bias: Annotated[str, typer.Option(help="How they are biased; empty: not known to be.")] = "",
    hide_below: Annotated[int, typer.Option(min=0, max=1000, help="Counts below this are hidden.")] = 0,
) -> None:
    """Create a source of figures, with what is to be minded about it."""
    body = {
        "publisher": publisher,
        "method": method,
        "coverage": coverage,
        "licence": licence,
        "biased": bool(bias),
        "bias": bias,
        "suppressBelow": hide_below,
    }
    call.one(call.post("observationSources", body, observation_source_id=identifier), SOURCE)


@lmi.command(epilog="Example:  waymark lmi sources")
@calls()
def sources(call: Call, limit: Limit = 50) -> None:
    """List the sources with their caveats."""
    call.many("observationSources", SOURCE, limit, empty="no source yet; see `waymark lmi add-source --help`")


@lmi.command(
    "import",
    epilog="Example:  waymark lmi import observationSources/online "
    "samples/labour-market/figures.csv --dry-run",
)
@calls(MAKER)
def import_(
    call: Call,
    source: Annotated[str, typer.Argument(help="observationSources/{id}")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file.")],
    columns: Annotated[Columns, typer.Option(help="What the columns are.")] = Columns.CSV,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong with the file.")] = False,
) -> None:
    """Take a file of figures in, and show what is wrong with it by line and column."""
    body = {
        "source": source,
        "upload": upload_to_catalogue(call.caller, file),
        "format": f"OBSERVATION_FORMAT_{columns.name}",
        "dryRun": dry_run,
    }
    found = _ended(call, call.post("observationImports", body), "state")
    findings = listed(call.caller, f"{found['name']}/findings", 500)
    if call.as_json:
        output.as_json({"import": found, "findings": findings})
    else:
        output.details(found, IMPORT)
        output.table(findings, FINDINGS, empty="no findings")
    if found["state"] != "STATE_SUCCEEDED":
        raise Failure(ExitCode.OTHER, f"{found['name']} failed.", remedy=found.get("explanation", ""))


@lmi.command(epilog="Example:  waymark lmi undo observationImports/0198…")
@calls(MAKER)
def undo(
    call: Call, name: Annotated[str, typer.Argument(metavar="IMPORT", help="observationImports/{id}")]
) -> None:
    """Take the newest import of a source back: its figures are as they were; what was hidden stays hidden."""
    found = _ended(call, call.post(f"{name}:undo"), "undoState")
    call.one(found, IMPORT)
    if found["undoState"] != "STATE_SUCCEEDED":
        raise Failure(ExitCode.OTHER, f"{name} could not be taken back.")


def _ended(call: Call, found: dict[str, Any], state: str) -> dict[str, Any]:
    """Waits until work on an import has come to its end; returns the import."""
    while found[state] in OPEN:
        time.sleep(0.5)
        found = call.get(found["name"])
    return found


@lmi.command(
    epilog="Example:  waymark lmi query --occupation 2512 --region BE2 --measure vacancies "
    "--measure jobseekers --from 2025-Q1"
)
@calls()
def query(
    call: Call,
    occupation: Occupations = None,
    region: Regions = None,
    measure: Measures = None,
    source: Sources = None,
    first: From = "",
    to: To = "",
    limit: Limit = 50,
) -> None:
    """Ask all sources at once, by occupation, region and period; `waymark lmi sources` has the caveats."""
    asked = _filter(occupation, region, measure, source, first, to)
    call.many("observations", FIGURES, limit, empty="no such figure", **asked)


@lmi.command(epilog="Example:  waymark lmi export figures.csv --region BE2 --columns sdmx-csv")
@calls()
def export(
    call: Call,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write.")],
    columns: Annotated[Columns, typer.Option(help="How to write it.")] = Columns.CSV,
    occupation: Occupations = None,
    region: Regions = None,
    measure: Measures = None,
    source: Sources = None,
    first: From = "",
    to: To = "",
) -> None:
    """Write figures to a file that can be imported again."""
    asked = _filter(occupation, region, measure, source, first, to)
    form = f"OBSERVATION_FORMAT_{columns.name}"
    size = call.caller.rest_to_file("/v1/observations:export", file, format=form, **asked)
    typer.echo(f"{file}: {size} bytes", err=True)


@lmi.command(epilog="Example:  waymark lmi changes --after 742-18")
@calls("caseworker")
def changes(
    call: Call,
    after: Annotated[str, typer.Option(help="Token of the last time; empty: from the beginning.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show at most so many.")] = 50,
) -> None:
    """Show what is new, the oldest first, and the token to ask with the next time."""
    answer = call.get("marketChanges", token=after, page_size=limit)
    call.one(answer, {"ask next with --after": "nextToken", "more": "more"})
    call.part(answer.get("marketChanges", []), CHANGES, empty="nothing new")


def _filter(
    occupation: list[str] | None,
    region: list[str] | None,
    measure: list[Measure] | None,
    source: list[str] | None,
    first: str,
    to: str,
) -> dict[str, Any]:
    asked = {
        "occupations": occupation,
        "nuts_codes": region,
        "measures": [f"OBSERVATION_MEASURE_{each.name}" for each in measure or ()],
        "sources": source,
        "period_from": first,
        "period_to": to,
    }
    return {f"filter.{name}": value for name, value in asked.items() if value}
