"""`waymark course`: where courses come from, what they lack, which are the same; a copy of all of them.

Lists and corrections are in `course_correction`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import course_correction, output
from services.cli.call import Call, calls, listed
from services.cli.course_files import fetch
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

course = typer.Typer(
    help="Courses: where they come from, what is corrected or lacking, which are the same, a copy of all."
)
MANAGER = "catalogue_manager:maker"
COURSE = {
    "course": "name",
    "title": "titles",
    "kind": "kind",
    "EQF level": "eqfLevel",
    "about": "descriptions",
    "page": "url",
    "subjects": "subjects",
    "prepares for": "occupations",
    "for": "targetGroups",
    "territories": "territories",
    "of": "organisation",
    "awarded by": "awardingBody",
    "that is": "awardingOrganisation",
    "on hold": "onHold",
    "removed": "removed",
    "source": "source",
    "partner's id": "externalId",
    "corrected": "correctedFields",
    "same as": "sameAs",
    "stands for": "standsFor",
}
MODULES = {"module": "title", "EQF level": "eqfLevel", "level": "level"}
SKILLS = {
    "teaches": "label",
    "said by": "origin",
    "sure": "confidence",
    "phrase": "phrase",
    "looked over": "reviewed",
}
ORIGINS = {"field": "field", "said by": "kind", "source": "source", "the feed says": "feedValue"}
COMPLETENESS = {"score": "score", "course": "course", "title": "titles", "add": "toAdd"}
LINKS = {"link": "name", "courses": "courses", "alike": "score", "said": "verdict", "by": "decidedBy"}
CHANGES = {
    "course": "name",
    "version": "version",
    "removed": "removed",
    "held back": "onHold",
    "title": "course.titles",
}
FOLLOWED = 590  # seconds of one stream, which another one follows
Token = Annotated[str, typer.Option("--since", metavar="TOKEN", help="Token that an earlier answer gave.")]


def register(app: typer.Typer) -> None:
    """Adds `course` to the command line `app`."""
    course_correction.register(course)
    app.add_typer(course, name="course", no_args_is_help=True)


@course.command(epilog="Example:  waymark course show courses/0198… --composed")
@calls()
def show(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="COURSE", help="courses/{id}")],
    composed: Annotated[
        bool,
        typer.Option("--composed", help="Each field of whose source comes first for it."),
    ] = False,
) -> None:
    """Show a course, what it teaches, where each field comes from, and the feed behind corrections."""
    found = call.get(name, composed=str(composed).lower())
    call.one(found if call.as_json else _for_people(found), COURSE)
    if modules := found.get("modules"):
        call.part([{**each, "eqfLevel": each.get("eqfLevel") or ""} for each in modules], MODULES)
    call.part(found.get("skills", []), SKILLS)
    call.part([_origin(each) for each in found.get("origins", [])], ORIGINS)


def _for_people(course: dict[str, Any]) -> dict[str, Any]:
    """A course with its occupations by label; what is not so, or not known, is left out."""
    labels = [tag.get("label") or tag["uri"] for tag in course.get("occupations", [])]
    said = {name: course.get(name) or "" for name in ("eqfLevel", "onHold", "removed")}
    return {**course, **said, "occupations": labels}


@course.command(epilog="Example:  waymark course completeness --organisation organisations/harbour")
@calls(MANAGER)
def completeness(
    call: Call,
    organisation: Annotated[str, typer.Option(help="Only of organisations/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List courses that tell least first, with what to add and the points that it would bring."""
    found = listed(call.caller, "courseCompleteness", limit, organisation=organisation)
    call.rows(found if call.as_json else [_to_add(each) for each in found], COMPLETENESS, empty="no courses")


class Said(StrEnum):
    """What people say of two courses that look alike."""

    WAITING = "waiting"
    SAME = "same"
    DIFFERENT = "different"

    @property
    def verdict(self) -> str:
        """The word of the contract."""
        return f"VERDICT_{'UNSPECIFIED' if self is Said.WAITING else self.name}"


@course.command(epilog="Example:  waymark course duplicates --said same --json")
@calls(MANAGER)
def duplicates(
    call: Call,
    said: Annotated[Said, typer.Option(help="Those that wait for a word, or have this one.")] = Said.WAITING,
    limit: Limit = 50,
) -> None:
    """List courses of different sources that look alike, the most alike first."""
    call.many("courseLinks", LINKS, limit, verdict=said.verdict)


@course.command(epilog="Example:  waymark course decide courseLinks/0198… same")
@calls(MANAGER)
def decide(
    call: Call,
    link: Annotated[str, typer.Argument(metavar="LINK", help="courseLinks/{id}")],
    said: Annotated[Said, typer.Argument(help="`waiting` takes an earlier word back.")],
) -> None:
    """Say whether two courses are the same, so that one can stand for both; no feed changes that."""
    call.one(call.post(f"{link}:decide", {"verdict": said.verdict}), LINKS)


