"""`waymark journal`: what a person writes for themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls, with_etag
from services.cli.holder import LEARNER, Etag, own
from services.cli.kept import Kind, add_common, add_list, given

journal = typer.Typer(help="Your journal; nobody else reads it.")
ENTRY = {
    "entry": "name",
    "day": "entryDate",
    "at": "entryTime",
    "draft": "draft",
    "title": "title",
    "text": "text",
    "tags": "tags",
    "evidence": "evidence",
    "in the trash until": "purgeTime",
    "etag": "etag",
}
IN_LIST = ("entry", "day", "draft", "title", "text", "tags", "in the trash until")
KIND = Kind("journal", "entries", "journalEntries", ENTRY, {key: ENTRY[key] for key in IN_LIST})
Title = Annotated[str, typer.Option(help="What it is called.")]
Day = Annotated[str, typer.Option(help="Day it tells of, 2026-11-21; default: today.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Word to find it by; repeat for more.")]
Evidence = Annotated[
    list[str] | None, typer.Option(help="holders/{id}/evidence/{id} that goes with it; repeat for more.")
]

Draft = Annotated[bool | None, typer.Option("--draft/--finished", help="Whether it is still to be finished.")]


def register(app: typer.Typer) -> None:
    """Adds `journal` to the command line `app`."""
    app.add_typer(journal, name="journal", no_args_is_help=True)


@journal.command(epilog="Example:  waymark journal write 'First day at the yard' --tag welding")
@calls(LEARNER)
def write(
    call: Call,
    text: Annotated[str, typer.Argument(help="What is written.")],
    title: Title = "",
    day: Day = "",
    tags: Tags = None,
    evidence: Evidence = None,
    draft: Draft = None,
) -> None:
    """Write an entry."""
    fields = _entry(text, title, day, tags, evidence, draft)
    call.one(call.post(f"{own(call, '')}/journalEntries", fields), ENTRY)


@journal.command(epilog="Example:  waymark journal update holders/0198…/journalEntries/0198… --tag yard")
@calls(LEARNER)
def update(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="ENTRY", help="holders/{id}/journalEntries/{id}")],
    text: Annotated[str, typer.Option(help="What is written.")] = "",
    title: Title = "",
    day: Day = "",
    tags: Tags = None,
    evidence: Evidence = None,
    draft: Draft = None,
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays, but for the time of day of another day."""
    fields = with_etag(_entry(text, title, day, tags, evidence, draft), etag)
    call.one(call.patch(name, fields, ("entryTime",) if day else ()), ENTRY)


def _entry(
    text: str, title: str, day: str, tags: list[str] | None, evidence: list[str] | None, draft: bool | None
) -> dict[str, Any]:
    fields = {"text": text, "title": title, "tags": tags, "evidence": evidence, "draft": draft}
    return given(fields | {"entryDate": json_day(day) if day else None})


add_list(journal, KIND)
add_common(journal, KIND)
