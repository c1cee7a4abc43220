"""`waymark entry`: what a person did, learnt or holds."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import kept
from services.cli.amounts import json_partial_day
from services.cli.call import Call, calls, enum, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, ForHolder, HolderName, own
from services.cli.options import Limit

entry = typer.Typer(help="What a person did, learnt or holds: work, education, languages, certificates.")
ENTRY = {
    "entry": "name",
    "kind": "kind",
    "title": "title",
    "organisation": "organisation",
    "place": "place",
    "from": "startDate",
    "to": "endDate",
    "text": "description",
    "address": "uri",
    "evidence": "evidence",
    "changed": "updateTime",
    "in the trash until": "purgeTime",
    "etag": "etag",
}
IN_LIST = ("entry", "kind", "title", "organisation", "from", "to", "in the trash until")
ROW = {key: ENTRY[key] for key in IN_LIST}
_NOT_OF_REVISION = ("entry", "changed", "in the trash until", "etag")
_OF_REVISION = {"revision": "name", "since": "createTime"}
REVISION = _OF_REVISION | {
    label: f"snapshot.{path}" for label, path in ENTRY.items() if label not in _NOT_OF_REVISION
}
REVISION_ROW = {key: REVISION[key] for key in ("revision", "since", "title", "organisation", "from", "to")}
Name = Annotated[str, typer.Argument(metavar="ENTRY", help="holders/{id}/entries/{id}")]
Organisation = Annotated[str, typer.Option(help="Employer, school, issuer or club.")]
Place = Annotated[str, typer.Option(help="Where it took place.")]
From = Annotated[str, typer.Option("--from", help="First day: 2019, 2019-09 or 2019-09-01.")]
To = Annotated[str, typer.Option("--to", help="Last day; none while it goes on.")]
Text = Annotated[str, typer.Option(help="More about it.")]
Language = Annotated[str, typer.Option(help="Language of the text.")]
Uri = Annotated[str, typer.Option(help="A web address about it.")]
Evidence = Annotated[
    list[str] | None, typer.Option(help="holders/{id}/evidence/{id} that shows it; repeat for more.")
]
More = Annotated[
    str, typer.Option(help='More fields of the contract as JSON: \'{"work": {"weeklyHours": 38}}\'.')
]


class Kind(StrEnum):
    """What an entry is about."""

    EDUCATION = "education"
    WORK = "work"
    VOLUNTEERING = "volunteering"
    CARE_WORK = "care-work"
    LANGUAGE = "language"
    CERTIFICATE = "certificate"
    PROJECT = "project"
    PUBLICATION = "publication"
    DRIVING_LICENCE = "driving-licence"
    INTEREST = "interest"


def register(app: typer.Typer) -> None:
    """Adds `entry` to the command line `app`."""
    kept.add_order(entry, kept.Kind("entry", "entries", "entries", ENTRY, ROW))
    app.add_typer(entry, name="entry", no_args_is_help=True)


@entry.command(
    epilog="Example:  waymark entry create work 'Warehouse operative' --organisation 'Scheldt Logistics' "
    "--from 2021-03"
)
@calls(LEARNER)
def create(
    call: Call,
    kind: Annotated[Kind, typer.Argument(help="What it is about.")],
    title: Annotated[str, typer.Argument(help="Job title, course, certificate, language.")],
    organisation: Organisation = "",
    place: Place = "",
    start: From = "",
    end: To = "",
    text: Text = "",
    language: Language = "en",
    uri: Uri = "",
    evidence: Evidence = None,
    more: More = "",
    holder: ForHolder = "",
) -> None:
    """Add an entry to your portfolio, or on behalf of somebody who let you."""
    body = _entry(title, organisation, place, start, end, text, language, uri, evidence, more)
    body["kind"] = enum("ENTRY_KIND", kind)
    call.one(call.post(f"{own(call, holder)}/entries", body), ENTRY)


@entry.command(
    "list",
    epilog="Examples:  waymark entry list --kind work · "
    "waymark entry list holders/0198… --as counsellor:Tess --org organisations/office",
)
@calls(LEARNER)
def list_(
    call: Call,
    holder: HolderName = "",
    kind: Annotated[Kind | None, typer.Option(help="Only this kind.")] = None,
    trash: kept.Trash = False,
    limit: Limit = 50,
) -> None:
    """List entries, newest first until you put them in order; a counsellor's look is written to the access
    log."""
    query = {"kind": enum("ENTRY_KIND", kind)} | kept.trash_too(trash)
    call.many(f"{own(call, holder)}/entries", ROW, limit, empty="no entry yet", **query)


@entry.command(epilog="Example:  waymark entry show holders/0198…/entries/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show an entry; a counsellor's look is written to the access log."""
    call.one(call.get(name), ENTRY)


