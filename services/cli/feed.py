"""`waymark feed`: how a partner's courses come in; dry run, findings, and a person for a held run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from services.cli import output
from services.cli.exits import ExitCode, Failure
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling
from services.cli.uploads import upload_to_catalogue

if TYPE_CHECKING:
    from services.cli.client import Caller

feed = typer.Typer(help="Feeds of partners: dry run, import, findings, held runs.")
MANAGER = "catalogue_manager:maker"
ENDED = {"STATE_HELD", "STATE_SUCCEEDED", "STATE_FAILED", "STATE_REJECTED"}
RUN = {
    "run": "name",
    "state": "state",
    "dry run": "dryRun",
    "held for": "holdReason",
    "records in": "recordsIn",
    "accepted": "recordsAccepted",
    "rejected": "recordsRejected",
    "held": "recordsHeld",
    "created": "coursesCreated",
    "updated": "coursesUpdated",
    "unchanged": "coursesUnchanged",
    "removed": "coursesRemoved",
    "errors": "errorCount",
    "warnings": "warningCount",
}
FINDINGS = {
    "severity": "severity",
    "record": "record",
    "line": "line",
    "path": "path",
    "value": "value",
    "what": "message",
    "mend it": "remedy",
}
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="sources/{id}")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="feedRuns/{id}")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Feed, .xml or .csv.")]
Partial = Annotated[bool, typer.Option(help="The file holds only some of the courses; remove none.")]


def register(app: typer.Typer) -> None:
    """Adds `feed` to the command line `app`."""
    app.add_typer(feed, name="feed", no_args_is_help=True)


@feed.command("dry-run", epilog="Example:  waymark feed dry-run sources/0198… samples/feeds/courses.csv")
def dry_run(
    source: SourceName,
    file: File,
    partial: Partial = False,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show what an import would do, with its findings; change nothing."""
    with calling(home, act_as, token=token) as caller:
        report(caller, run_feed(caller, source, file, partial=partial, dry=True), as_json)


@feed.command("import", epilog="Example:  waymark feed import sources/0198… samples/feeds/courses.csv")
def import_(
    source: SourceName,
    file: File,
    partial: Partial = False,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import a feed; a run that would remove too much is held for `waymark feed approve`."""
    with calling(home, act_as, token=token) as caller:
        report(caller, run_feed(caller, source, file, partial=partial, dry=False), as_json)


@feed.command(epilog="Example:  waymark feed findings feedRuns/0198… --json")
def findings(
    run: RunName,
    limit: Limit = 500,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the findings of a run: where, what is wrong, how to mend it."""
    with calling(home, act_as, token=token) as caller:
        output.many(findings_of(caller, run, limit), FINDINGS, as_json, empty="no findings")


@feed.command(epilog="Example:  waymark feed runs --source sources/0198…")
def runs(
    source: Annotated[str, typer.Option(help="Only of this sources/{id}.")] = "",
    limit: Limit = 50,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    columns = {
        key: RUN[key] for key in ("run", "state", "dry run", "records in", "accepted", "rejected", "removed")
    }
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", "/v1/feedRuns", source=source, page_size=limit).get("feedRuns", [])
    output.many(found, columns, as_json)


@feed.command(epilog="Example:  waymark feed approve feedRuns/0198…")
def approve(
    run: RunName,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Let a held run go on."""
    with calling(home, act_as, token=token) as caller:
        caller.rest("POST", f"/v1/{run}:approve", {})
        report(caller, wait_for_run(caller, run, since_held=True), as_json)


@feed.command(epilog="Example:  waymark feed reject feedRuns/0198…")
def reject(
    run: RunName,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """End a held run without effect; what was served before stays."""
    with calling(home, act_as, token=token) as caller:
        output.one(caller.rest("POST", f"/v1/{run}:reject", {}), RUN, as_json)


@feed.command(epilog="Example:  waymark feed sources")
def sources(
    limit: Limit = 50,
    act_as: ActAs = MANAGER,
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the sources that feeds come from."""
    columns = {"source": "name", "of": "organisation", "called": "displayName", "format": "format"}
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", "/v1/sources", page_size=limit).get("sources", [])
    output.many(found, columns, as_json)


def run_feed(caller: Caller, source: str, file: Path, *, partial: bool, dry: bool) -> str:
    """Uploads the file and starts a run; returns its name once the run has come to an end or is held."""
    body = {
        "source": source,
        "upload": upload_to_catalogue(caller, file),
        "dryRun": dry,
        "partial": partial,
    }
    name: str = caller.rest("POST", "/v1/feedRuns", body)["name"]
    wait_for_run(caller, name)
    return name


def wait_for_run(caller: Caller, name: str, *, since_held: bool = False, timeout: float = 600) -> str:
    """Waits until the run has ended or is held, showing progress; raises Failure after `timeout` seconds."""
    ended = ENDED - {"STATE_HELD"} if since_held else ENDED
    deadline = time.monotonic() + timeout
    with Console(stderr=True).status("waiting for the run") as status:
        while (run := caller.rest("GET", f"/v1/{name}"))["state"] not in ended:
            if time.monotonic() > deadline:
                raise Failure(ExitCode.OTHER, f"{name} is still {run['state']} after {timeout:.0f} s.")
            status.update(f"{run['state'].removeprefix('STATE_').lower()}: {run.get('recordsIn', 0)} records")
            time.sleep(0.3)
    return name


def findings_of(caller: Caller, run: str, limit: int) -> list[dict[str, Any]]:
    """Findings of a run in the order of the file, at most `limit`."""
    found: list[dict[str, Any]] = caller.rest("GET", f"/v1/{run}/findings", page_size=limit).get(
        "findings", []
    )
    return found


def report(caller: Caller, name: str, as_json: bool) -> None:
    """Prints a run with its first findings; raises Failure when it did not succeed, so that scripts stop."""
    run = caller.rest("GET", f"/v1/{name}")
    found = findings_of(caller, name, 20)
    if as_json:
        output.as_json({"run": run, "findings": found})
    else:
        output.details(run, RUN)
        output.table(found, FINDINGS, empty="no findings")
    if run["state"] != "STATE_SUCCEEDED":
        held = run["state"] == "STATE_HELD"
        remedy = (
            f"Look at it, then `waymark feed approve {name}` or `waymark feed reject {name}`." if held else ""
        )
        raise Failure(ExitCode.REFUSED, f"{name} is {run['state'].removeprefix('STATE_')}.", remedy=remedy)
