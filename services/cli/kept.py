"""Commands that the journal, goals and plans have in common: list, show, undo, trash, order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit

Due = Annotated[str, typer.Option(help="By when, 2026-11-21.")]
Zone = Annotated[str, typer.Option(help="Time zone of the day, Europe/Brussels.")]
Remind = Annotated[
    list[int] | None, typer.Option(help="Days before the day to be reminded, 0 the day itself; repeat.")
]
At = Annotated[str, typer.Option(help="Time of day of the reminders, 07:30; default 09:00.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its resource name, as `list` shows it.")]
Trash = Annotated[bool, typer.Option("--trash", help="Show what is in the trash, too.")]
DueAlone = Annotated[
    bool, typer.Option("--due", help="Only what is due: reminded of, for today, or overdue.")
]
More = Annotated[str, typer.Option("--text", help="More about it.")]


@dataclass(frozen=True)
class Kind:
    """One kind of thing: what people call it and several, its part of a path, what is shown of one and in a
    list; `tasks`: what is shown of each of those in it."""

    called: str
    several: str
    path: str
    shown: Mapping[str, str]
    row: Mapping[str, str]
    tasks: Mapping[str, str] | None = None

    def print(self, call: Call, answer: Mapping[str, Any]) -> None:
        """Prints one, with the tasks in it."""
        call.one(answer, self.shown)
        if self.tasks:
            call.part(answer.get("tasks", []), self.tasks, empty="nothing to do")


def deadline(due: str, zone: str, remind: list[int] | None, at: str) -> dict[str, Any] | None:
    """A deadline in JSON, none without a day; raises Failure."""
    if not due:
        if zone or remind or at:
            raise Failure(ExitCode.USAGE, "A reminder needs a day.", remedy="Give the day by --due.")
        return None
    return {"date": json_day(due), "timeZone": zone, "remindDaysBefore": remind or [], "remindTime": at}


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields that have a value."""
    return {key: value for key, value in fields.items() if value}


def trash_too(wanted: bool) -> dict[str, Any]:
    """What asks a list for what is in the trash, too."""
    return {"show_deleted": True} if wanted else {}


def add_common(group: typer.Typer, kind: Kind) -> None:
    """Adds to a group of commands those that every kind has."""
    example = f"holders/0198…/{kind.path}/0198…"

    @calls(LEARNER)
    def show(call: Call, name: Name) -> None:
        kind.print(call, call.get(name))

    @calls(LEARNER)
    def undo(call: Call, name: Name, etag: Etag = "") -> None:
        kind.print(call, call.post(f"{name}:undo", with_etag({}, etag)))

    @calls(LEARNER)
    def delete(call: Call, name: Name, etag: Etag = "") -> None:
        kind.print(call, call.caller.rest("DELETE", f"/v1/{name}", etag=etag))

    @calls(LEARNER)
    def restore(call: Call, name: Name) -> None:
        kind.print(call, call.post(f"{name}:undelete"))

    for word, run, does, argument in (
        ("show", show, "Show one.", example),
        ("undo", undo, "Take the last change back; a second time brings it again.", example),
        ("delete", delete, "Put it into the trash, for thirty days.", example),
        ("restore", restore, "Take it out of the trash.", example),
    ):
        typed = f"waymark {kind.called} {word} {argument}".rstrip()
        group.command(word, help=does, epilog=f"Example:  {typed}")(run)


def add_list(group: typer.Typer, kind: Kind) -> None:
    """Adds to a group of commands the list of things without a day."""

    @calls(LEARNER)
    def list_(call: Call, holder: HolderName = "", trash: Trash = False, limit: Limit = 50) -> None:
        path = f"{own(call, holder)}/{kind.path}"
        call.many(path, kind.row, limit, empty="none yet", **trash_too(trash))

    _add_list(group, kind, list_)


def add_list_by_day(group: typer.Typer, kind: Kind) -> None:
    """Adds to a group of commands the list of things with days by which they are to be done."""

    @calls(LEARNER)
    def list_(
        call: Call, holder: HolderName = "", trash: Trash = False, due: DueAlone = False, limit: Limit = 50
    ) -> None:
        path, asked = f"{own(call, holder)}/{kind.path}", trash_too(trash) | ({"due": True} if due else {})
        call.many(path, kind.row, limit, empty="nothing is due" if due else "none yet", **asked)

    _add_list(group, kind, list_)


def _add_list(group: typer.Typer, kind: Kind, run: Callable[..., None]) -> None:
    typed = f"waymark {kind.called} list"
    group.command("list", help=f"List {kind.several}, without the trash.", epilog=f"Example:  {typed}")(run)


def add_order(group: typer.Typer, kind: Kind) -> None:
    """Adds to a group of commands the one that puts things in order."""

    @calls(LEARNER)
    def arrange(
        call: Call,
        names: Annotated[
            list[str], typer.Argument(help="Names in the wanted order; others come after them.")
        ],
    ) -> None:
        answer = call.post(f"{own(call, '')}/{kind.path}:arrange", {"names": names})
        call.rows([{"name": each} for each in answer["names"]], {kind.called: "name"})

    typed = f"waymark {kind.called} arrange holders/0198…/{kind.path}/0198… holders/0198…/{kind.path}/0199…"
    group.command("arrange", help="Put them in order.", epilog=f"Example:  {typed}")(arrange)
