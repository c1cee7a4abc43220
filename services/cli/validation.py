"""`waymark validation`: recognition of what was learnt outside of school."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls, enum, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit, subject_of

validation = typer.Typer(help="Recognition of what was learnt outside of school, towards a qualification.")
CASE = {
    "case": "name",
    "qualification": "qualification.title",
    "EQF": "qualification.eqfLevel",
    "national level": "nqfLevel",
    "pathway": "pathway",
    "awarding body": "awardingBody",
    "state": "state",
    "outcome": "outcome",
    "assessor": "assessor",
    "said": "decisionNote",
    "appeal until": "appealEndTime",
    "credential": "credential",
    "etag": "etag",
}
ROW = {key: CASE[key] for key in ("case", "qualification", "state", "outcome")}
ELEMENTS = {
    "element": "id",
    "title": "title",
    "credit": "creditPoints",
    "holder says": "document.rating",
    "assessor says": "assessment.rating",
    "why": "assessment.note",
    "step": "step",
}
QUEUE = {"case": "validationCase", "state": "state", "assessor": "assessor", "since": "updateTime"}
FILES = {"file": "name", "title": "title", "sha256": "sha256"}
STAFF = "provider"
Name = Annotated[str, typer.Argument(metavar="CASE", help="holders/{id}/validationCases/{id}")]


class Rating(StrEnum):
    """Whether an element was shown."""

    NOT_SHOWN = "not-shown"
    PARTLY_SHOWN = "partly-shown"
    SHOWN = "shown"


def register(app: typer.Typer) -> None:
    """Adds `validation` to the command line `app`."""
    app.add_typer(validation, name="validation", no_args_is_help=True)


@validation.command(
    "open",
    epilog="Example:  waymark validation open holders/0198…/pathways/0198… credentialIssuers/0198… "
    "--nqf 'VKS 4'",
)
@calls(LEARNER)
def open_(
    call: Call,
    pathway: Annotated[str, typer.Argument(help="holders/{id}/pathways/{id}; leads to the qualification.")],
    body: Annotated[str, typer.Argument(help="credentialIssuers/{id} that is to recognise it.")],
    nqf: Annotated[str, typer.Option(help="Level of the national framework.")] = "",
) -> None:
    """Open a case for the qualification that a pathway leads to."""
    case = {"pathway": pathway, "awardingBody": body, **({"nqfLevel": nqf} if nqf else {})}
    _print(call, call.post(f"{pathway.partition('/pathways/')[0]}/validationCases", case))


@validation.command("list", epilog="Example:  waymark validation list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List cases, newest first."""
    call.many(f"{own(call, holder)}/validationCases", ROW, limit, empty="no case yet")


@validation.command(epilog="Example:  waymark validation show holders/0198…/validationCases/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a case with its elements; whoever looks beside the holder is in the access log."""
    _print(call, call.get(name))


@validation.command(
    epilog="Example:  waymark validation identify holders/0198…/validationCases/0198… arc='Arc welding:6' "
    "gas='Gas welding'"
)
@calls(LEARNER)
def identify(
    call: Call,
    name: Name,
    elements: Annotated[list[str], typer.Argument(metavar="ID=TITLE[:CREDIT]", help="An element each.")],
    etag: Etag = "",
) -> None:
    """Name the elements of the qualification."""
    _post(call, f"{name}:identify", {"elements": [_element(each) for each in elements]}, etag)


@validation.command(
    epilog="Example:  waymark validation document holders/0198…/validationCases/0198… arc shown "
    "--entry holders/0198…/entries/0198… --note 'six years in a shipyard'"
)
@calls(LEARNER)
def document(
    call: Call,
    name: Name,
    element: Annotated[str, typer.Argument(help="Id of the element.")],
    rating: Annotated[Rating, typer.Argument(help="How you rate it.")],
    note: Annotated[str, typer.Option(help="Where and how you learnt it.")] = "",
    entry: Annotated[list[str] | None, typer.Option(help="Entry that shows it; repeat for more.")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="Skill claim; repeat for more.")] = None,
    evidence: Annotated[list[str] | None, typer.Option(help="File; repeat for more.")] = None,
    etag: Etag = "",
) -> None:
    """Rate an element, and say what shows it."""
    said: dict[str, Any] = {"element": element, "rating": enum("ELEMENT_RATING", rating), "note": note}
    said |= {"entries": entry or [], "skillClaims": skill or [], "evidence": evidence or []}
    _post(call, f"{name}:document", {"documents": [said]}, etag)


@validation.command(epilog="Example:  waymark validation submit holders/0198…/validationCases/0198…")
@calls(LEARNER)
def submit(call: Call, name: Name, etag: Etag = "") -> None:
    """Hand a case in; what it documents is frozen, and open to the awarding body."""
    _post(call, f"{name}:submit", {}, etag)


@validation.command(epilog="Example:  waymark validation withdraw holders/0198…/validationCases/0198…")
@calls(LEARNER)
def withdraw(call: Call, name: Name, etag: Etag = "") -> None:
    """Withdraw a case before it is decided."""
    _post(call, f"{name}:withdraw", {}, etag)


