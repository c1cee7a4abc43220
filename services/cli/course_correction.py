"""`waymark course list`, `sessions` and `correct`: what is offered, and a person's word on it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

LISTED = {
    "course": "name",
    "title": "titles",
    "of": "organisation",
    "partner's id": "externalId",
    "corrected": "correctedFields",
    "held back": "onHold",
}
CORRECTED = {
    "course": "name",
    "title": "titles",
    "kind": "kind",
    "EQF": "eqfLevel",
    "page": "url",
    "occupations": "occupations",
    "cancelled": "cancelledSessions",
    "corrected": "correctedFields",
}
SESSION = {
    "session": "name",
    "from": "startDate",
    "until": "endDate",
    "apply by": "applyUntil",
    "price": "price",
    "status": "status",
    "how": "mode",
    "town": "town",
    "region": "nutsCode",
}
CourseName = Annotated[str, typer.Argument(metavar="COURSE", help="courses/{id}")]
Texts = list[str] | None


class Field(StrEnum):
    """Fields that a person may correct, by their names in JSON."""

    TITLES = "titles"
    DESCRIPTIONS = "descriptions"
    KIND = "kind"
    EQF_LEVEL = "eqfLevel"
    URL = "url"
    OCCUPATIONS = "occupations"
    CANCELLED_SESSIONS = "cancelledSessions"


def register(course: typer.Typer) -> None:
    """Adds the commands to `waymark course`."""
    example = "Example:  waymark course list --organisation organisations/harbour"
    course.command("list", epilog=example)(list_)
    course.command(epilog="Example:  waymark course sessions courses/0198…")(sessions)
    course.command(
        epilog="Examples:  waymark course correct courses/0198… --title en=Welding --eqf-level 4 · "
        "waymark course correct courses/0198… --take-back titles"
    )(correct)


@calls()
def list_(
    call: Call,
    organisation: Annotated[str, typer.Option(help="Only of organisations/{id}.")] = "",
    source: Annotated[str, typer.Option(help="Only of sources/{id}.")] = "",
    limit: Limit = 50,
) -> None:
    """List courses that are offered; who offers them and staff see those held back as well."""
    call.many("courses", LISTED, limit, organisation=organisation, source=source)


@calls()
def sessions(call: Call, name: CourseName, limit: Limit = 50) -> None:
    """List when and where a course is held, the next first."""
    call.many(f"{name}/sessions", SESSION, limit)


@calls("catalogue_manager:maker")
def correct(
    call: Call,
    name: CourseName,
    title: Annotated[
        Texts, typer.Option(help="LANGUAGE=TEXT; repeatable. All titles there are to be.")
    ] = None,
    description: Annotated[Texts, typer.Option(help="LANGUAGE=TEXT; repeatable. The same.")] = None,
    kind: Annotated[str | None, typer.Option(help="course, exam, guidance or workshop.")] = None,
    eqf_level: Annotated[int | None, typer.Option(min=0, max=8, help="EQF level; 0: none.")] = None,
    url: Annotated[str | None, typer.Option(help="Page of the course.")] = None,
    occupation: Annotated[Texts, typer.Option(help="Concept URI; repeatable. All there are to be.")] = None,
    cancel: Annotated[
        Texts,
        typer.Option(metavar="SESSION", help="It is cancelled; repeatable. All that a person cancels."),
    ] = None,
    take_back: Annotated[
        list[Field] | None, typer.Option(help="Show what the feed says in this field again; repeatable.")
    ] = None,
    etag: Annotated[str, typer.Option(help="Only if it is still at this version.")] = "",
) -> None:
    """Correct fields of a course; no later feed changes them. `waymark course show` shows the feed beside."""
    given: dict[str, Any] = {
        "titles": None if title is None else _by_language(title),
        "descriptions": None if description is None else _by_language(description),
        "kind": kind,
        "eqfLevel": eqf_level,
        "url": url,
        "occupations": None if occupation is None else [{"uri": uri} for uri in occupation],
        "cancelledSessions": cancel,
    }
    values = {field: value for field, value in given.items() if value is not None}
    if bool(values) == bool(take_back):
        remedy = "Write `--title en=Welding`, or `--take-back titles`."
        raise Failure(ExitCode.USAGE, "Either correct fields or take corrections back.", remedy=remedy)
    fields = [field.value for field in take_back or []] or list(values)
    body = {"course": {**values, "etag": etag}, "updateMask": ",".join(fields), "revert": bool(take_back)}
    call.one(call.post(f"{name}:correct", body), CORRECTED)


def _by_language(typed: list[str]) -> dict[str, str]:
    """Texts by language; raises Failure for one that names none."""
    pairs = [each.partition("=") for each in typed]
    for language, equals, text in pairs:
        if not (language and equals and text):
            raise Failure(
                ExitCode.USAGE, f"{language!r} is no LANGUAGE=TEXT.", remedy="Write it like en=Welding."
            )
    return {language: text for language, _, text in pairs}