@course.command(epilog="Example:  waymark course snapshot --out courses.ndjson.gz")
@calls(MANAGER)
def snapshot(
    call: Call,
    out: Annotated[Path, typer.Option(help="Where to write it: gzip, a course in JSON a line.")],
    anew: Annotated[bool, typer.Option("--anew", help="Have one made now (catalogue managers).")] = False,
) -> None:
    """Fetch all courses as of one moment, and the token for `waymark course changes --since`.

    Run again after a break it goes on where it was, as long as no newer snapshot is there.
    """
    made = _made(call) if anew else _newest(call)
    size = fetch(call.caller, made, out)
    told = {key: made.get(key, "") for key in ("name", "courseCount", "changeToken", "stateTime")}
    told |= {"file": str(out), "sizeBytes": size}
    fields = {"file": "file", "bytes": "sizeBytes", "courses": "courseCount", "as of": "stateTime"}
    call.one(told, fields | {"go on with": "changeToken"})


@course.command(epilog="Example:  waymark course changes --since 4711-0198… --follow --json")
@calls(MANAGER)
def changes(
    call: Call,
    since: Token = "",
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what changes from now on.")] = False,
    limit: Limit = 500,
) -> None:
    """Show which courses have changed since a token, each with its present state; those gone as removed.

    With --follow each change is a line as it comes, until Ctrl-C; with --json it is an object that holds the
    token to go on with.
    """
    if follow:
        _follow(call, since)
        return
    found: list[dict[str, Any]] = []
    token, more = since, True
    while more and len(found) < limit:
        answer = call.get("courseChanges", token=token, page_size=min(500, limit - len(found)))
        found += answer.get("courseChanges", [])
        token, more = answer["nextToken"], answer.get("more", False)
    if call.as_json:
        output.as_json({"courseChanges": found, "nextToken": token, "more": more})
        return
    call.rows(found, CHANGES, empty="nothing has changed")
    typer.echo(f"go on with  {token}")


def _origin(origin: dict[str, Any]) -> dict[str, Any]:
    """An origin with the one value that a correction hides as a short text."""
    return {**origin, "feedValue": output.text(list(origin.get("feedValue", {}).values()))[:80]}


def _to_add(measured: dict[str, Any]) -> dict[str, Any]:
    lacks = (f"+{lack['points']} {lack['remedy']}" for lack in measured.get("lacks", []))
    return {**measured, "toAdd": "\n".join(lacks)}


def _follow(call: Call, token: str) -> None:
    try:
        for answer in _streamed(call, token):
            for change in answer.get("courseChanges", []):
                told = {**change, "nextToken": answer["nextToken"]}
                typer.echo(json.dumps(told, ensure_ascii=False) if call.as_json else _line(change))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _streamed(call: Call, token: str) -> Iterator[dict[str, Any]]:
    """Answers of stream after stream, as REST would show them."""
    from google.protobuf.json_format import MessageToDict
    from waymark.catalogue.v1 import course_change_pb2, course_change_pb2_grpc

    stub = call.caller.stub(course_change_pb2_grpc.CourseChangeServiceStub)
    while True:
        request = course_change_pb2.WatchCoursesRequest(token=token, follow_seconds=FOLLOWED)
        for answer in stub.WatchCourses(request, timeout=FOLLOWED + 10):
            token = answer.next_token
            yield MessageToDict(answer)


def _line(change: dict[str, Any]) -> str:
    gone = "held back" if change.get("onHold") else "removed" if change.get("removed") else ""
    said = gone or output.text(change["course"].get("titles", {}))
    return f"{change['name']}  {change['version']:>4}  {said}"


def _newest(call: Call) -> dict[str, Any]:
    """The newest snapshot that is complete; raises Failure when there is none."""
    for each in call.each("courseSnapshots"):
        if each["state"] == "STATE_SUCCEEDED":
            return call.get(each["name"])
    remedy = "Wait for the one of today, or let a catalogue manager run this with --anew."
    raise Failure(ExitCode.NOT_FOUND, "There is no snapshot yet.", remedy=remedy)


def _made(call: Call) -> dict[str, Any]:
    """A snapshot made now; raises Failure when it is not made."""
    name = call.post("courseSnapshots")["name"]
    while (made := call.get(name))["state"] not in {"STATE_SUCCEEDED", "STATE_FAILED"}:
        time.sleep(0.3)
    if made["state"] == "STATE_FAILED":
        raise Failure(ExitCode.OTHER, f"{name} could not be made, for a fault on our side.")
    return made
