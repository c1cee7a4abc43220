"""`waymark feed`: how a partner's courses come in; dry run, findings, and a person for a held run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from services.cli import output
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit
from services.cli.uploads import upload_to_catalogue

if TYPE_CHECKING:
    from services.cli.client import Caller

FORMATS = "XCRI-CAP 1.2, EMG 3.0, LHÉO 2.2 and 2.3, ELM 3.1, OOAPI 6, schema.org JSON-LD, CSV template, push"
feed = typer.Typer(
    help=f"Feeds of partners: dry run, import, fetch, push, findings, held runs. Formats: {FORMATS}."
)
MANAGER = "catalogue_manager:maker"
SHOWN = 20  # findings, and changes, of a report
ENDED = {"STATE_HELD", "STATE_SUCCEEDED", "STATE_FAILED", "STATE_REJECTED", "STATE_UNCHANGED"}
RUN = {
    "run": "name",
    "state": "state",
    "dry run": "dryRun",
    "held for": "holdReason",
    "read so far": "readCount",
    "written so far": "appliedCount",
    "records in": "recordsIn",
    "accepted": "recordsAccepted",
    "rejected": "recordsRejected",
    "held": "recordsHeld",
    "created": "coursesCreated",
    "updated": "coursesUpdated",
    "unchanged": "coursesUnchanged",
    "missing": "coursesMissing",
    "removed": "coursesRemoved",
    "came by": "way",
    "errors": "errorCount",
    "warnings": "warningCount",
    "rolls back to": "rollsBackTo",
    "rolled back by": "rolledBackBy",
    "asked for by": "requestedBy",
}
FINDINGS = {
    "severity": "severity",
    "code": "code",
    "record": "record",
    "line": "line",
    "path": "path",
    "value": "value",
    "what": "message",
    "mend it": "remedy",
}
CHANGES = {
    "becomes": "kind",
    "course": "course",
    "partner's id": "externalId",
    "title": "titles",
    "differs in": "changedFields",
}
GUARD = {
    "source": "name",
    "called": "displayName",
    "held from (%)": "removalLimitPercent",
    "grace (feeds)": "removalGraceFeeds",
    "at most (MiB)": "maxFeedMib",
}
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="sources/{id}")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="feedRuns/{id}")]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Feed, .xml, .csv, .json, .jsonld or .ndjson.")
]
Partial = Annotated[bool, typer.Option(help="The file holds only some of the courses; remove none.")]


def register(app: typer.Typer) -> None:
    """Adds `feed` to the command line `app`."""
    from services.cli import feed_source  # noqa: F401 - adds its commands to ours

    app.add_typer(feed, name="feed", no_args_is_help=True)


@feed.command(
    "dry-run", epilog="Example:  waymark feed dry-run sources/0198… samples/feeds/harbour-crafts.csv"
)
@calls(MANAGER)
def dry_run(call: Call, source: SourceName, file: File, partial: Partial = False) -> None:
    """Show what an import would do, with its findings; change nothing."""
    report(call, run_feed(call.caller, source, file, partial=partial, dry=True))


@feed.command("import", epilog="Example:  waymark feed import sources/0198… samples/feeds/harbour-crafts.csv")
@calls(MANAGER)
def import_(call: Call, source: SourceName, file: File, partial: Partial = False) -> None:
    """Import a feed; a run that would remove too much is held for `waymark feed approve`.

    A large file goes in parts: after a break the same command goes on with what is missing.
    """
    report(call, run_feed(call.caller, source, file, partial=partial, dry=False))


@feed.command(epilog="Example:  waymark feed findings feedRuns/0198… --json")
@calls(MANAGER)
def findings(call: Call, run: RunName, limit: Limit = 500) -> None:
    """Show the findings of a run in the order of the file: where, what is wrong, how to mend it."""
    call.many(f"{run}/findings", FINDINGS, limit, empty="no findings")


@feed.command(epilog="Example:  waymark feed changes feedRuns/0198… --json")
@calls(MANAGER)
def changes(call: Call, run: RunName, limit: Limit = 500) -> None:
    """Show what a run does to courses, or would do: those that vanish first, then changed and new ones."""
    call.many(f"{run}/changes", CHANGES, limit, key="feedChanges", empty="no changes")


@feed.command("roll-back", epilog="Example:  waymark feed roll-back sources/0198… --to feedRuns/0198…")
@calls(MANAGER)
def roll_back(
    call: Call,
    source: SourceName,
    to: Annotated[str, typer.Option(help="feedRuns/{id} to go back to; default: the last good one.")] = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; for programs.")] = False,
) -> None:
    """Take a source back to what an earlier run brought; shows first what would change, and asks.

    Corrections stay. A second roll-back changes nothing.
    """
    if not yes:
        preview = _roll_back(call, source, to, dry=True)
        report(call, preview)
        if dry:
            return
        to = call.get(preview)["rollsBackTo"]
        typer.confirm("Roll back?", abort=True)
    report(call, _roll_back(call, source, to, dry=False))


def _roll_back(call: Call, source: str, to: str, *, dry: bool) -> str:
    name: str = call.post(f"{source}:rollBack", {"feedRun": to, "dryRun": dry})["name"]
    return wait_for_run(call.caller, name)


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    UNCHANGED = "unchanged"
    RECEIVING = "receiving"


@feed.command(epilog="Examples:  waymark feed runs --state held · --source sources/0198…")
@calls(MANAGER)
def runs(
    call: Call,
    state: Annotated[
        RunState | None, typer.Option(help="Only in this state; `held`: waits for a person.")
    ] = None,
    source: Annotated[str, typer.Option(help="Only of this sources/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List runs, newest first."""
    shown = (
        "run",
        "state",
        "held for",
        "dry run",
        "records in",
        "accepted",
        "rejected",
        "missing",
        "removed",
    )
    columns = {"source": "source"} | {key: RUN[key] for key in shown}
    call.many("feedRuns", columns, limit, source=source, state=enum("STATE", state))


