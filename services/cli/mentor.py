"""`waymark mentor`: who mentors for an organisation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.call import Call, calls, with_etag
from services.cli.holder import Etag
from services.cli.options import Limit, subject_of

mentor = typer.Typer(help="Mentors that your organisation offers: what they know, and how many they take.")
STAFF = "provider"
MENTOR = {
    "mentor": "name",
    "who": "subject",
    "occupations": "occupationUris",
    "ISCO": "iscoCodes",
    "languages": "languages",
    "takes": "capacity",
    "has": "active",
    "retired": "retireTime",
    "etag": "etag",
}
ROW = {key: MENTOR[key] for key in ("mentor", "ISCO", "languages", "takes", "has", "retired")}
RECEIVED = {"match": "mentoringMatch", "state": "state", "until": "expireTime"}
Name = Annotated[str, typer.Argument(metavar="MENTOR", help="mentors/{id}")]
Occupations = Annotated[
    list[str] | None, typer.Option("--occupation", help="Concept URI of an occupation; repeat for more.")
]
Codes = Annotated[
    list[str] | None, typer.Option("--isco", help="ISCO-08 code, 1 to 4 digits; repeat for more.")
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="ISO 639 code such as nl; repeat for more.")
]


def register(app: typer.Typer) -> None:
    """Adds `mentor` to the command line `app`."""
    app.add_typer(mentor, name="mentor", no_args_is_help=True)


@mentor.command(
    epilog="Example:  waymark mentor offer provider:Bea --isco 7212 --language nl --takes 2 "
    "--org organisations/yard"
)
@calls(STAFF)
def offer(
    call: Call,
    subject: Annotated[str, typer.Argument(help="Subject of the mentor's token, or ROLE:NAME as for --as.")],
    occupations: Occupations = None,
    codes: Codes = None,
    languages: Languages = None,
    takes: Annotated[int, typer.Option(min=1, max=20, help="How many people at a time.")] = 1,
) -> None:
    """Offer a mentor of your organisation."""
    body = {"subject": subject_of(subject), **_offered(occupations, codes, languages, takes)}
    call.one(call.post("mentors", body), MENTOR)


@mentor.command("list", epilog="Example:  waymark mentor list --org organisations/yard")
@calls(STAFF)
def list_(call: Call, limit: Limit = 50) -> None:
    """List the mentors of your organisation, newest first."""
    call.many("mentors", ROW, limit, empty="no mentor yet")


@mentor.command(epilog="Example:  waymark mentor show mentors/0198… --org organisations/yard")
@calls(STAFF)
def show(call: Call, name: Name) -> None:
    """Show a mentor."""
    call.one(call.get(name), MENTOR)


@mentor.command(epilog="Example:  waymark mentor update mentors/0198… --takes 3 --org organisations/yard")
@calls(STAFF)
def update(
    call: Call,
    name: Name,
    occupations: Occupations = None,
    codes: Codes = None,
    languages: Languages = None,
    takes: Annotated[int, typer.Option(max=20, help="How many people at a time.", show_default=False)] = 0,
    etag: Etag = "",
) -> None:
    """Change what is given; the rest stays."""
    call.one(call.patch(name, with_etag(_offered(occupations, codes, languages, takes), etag)), MENTOR)


@mentor.command(epilog="Example:  waymark mentor retire mentors/0198… --org organisations/yard")
@calls(STAFF)
def retire(call: Call, name: Name) -> None:
    """The mentor takes nobody new; what is in force stays until its end."""
    call.one(call.post(f"{name}:retire"), MENTOR)


@mentor.command(
    epilog="Example:  waymark mentor requests mentors/0198… --as provider:Bea --org organisations/yard"
)
@calls(STAFF)
def requests(call: Call, name: Name, limit: Limit = 50) -> None:
    """List who asks for you and whom you mentor, as the mentor, without anything of the people."""
    call.many(f"{name}/receivedMatches", RECEIVED, limit, empty="nobody asks")


def _offered(
    occupations: list[str] | None, codes: list[str] | None, languages: list[str] | None, takes: int
) -> dict[str, Any]:
    said = {"occupationUris": occupations, "iscoCodes": codes, "languages": languages, "capacity": takes}
    return {field: value for field, value in said.items() if value}
