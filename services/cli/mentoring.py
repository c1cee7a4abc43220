"""`waymark mentoring`: a mentor for a holder, by the consent of both and for a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import output, share
from services.cli.amounts import in_days
from services.cli.call import Call, calls
from services.cli.holder import LEARNER, HolderName, own
from services.cli.options import Limit

mentoring = typer.Typer(help="A mentor of your occupation and language: find one, agree, read, end it.")
MATCH = {
    "match": "name",
    "mentor": "mentor",
    "state": "state",
    "may read": "fields",
    "wish": "wish",
    "same occupation": "reasons.sameOccupation",
    "ISCO group": "reasons.iscoGroup",
    "languages": "reasons.languages",
    "you agreed": "holderAgreeTime",
    "mentor agreed": "mentorAgreeTime",
    "until": "expireTime",
}
ROW = {key: MATCH[key] for key in ("match", "mentor", "state", "until")}
SUGGESTION = {
    "mentor": "mentor",
    "of": "organisation",
    "same occupation": "reasons.sameOccupation",
    "ISCO group": "reasons.iscoGroup",
    "languages": "reasons.languages",
}
Name = Annotated[str, typer.Argument(metavar="MATCH", help="holders/{id}/mentoringMatches/{id}")]
MentorName = Annotated[str, typer.Argument(metavar="MENTOR", help="mentors/{id}")]
Occupation = Annotated[str, typer.Option(help="Concept URI of the occupation to learn about.")]
Isco = Annotated[str, typer.Option(help="ISCO-08 code of it, 1 to 4 digits.")]
Wish = Annotated[str, typer.Option(help="What you want of it.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--show", help="What the mentor may read: `holder.given_name`, `entries`, …; repeat."),
]


def register(app: typer.Typer) -> None:
    """Adds `mentoring` to the command line `app`."""
    app.add_typer(mentoring, name="mentoring", no_args_is_help=True)


@mentoring.command(epilog="Example:  waymark mentoring suggest --isco 7212 --language nl")
@calls(LEARNER)
def suggest(
    call: Call,
    holder: HolderName = "",
    occupation: Occupation = "",
    isco: Isco = "",
    languages: Annotated[
        list[str] | None, typer.Option("--language", help="ISO 639 code; default: those of the holder.")
    ] = None,
) -> None:
    """Find mentors with room, best first, and why they fit: by occupation and language and by nothing
    else."""
    query = {"occupation_uri": occupation, "isco_code": isco, "languages": languages or []}
    answer = call.get(f"{own(call, holder)}/mentoringMatches:suggest", **query)
    call.rows(answer.get("suggestions", []), SUGGESTION, empty="nobody fits")


@mentoring.command(
    epilog="Example:  waymark mentoring ask mentors/0198… --isco 7212 --show holder.given_name --show entries"
)
@calls(LEARNER)
def ask(
    call: Call,
    mentor: MentorName,
    fields: Fields = None,
    occupation: Occupation = "",
    isco: Isco = "",
    wish: Wish = "",
    days: Days = 180,
) -> None:
    """Ask for a mentor, and say what the mentor may read; it is in force once the mentor agrees."""
    body = _match(mentor, occupation, isco, wish, days) | {"fields": fields or []}
    call.one(call.post(f"{own(call, '')}/mentoringMatches", body), MATCH)


@mentoring.command(
    epilog="Example:  waymark mentoring propose holders/0198… mentors/0198… --isco 7212 "
    "--as counsellor:Tess --org organisations/office"
)
@calls("counsellor")
def propose(
    call: Call,
    holder: Annotated[str, typer.Argument(help="holders/{id}")],
    mentor: MentorName,
    occupation: Occupation = "",
    isco: Isco = "",
    wish: Wish = "",
    days: Days = 180,
) -> None:
    """Propose a mentor, as the counsellor; the mentor hears of it only when the person agrees."""
    body = _match(mentor, occupation, isco, wish, days)
    call.one(call.post(f"{holder}/mentoringMatches", body), MATCH)


@mentoring.command("list", epilog="Example:  waymark mentoring list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List matches, ended ones included, newest first."""
    call.many(f"{own(call, holder)}/mentoringMatches", ROW, limit, empty="no mentor yet")


@mentoring.command(epilog="Example:  waymark mentoring show holders/0198…/mentoringMatches/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a match; the look of anybody but the person is written to the access log."""
    call.one(call.get(name), MATCH)


@mentoring.command(
    epilog="Examples:  waymark mentoring agree holders/0198…/mentoringMatches/0198… --show entries · "
    "waymark mentoring agree holders/0198…/mentoringMatches/0198… --as provider:Bea --org organisations/yard"
)
@calls(LEARNER)
def agree(call: Call, name: Name, fields: Fields = None) -> None:
    """Agree, as the person, who says what the mentor may read, or as the mentor."""
    call.one(call.post(f"{name}:agree", {"fields": fields or []}), MATCH)


@mentoring.command(epilog="Example:  waymark mentoring end holders/0198…/mentoringMatches/0198…")
@calls(LEARNER)
def end(call: Call, name: Name) -> None:
    """Decline it or end it, as either of the two; nothing can be read from then on."""
    call.one(call.post(f"{name}:end"), MATCH)


@mentoring.command(
    epilog="Example:  waymark mentoring read holders/0198…/mentoringMatches/0198… "
    "--as provider:Bea --org organisations/yard"
)
@calls("provider")
def read(call: Call, name: Name) -> None:
    """Read what the person shows you, as the mentor; the person sees that you did."""
    answer = call.get(f"{name}:read")
    if call.as_json:
        output.as_json(answer)
    else:
        share.show(answer)


def _match(mentor: str, occupation: str, isco: str, wish: str, days: int) -> dict[str, Any]:
    said = {"mentor": mentor, "occupationUri": occupation, "iscoCode": isco, "wish": wish}
    return said | {"expireTime": in_days(days)}