@feed.command(epilog="Example:  waymark feed approve feedRuns/0198…")
@calls(MANAGER)
def approve(call: Call, run: RunName) -> None:
    """Let a held run go on."""
    call.post(f"{run}:approve")
    report(call, wait_for_run(call.caller, run, since_held=True))


@feed.command(epilog="Example:  waymark feed reject feedRuns/0198…")
@calls(MANAGER)
def reject(call: Call, run: RunName) -> None:
    """End a held run without effect; what was served before stays."""
    call.one(call.post(f"{run}:reject"), RUN)


@feed.command(epilog="Example:  waymark feed sources")
@calls(MANAGER)
def sources(call: Call, limit: Limit = 50) -> None:
    """List the sources that feeds come from."""
    columns = {
        "source": "name",
        "of": "organisation",
        "called": "displayName",
        "format": "format",
        "closed": "closeTime",
    }
    call.many("sources", columns, limit)


@feed.command(epilog="Example:  waymark feed precedence sources/0198… 10 --field offerings=20")
@calls(MANAGER)
def precedence(
    call: Call,
    source: SourceName,
    number: Annotated[int, typer.Argument(help="The higher comes first.")],
    field: Annotated[list[str] | None, typer.Option(help="FIELD=NUMBER that differs; repeatable.")] = None,
) -> None:
    """Say how a source comes before others where courses of theirs are the same."""
    by_field = dict(each.split("=", 1) for each in field or [] if "=" in each)
    body = {"precedence": number, "fieldPrecedence": by_field}
    changed = call.caller.rest("PATCH", f"/v1/{source}", body, update_mask=",".join(body))
    call.one(changed, {"source": "name", "called": "displayName", "precedence": "precedence"})


@feed.command(epilog="Example:  waymark feed guard sources/0198… --limit-percent 10 --grace 3")
@calls(MANAGER)
def guard(
    call: Call,
    source: SourceName,
    limit_percent: Annotated[
        int | None,
        typer.Option(
            min=1, max=100, help="Removals of this share of its courses are held; 100: only an empty feed."
        ),
    ] = None,
    grace: Annotated[
        int | None, typer.Option(min=0, max=100, help="Feeds that may leave a course out before it goes.")
    ] = None,
    max_mib: Annotated[
        int | None, typer.Option(min=1, max=10_240, help="MiB that one fetch or push may bring; usually 512.")
    ] = None,
) -> None:
    """Say how a source is kept from removing courses, or from filling the disk; without options, show it."""
    given = {"removalLimitPercent": limit_percent, "removalGraceFeeds": grace, "maxFeedMib": max_mib}
    body = {field: value for field, value in given.items() if value is not None}
    path = f"/v1/{source}"
    rest = call.caller.rest
    found = rest("PATCH", path, body, update_mask=",".join(body)) if body else rest("GET", path)
    call.one(found, GUARD)


