"""`waymark facts`: what the register knows of learners, one by one and in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.application_desk import declared
from services.cli.call import Call, calls
from services.cli.operation import tell, until_done
from services.cli.options import Limit
from services.cli.row_files import write_rows
from services.cli.uploads import measured, send

facts = typer.Typer(help="Facts about learners, which eligibility is decided on: from a file, as a stream.")
SYSTEM = "system"
PUSHED = {"messages": "messageCount", "stored": "storedCount", "facts": "factCount", "wrong": "invalidCount"}
FINDINGS = {"line": "position", "field": "field", "to mend": "explanation"}
FACTS = {
    "fact": "key",
    "text": "text",
    "number": "number",
    "yes": "flag",
    "day": "date",
    "source": "source",
    "observed": "observedDate",
    "until": "validUntil",
}
Errors = Annotated[Path | None, typer.Option(dir_okay=False, help="CSV to write to what is wrong, by line.")]


def register(app: typer.Typer) -> None:
    """Adds `facts` to the command line `app`."""
    app.add_typer(facts, name="facts", no_args_is_help=True)


@facts.command(
    "import",
    epilog="Examples:  waymark facts import facts.csv --dry-run --errors wrong.csv · without --dry-run, "
    "to store them",
)
@calls(SYSTEM)
def import_(
    call: Call,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV with the columns learner, key, value, source, perhaps observed_date, valid_until.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is wrong with it; store nothing.")
    ] = False,
    errors: Errors = None,
) -> None:
    """Hand a file over and take it in; one that was cut off goes on by `waymark operation resume`."""
    made = call.post("learnerFactFiles", measured(file))
    send(call.caller, file, made["uploadUri"], made["uploadHeaders"])
    done = until_done(call, call.post(f"{made['name']}:import", {"dryRun": dry_run}))
    tell(call, done)
    if errors is not None:
        _write_findings(call, done["name"], errors)


@facts.command(epilog="Example:  waymark facts findings voucherOperations/0198… --limit 1000")
@calls(SYSTEM)
def findings(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="OPERATION", help="voucherOperations/{id}")],
    limit: Limit = 50,
    errors: Errors = None,
) -> None:
    """List what an import found wrong in its file, or write all of it to another."""
    if errors is None:
        call.many(f"{name}/findings", FINDINGS, limit, empty="nothing is wrong")
    else:
        _write_findings(call, name, errors)


@facts.command(
    epilog='Example:  waymark facts push facts.jsonl  with lines such as {"parent": "learners/0198…", '
    '"facts": [{"key": "education_level", "number": 4, "source": "FACT_SOURCE_PES_REGISTER"}]} · or a pipe: -'
)
@calls(SYSTEM)
def push(
    call: Call,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="JSON lines; - for a pipe.")],
    skip: Annotated[int, typer.Option(min=0, help="Lines to leave out: those stored before a break.")] = 0,
    errors: Errors = None,
) -> None:
    """Stream facts, a line for each learner; when that breaks, what is stored and what was wrong is said."""
    # Here and not above: `--help` needs no gRPC.
    from services.cli.fact_stream import push_lines

    pushed = push_lines(call.caller, file, skip)
    call.one(pushed, PUSHED)
    if errors is not None:
        _write(errors, pushed["findings"], "")
    else:
        call.part(pushed["findings"], FINDINGS, empty="nothing is wrong")


@facts.command(
    epilog="Example:  waymark facts add learners/0198… education_level=4 unemployed_since=2026-01-31"
)
@calls("caseworker")
def add(
    call: Call,
    learner: Annotated[str, typer.Argument(help="learners/{id}")],
    known: Annotated[list[str], typer.Argument(metavar="FACT...", help="KEY=VALUE.")],
) -> None:
    """Store facts that the register holds of one learner."""
    said = [declared(each) | {"source": "FACT_SOURCE_PES_REGISTER"} for each in known]
    call.rows(call.post(f"{learner}/facts:push", {"facts": said})["facts"], FACTS)


@facts.command("list", epilog="Example:  waymark facts list learners/0198…")
@calls("caseworker")
def list_(
    call: Call,
    learner: Annotated[str, typer.Argument(help="learners/{id}")],
    limit: Limit = 50,
) -> None:
    """List the facts kept about a learner."""
    call.many(f"{learner}/facts", FACTS, limit, empty="nothing is known")


def _write_findings(call: Call, name: str, errors: Path) -> None:
    _write(errors, call.each(f"{name}/findings"), f"`waymark facts findings {name}` lists them.")


def _write(file: Path, found: Iterable[Any], remedy: str) -> None:
    count = write_rows(file, FINDINGS, found, remedy=remedy)
    typer.echo(f"{count} things are wrong: {file}", err=True)
