"""`waymark allocation`: vouchers for many people at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.call import Call, calls
from services.cli.operation import tell, until_done
from services.cli.options import Limit
from services.cli.row_files import write_rows
from services.cli.uploads import measured, send

allocation = typer.Typer(help="Vouchers bought beforehand, given to the people that a CSV file names.")
SYSTEM = "system"
ROWS = {
    "line": "line",
    "learner": "learner",
    "outcome": "outcome",
    "because": "reasonCodes",
    "missing": "missingFacts",
    "to mend": "explanation",
    "worth": "amount",
    "voucher": "voucher",
}
WRONG = ("OUTCOME_REFUSED", "OUTCOME_INVALID")
Errors = Annotated[
    Path | None, typer.Option(dir_okay=False, help="CSV to write the rows to that got no voucher.")
]


def register(app: typer.Typer) -> None:
    """Adds `allocation` to the command line `app`."""
    app.add_typer(allocation, name="allocation", no_args_is_help=True)


@allocation.command(
    epilog="Examples:  waymark allocation run people.csv --programme programmes/aptic --dry-run · without "
    "--dry-run, and with --errors wrong.csv for what could not be allocated"
)
@calls(SYSTEM)
def run(
    call: Call,
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV with the column `learner`, perhaps `amount`."),
    ],
    programme: Annotated[str, typer.Option(help="programmes/{id}")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it; give nothing.")
    ] = False,
    errors: Errors = None,
) -> None:
    """Hand a file over and work through it; a run that was cut off goes on by `waymark operation resume`."""
    made = call.post("allocations", measured(file) | {"programme": programme})
    send(call.caller, file, made["uploadUri"], made["uploadHeaders"])
    started = call.post(f"{made['name']}:run", {"dryRun": dry_run})
    done = until_done(call, started)
    tell(call, done)
    if errors is not None:
        _write_wrong(call, done["name"], errors)


@allocation.command(
    epilog="Examples:  waymark allocation rows voucherOperations/0198… --limit 1000 · add --errors "
    "wrong.csv, such as after `waymark operation resume`"
)
@calls("auditor")
def rows(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="OPERATION", help="voucherOperations/{id}")],
    limit: Limit = 50,
    errors: Errors = None,
) -> None:
    """List the rows of a run with what became of each, or write those that got no voucher to a file."""
    if errors is None:
        call.many(f"{name}/rows", ROWS, limit, empty="the file has no rows")
    else:
        _write_wrong(call, name, errors)


def _write_wrong(call: Call, name: str, errors: Path) -> None:
    remedy = f"`waymark allocation rows {name}` lists the rows."
    count = write_rows(errors, ROWS, _wrong(call, name), remedy=remedy)
    typer.echo(f"{count} rows without a voucher: {errors}", err=True)


def _wrong(call: Call, name: str) -> Iterator[output.Row]:
    """Yields the rows of a run that got no voucher."""
    for outcome in WRONG:
        yield from call.each(f"{name}/rows", outcome=outcome)