class Written(StrEnum):
    """How courses are written."""

    SCHEMA_ORG = "schema-org"
    CSV_TEMPLATE = "csv"
    ELM_LOQ_3_1 = "elm-3.1"


@feed.command(
    epilog="Example:  waymark feed export --out courses.ndjson --organisation organisations/harbour"
)
@calls(MANAGER)
def export(
    call: Call,
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    written: Annotated[Written, typer.Option("--format", help="How to write it.")] = Written.SCHEMA_ORG,
    organisation: Annotated[str, typer.Option(help="Only of organisations/{id}.")] = "",
    source: Annotated[str, typer.Option(help="Only of sources/{id}.")] = "",
) -> None:
    """Write the courses that are offered as schema.org JSON-LD, the CSV template or ELM 3.1, as they come.

    What is on hold is not among them: `waymark quality holds --open` lists that.
    """
    form = enum("COURSE_EXPORT_FORMAT", written)
    call.save("courseExports", out, organisation=organisation, source=source, format=form)


def run_feed(caller: Caller, source: str, file: Path, *, partial: bool, dry: bool) -> str:
    """Uploads the file and starts a run; returns its name once the run has come to an end or is held."""
    body = {
        "source": source,
        "upload": upload_to_catalogue(caller, file, source),
        "dryRun": dry,
        "partial": partial,
    }
    name: str = caller.rest("POST", "/v1/feedRuns", body)["name"]
    wait_for_run(caller, name)
    return name


def wait_for_run(caller: Caller, name: str, *, since_held: bool = False, timeout: float = 600) -> str:
    """Waits until the run has ended or is held, showing progress; raises Failure after `timeout` seconds
    without any."""
    ended = ENDED - {"STATE_HELD"} if since_held else ENDED
    before, deadline = "", 0.0
    with Console(stderr=True).status("waiting for the run") as status:
        while (run := caller.rest("GET", f"/v1/{name}"))["state"] not in ended:
            if (now := progress(run)) != before:
                before, deadline = now, time.monotonic() + timeout
            elif time.monotonic() > deadline:
                raise Failure(ExitCode.OTHER, f"{name} has stood still for {timeout:.0f} s: {now}.")
            status.update(now)
            time.sleep(0.3)
    return name


def progress(run: Mapping[str, Any]) -> str:
    """How far a run is, for people: first what is read of its file, then what is written of its changes."""
    state = run["state"].removeprefix("STATE_").lower()
    if state == "running" and int(run.get("recordsIn", 0)):
        written = run.get("appliedCount", 0)
        of = sum(int(run.get(f"courses{kind}", 0)) for kind in ("Created", "Updated", "Removed", "Missing"))
        return f"{state}: {written} of {of} courses written"
    return f"{state}: {run.get('readCount', 0)} records read"


def report(call: Call, name: str) -> None:
    """Prints a run with its first findings and changes; raises Failure when it did not succeed, so that
    scripts stop."""
    run = call.get(name)
    found = call.get(f"{name}/findings", page_size=SHOWN).get("findings", [])
    done = call.get(f"{name}/changes", page_size=SHOWN).get("feedChanges", [])
    if call.as_json:
        output.as_json({"run": run, "findings": found, "changes": done})
    else:
        output.details(run, RUN)
        output.table(found, FINDINGS, empty="no findings")
        output.table(done, CHANGES, empty="no changes")
    if run["state"] != "STATE_SUCCEEDED":
        held = run["state"] == "STATE_HELD"
        remedy = (
            f"Look at it, then `waymark feed approve {name}` or `waymark feed reject {name}`." if held else ""
        )
        raise Failure(ExitCode.REFUSED, f"{name} is {run['state'].removeprefix('STATE_')}.", remedy=remedy)