@entry.command(epilog="Example:  waymark entry update holders/0198…/entries/0198… --to 2026-10 --clear place")
@calls(LEARNER)
def update(
    call: Call,
    name: Name,
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    organisation: Organisation = "",
    place: Place = "",
    start: From = "",
    end: To = "",
    text: Text = "",
    language: Language = "en",
    uri: Uri = "",
    evidence: Evidence = None,
    more: More = "",
    clear: Annotated[
        list[str] | None, typer.Option(help="Field of the contract to empty, `endDate`; repeat for more.")
    ] = None,
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays."""
    body = _entry(title, organisation, place, start, end, text, language, uri, evidence, more)
    call.one(call.patch(name, with_etag(body, etag), clear or ()), ENTRY)


@entry.command(epilog="Example:  waymark entry delete holders/0198…/entries/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Put an entry into the trash, for thirty days; no page, CV or link shows it."""
    call.caller.rest("DELETE", f"/v1/{name}", etag=etag)
    call.one(call.get(name), ENTRY)


@entry.command(epilog="Example:  waymark entry restore holders/0198…/entries/0198…")
@calls(LEARNER)
def restore(call: Call, name: Name) -> None:
    """Take an entry out of the trash."""
    call.one(call.post(f"{name}:undelete"), ENTRY)


@entry.command(epilog="Example:  waymark entry revisions holders/0198…/entries/0198…")
@calls(LEARNER)
def revisions(call: Call, name: Name, limit: Limit = 50) -> None:
    """List what an entry said before it was changed, newest first."""
    empty = "it was never changed"
    call.many(f"{name}/revisions", REVISION_ROW, limit, key="entryRevisions", empty=empty)


@entry.command(epilog="Example:  waymark entry revision holders/0198…/entries/0198…/revisions/3")
@calls(LEARNER)
def revision(
    call: Call,
    name: Annotated[
        str, typer.Argument(metavar="REVISION", help="holders/{id}/entries/{id}/revisions/{number}")
    ],
) -> None:
    """Show what an entry said before."""
    call.one(call.get(name), REVISION)


@entry.command(epilog="Example:  waymark entry rollback holders/0198…/entries/0198… 3")
@calls(LEARNER)
def rollback(
    call: Call,
    name: Name,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Last part of the revision's name.")],
    etag: Etag = "",
) -> None:
    """Let an entry say again what it said; a change like any other, which can be taken back."""
    call.one(call.post(f"{name}:rollback", with_etag({"revisionId": number}, etag)), ENTRY)


def _entry(
    title: str,
    organisation: str,
    place: str,
    start: str,
    end: str,
    text: str,
    language: str,
    uri: str,
    evidence: list[str] | None,
    more: str,
) -> dict[str, Any]:
    body = {
        "title": title,
        "organisation": organisation,
        "place": place,
        "startDate": json_partial_day(start) if start else None,
        "endDate": json_partial_day(end) if end else None,
        "description": {language: text} if text else None,
        "uri": uri,
        "evidence": evidence,
    }
    return {key: value for key, value in body.items() if value} | _fields(more)


def _fields(typed: str) -> dict[str, Any]:
    try:
        fields = json.loads(typed or "{}")
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise Failure(
            ExitCode.USAGE, "--more is no JSON object.", remedy='Write it like \'{"uri": "https://…"}\'.'
        )
    return fields
