"""`waymark funding-source`: whose money pays for programmes, and for how long their cases are kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.options import Limit

funding_source = typer.Typer(help="Whose money pays for programmes: make a source, read it, keep its cases.")
MAKER = "programme_manager:maker"
YEARS = typer.Argument(min=5, max=30, help="Years after the year of a case's last payment.")
SOURCE = {
    "source": "name",
    "called": "displayNames",
    "kind": "kind",
    "facts kept, years": "retentionYears",
    "since": "createTime",
}
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="fundingSources/{id}")]


class Kind(StrEnum):
    """What kind of money it is."""

    STATE = "state"
    OWN = "own"
    EU_FUND = "eu-fund"
    EMPLOYER_LEVY = "employer-levy"
    INVESTOR = "investor"


def register(app: typer.Typer) -> None:
    """Adds `funding-source` to the command line `app`."""
    app.add_typer(funding_source, name="funding-source", no_args_is_help=True)


@funding_source.command(
    epilog="Example:  waymark funding-source create eu-fund 'European Social Fund Plus' --id esf --keep 10"
)
@calls(MAKER)
def create(
    call: Call,
    kind: Annotated[Kind, typer.Argument(help="What kind of money it is.")],
    called: Annotated[str, typer.Argument(help="Its name.")],
    language: Annotated[str, typer.Option(help="Language of the name, BCP 47.")] = "en",
    identifier: Annotated[str, typer.Option("--id", help="Id of the source; default: one is made.")] = "",
    keep: Annotated[
        int, typer.Option(min=5, max=30, help="Years for which facts and words of its cases are kept.")
    ] = 5,
) -> None:
    """Make a source that programmes can be funded from (`waymark programme fund`)."""
    body = {"kind": enum("KIND", kind), "displayNames": {language: called}, "retentionYears": keep}
    call.one(call.post("fundingSources", body, funding_source_id=identifier), SOURCE)


@funding_source.command("list", epilog="Example:  waymark funding-source list --json")
@calls(MAKER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List sources, oldest first."""
    empty = "no source yet; make one with `waymark funding-source create`"
    call.many("fundingSources", SOURCE, limit, empty=empty)


@funding_source.command(epilog="Example:  waymark funding-source show fundingSources/esf")
@calls(MAKER)
def show(call: Call, name: SourceName) -> None:
    """Show a source."""
    call.one(call.get(name), SOURCE)


@funding_source.command(
    "keep-longer", epilog="Example:  waymark funding-source keep-longer fundingSources/esf 10"
)
@calls(MAKER)
def keep_longer(call: Call, name: SourceName, years: Annotated[int, YEARS]) -> None:
    """Keep facts and words of the cases that it pays for longer; for less nobody can."""
    call.one(call.post(f"{name}:extendRetention", {"retentionYears": years}), SOURCE)