@validation.command(
    epilog="Example:  waymark validation appeal holders/0198…/validationCases/0198… 'nobody saw me weld'"
)
@calls(LEARNER)
def appeal(
    call: Call, name: Name, grounds: Annotated[str, typer.Argument(help="Why.")], etag: Etag = ""
) -> None:
    """Ask for another assessor, within thirty days."""
    _post(call, f"{name}:appeal", {"grounds": grounds}, etag)


@validation.command(epilog="Example:  waymark validation snapshot holders/0198…/validationCases/0198… --json")
@calls(LEARNER)
def snapshot(call: Call, name: Name) -> None:
    """Show what was frozen when the case was handed in."""
    found = call.get(f"{name}:snapshot")
    call.one(found, {"case": "validationCase", "frozen": "freezeTime"})
    call.part(found.get("entries", []), {"entry": "name", "title": "title"}, empty="no entry")
    call.part(found.get("evidence", []), FILES, empty="no file")


@validation.command(
    epilog="Example:  waymark validation file holders/0198…/validationCases/0198… "
    "holders/0198…/evidence/0198… --as provider:Ines --org organisations/quay"
)
@calls(STAFF)
def file(
    call: Call, name: Name, evidence: Annotated[str, typer.Argument(help="holders/{id}/evidence/{id}")]
) -> None:
    """Get the address of a frozen file, as the assessor."""
    call.one(call.get(f"{name}:file", evidence=evidence), {"address": "url", "works for": "lifetime"})


@validation.command(
    epilog="Example:  waymark validation queue credentialIssuers/0198… "
    "--as provider:Ines --org organisations/quay"
)
@calls(STAFF)
def queue(
    call: Call,
    body: Annotated[str, typer.Argument(metavar="BODY", help="credentialIssuers/{id}")],
    limit: Limit = 50,
) -> None:
    """List the cases that were handed in to your awarding body, newest first."""
    call.many(f"{body}/submittedCases", QUEUE, limit, empty="no case yet")


@validation.command(
    epilog="Example:  waymark validation assign holders/0198…/validationCases/0198… provider:Ada "
    "--as provider:Ines --org organisations/quay"
)
@calls(STAFF)
def assign(
    call: Call,
    name: Name,
    assessor: Annotated[
        str, typer.Argument(help="Subject of the colleague who assesses, or ROLE:NAME as for --as.")
    ],
    etag: Etag = "",
) -> None:
    """Name the assessor: nobody who ever was a counsellor of the holder."""
    _post(call, f"{name}:assign", {"assessor": subject_of(assessor)}, etag)


@validation.command(
    epilog="Example:  waymark validation decide holders/0198…/validationCases/0198… arc=shown "
    "gas=not-shown:'never lit a torch' --as provider:Ines --org organisations/quay"
)
@calls(STAFF)
def decide(
    call: Call,
    name: Name,
    ratings: Annotated[list[str], typer.Argument(metavar="ID=RATING[:WHY]", help="One for each element.")],
    note: Annotated[str, typer.Option(help="What is to be said of the whole.")] = "",
    etag: Etag = "",
) -> None:
    """Decide, as the assessor, by rating every element."""
    body = {"assessments": [_assessment(each) for each in ratings], "note": note}
    _post(call, f"{name}:decide", body, etag)


@validation.command(
    epilog="Example:  waymark validation conclude holders/0198…/validationCases/0198… "
    "--as provider:Joris --org organisations/quay"
)
@calls(STAFF)
def conclude(call: Call, name: Name, etag: Etag = "") -> None:
    """Put the decision of a colleague in force."""
    _post(call, f"{name}:conclude", {}, etag)


def _element(given: str) -> dict[str, Any]:
    element_id, _, rest = given.partition("=")
    title, _, credit = rest.partition(":")
    if not title or not (credit or "0").isdecimal():
        raise Failure(
            ExitCode.USAGE, f"{given!r} is no element.", remedy="Write it like arc='Arc welding:6'."
        )
    return {"id": element_id, "title": title, "creditPoints": int(credit or 0)}


def _assessment(given: str) -> dict[str, Any]:
    element_id, _, rest = given.partition("=")
    rating, _, why = rest.partition(":")
    if rating not in list(Rating):
        raise Failure(
            ExitCode.USAGE,
            f"{given!r} is no rating.",
            remedy=f"Write it like arc=shown: {', '.join(Rating)}.",
        )
    return {"element": element_id, "rating": enum("ELEMENT_RATING", Rating(rating)), "note": why}


def _post(call: Call, path: str, body: dict[str, Any], etag: str) -> None:
    """Changes a case and prints how it then stands."""
    _print(call, call.post(path, with_etag(body, etag)))


def _print(call: Call, found: output.Row) -> None:
    call.one(found, CASE)
    call.part(found.get("elements", []), ELEMENTS, empty="no element yet")
