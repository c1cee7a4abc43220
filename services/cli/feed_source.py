"""Commands of `waymark feed` for what is fetched, pushed and reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.client import request_id
from services.cli.course_push import push_lines
from services.cli.exits import ExitCode, Failure
from services.cli.feed import MANAGER, SourceName, feed, report, wait_for_run
from services.cli.options import Why

FETCHED = {
    "source": "name",
    "from": "pull.url",
    "every": "pull.interval",
    "at": "pull.times.times",
    "weekdays": "pull.times.weekdays",
    "time zone": "pull.times.timeZone",
    "credentials": "pull.credentialsKept",
    "next": "pull.nextTime",
    "last": "pull.lastTime",
    "reports to": "reportUrl",
    "signed": "reportsSigned",
}
CLOSED = {
    "source": "name",
    "called": "displayName",
    "closed": "closeTime",
    "opened again": "reopenTime",
    "because": "reopenReason",
}
Credentials = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="JSON of what the server wants to see: basic, bearerToken, header or oauthClient.",
    ),
]


@feed.command(
    epilog="Examples:  waymark feed fetch sources/0198… https://partner.example/courses.xml --every 3600 · "
    "--at 06:00 --at 18:00 --weekday 1 --zone Europe/Brussels · --credentials key.json"
)
@calls(MANAGER)
def fetch(
    call: Call,
    source: SourceName,
    url: Annotated[str, typer.Argument(help="Where the feed is: http or https, at a public address.")],
    every: Annotated[int, typer.Option(min=0, help="Seconds between two times, at least 300.")] = 0,
    at: Annotated[list[str] | None, typer.Option(help="Time of the day, HH:MM. Repeatable.")] = None,
    weekday: Annotated[
        list[int] | None, typer.Option(min=1, max=7, help="1 Monday to 7 Sunday; none: each. Repeatable.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the times.")] = "UTC",
    credentials: Credentials = None,
) -> None:
    """Have a feed fetched: so often, or at times of the day."""
    pull: dict[str, Any] = {"url": url}
    if at:
        pull["times"] = {"times": at, "weekdays": weekday or [], "timeZone": zone}
    else:
        pull["interval"] = f"{every or 86_400}s"
    if credentials:
        pull["credentials"] = _read(credentials)
    call.one(_changed(call, source, "pull", {"pull": pull}), FETCHED)


@feed.command("fetch-no-more", epilog="Example:  waymark feed fetch-no-more sources/0198…")
@calls(MANAGER)
def fetch_no_more(call: Call, source: SourceName) -> None:
    """Have a feed fetched no more; its credentials are forgotten."""
    call.one(_changed(call, source, "pull", {}), FETCHED)


@feed.command(epilog="Example:  waymark feed close sources/0198… --keep-courses")
@calls(MANAGER)
def close(
    call: Call,
    source: SourceName,
    keep_courses: Annotated[
        bool, typer.Option("--keep-courses", help="Its courses stay as they are; without: they are removed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; for programs.")] = False,
) -> None:
    """Close a source: nothing comes from it any more."""
    if not yes:
        typer.confirm(f"Close {source}?", abort=True)
    call.one(call.post(f"{source}:close", {"keepCourses": keep_courses}), CLOSED)


@feed.command(epilog="Example:  waymark feed reopen sources/0198… 'closed by mistake'")
@calls(MANAGER)
def reopen(call: Call, source: SourceName, reason: Why) -> None:
    """Open a source again within 30 days of its closing; say anew where it is fetched and reports go."""
    call.one(call.post(f"{source}:reopen", {"reason": reason}), CLOSED)


@feed.command(epilog="Example:  waymark feed pull sources/0198…")
@calls(MANAGER)
def pull(call: Call, source: SourceName) -> None:
    """Fetch a feed now; what comes of it is a run, see `waymark feed runs`."""
    call.one(call.post(f"{source}:pull", {"requestId": request_id()}), FETCHED)


@feed.command(
    "report-to", epilog="Example:  waymark feed report-to sources/0198… https://partner.example/runs"
)
@calls(MANAGER)
def report_to(
    call: Call,
    source: SourceName,
    url: Annotated[str, typer.Argument(help="Where reports go; '' for nowhere.")],
) -> None:
    """Have each run reported to the partner, once there is a secret to sign with."""
    call.one(_changed(call, source, "report_url", {"reportUrl": url}), FETCHED)


@feed.command("report-secret", epilog="Example:  waymark feed report-secret sources/0198…")
@calls(MANAGER)
def report_secret(call: Call, source: SourceName) -> None:
    """Show a fresh secret of reports, this once; the former one signs beside it for a day."""
    answer = call.post(f"{source}:rotateReportSecret", {"requestId": request_id()})
    call.one(answer, {"source": "source.name", "secret": "secret"})


@feed.command(epilog="Example:  waymark feed page feedRuns/0198… --out run.html")
@calls(MANAGER)
def page(
    call: Call,
    run: Annotated[str, typer.Argument(metavar="RUN", help="feedRuns/{id}")],
    out: Annotated[Path, typer.Option(help="Where to write it.")],
) -> None:
    """Write the report of a run as a page of HTML."""
    call.save(f"{run}:page", out)


@feed.command(epilog="Example:  waymark feed push sources/0198… courses.ndjson --dry-run")
@calls(MANAGER)
def push(
    call: Call,
    source: SourceName,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON, a PushedCourse a line.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen, change nothing.")
    ] = False,
    partial: Annotated[bool, typer.Option(help="Only some of the courses; remove none.")] = False,
) -> None:
    """Push courses by a stream to a source of format push."""
    with file.open("rb") as lines:
        run = push_lines(call.caller, source, lines, dry_run=dry_run, partial=partial)
    report(call, wait_for_run(call.caller, run))


def _changed(call: Call, source: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    body = {**body, "etag": call.get(source)["etag"]}
    mask = {"update_mask": path, "request_id": request_id()}
    return call.caller.rest("PATCH", f"/v1/{source}", body, **mask)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise Failure(ExitCode.USAGE, f"{file} holds no JSON: {error}") from error
