"""`waymark agreement`: what partners have agreed on, from draft to end."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import day_query, json_day
from services.cli.call import Call, calls, enum, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit, subject_of

agreement = typer.Typer(help="Agreements of two or three organisations: models, form, term, who watches.")
MAKER, CHECKER = "catalogue_manager:maker", "catalogue_manager:checker"
AGREEMENT = {
    "agreement": "name",
    "called": "displayNames",
    "state": "state",
    "between": "parties",
    "models": "models",
    "form": "form",
    "chosen by": "selectionProcedure",
    "from": "startDate",
    "until": "endDate",
    "standards": "standards",
    "review by": "reviewDate",
    "ended for": "endReason",
}
VOLUME = {"volume": "what", "quantity": "quantity"}
SHARING = {"shares": "giver", "for": "purposes", "fields": "fields"}
SHOWN = ("agreement", "called", "state", "between", "form", "until", "review by")
LISTED = {key: AGREEMENT[key] for key in SHOWN}
Name = Annotated[str, typer.Argument(metavar="AGREEMENT", help="agreements/{id}")]
Etag = Annotated[str, typer.Option(help="Only if it is still at this version.")]


class Model(StrEnum):
    """How organisations work together."""

    AGILE = "agile"
    SUBCONTRACTED = "subcontracted"
    CO_CONSTRUCTED = "co-constructed"
    SUPPORTIVE = "supportive"


class Form(StrEnum):
    """What kind of word was given."""

    INFORMAL = "informal"
    MEMORANDUM_OF_UNDERSTANDING = "memorandum"
    FORMAL = "formal"
    LEGALLY_BINDING = "legally-binding"


class Selection(StrEnum):
    """How partners were chosen."""

    CALL_FOR_INTEREST = "call-for-interest"
    CALL_FOR_TENDERS = "call-for-tenders"
    CO_OPTION = "co-option"
    OPEN_SIGN_UP = "open-sign-up"


class State(StrEnum):
    """Where an agreement stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why an agreement ends."""

    MUTUAL = "mutual"
    BREACH = "breach"
    REPLACED = "replaced"
    GIVEN_UP = "given-up"


def register(app: typer.Typer) -> None:
    """Adds `agreement` to the command line `app`."""
    from services.cli import agreement_review  # noqa: F401 - adds its commands to ours

    app.add_typer(agreement, name="agreement", no_args_is_help=True)


@agreement.command(
    epilog="Example:  waymark agreement draft Welding organisations/pes organisations/harbour --form formal"
    " --model agile --standard 'ISO 29993' --until 2027-12-31"
)
@calls(MAKER)
def draft(
    call: Call,
    title: Annotated[str, typer.Argument(help="Name people read.")],
    parties: Annotated[list[str], typer.Argument(help="Two or three organisations/{id}.")],
    form: Annotated[Form, typer.Option(help="What kind of word; decides what it must hold.")] = Form.INFORMAL,
    model: Annotated[list[Model] | None, typer.Option(help="May be given again; default: agile.")] = None,
    selection: Annotated[Selection, typer.Option(help="How partners were chosen.")] = Selection.CO_OPTION,
    start: Annotated[str, typer.Option("--from", help="First day; default: when it comes into force.")] = "",
    until: Annotated[str, typer.Option(help="Last day; default: open-ended.")] = "",
    volume: Annotated[
        list[str] | None, typer.Option(help="WHAT=QUANTITY, 'places a year=120'; may be given again.")
    ] = None,
    standard: Annotated[list[str] | None, typer.Option(help="May be given again.")] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(help="GIVER:PURPOSES:FIELDS, organisations/pes:placement:email,phone; give it again."),
    ] = None,
    review_months: Annotated[int, typer.Option(min=1, max=12, help="Months between reviews.")] = 12,
    owner: Annotated[str, typer.Option(help="ROLE:NAME or subject of who looks after it.")] = MAKER,
    monitor: Annotated[str, typer.Option(help="ROLE:NAME or subject of who watches it.")] = CHECKER,
) -> None:
    """Draft an agreement."""
    body: dict[str, Any] = {
        "displayNames": {"en": title},
        "parties": parties,
        "models": [enum("PARTNERSHIP_MODEL", each) for each in model or [Model.AGILE]],
        "form": enum("AGREEMENT_FORM", form),
        "selectionProcedure": enum("SELECTION_PROCEDURE", selection),
        "volumes": [_volume(each) for each in volume or []],
        "standards": standard or [],
        "reviewMonths": review_months,
        "dataSharing": [_sharing(each) for each in share or []],
        "owner": subject_of(owner),
        "monitor": subject_of(monitor),
    }
    for field, day in (("startDate", start), ("endDate", until)):
        if day:
            body[field] = json_day(day)
    call.one(call.post("agreements", body), AGREEMENT)


@agreement.command(
    "list", epilog="Examples:  waymark agreement list --review-before 2027-01-31 --mine · --state active"
)
@calls(MAKER)
def list_(
    call: Call,
    party: Annotated[str, typer.Option(help="Only of this organisations/{id}.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    review_before: Annotated[
        str, typer.Option(help="Only those in force to be reviewed before this day, 2027-12-31.")
    ] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you look after or watch.")] = False,
    limit: Limit = 50,
) -> None:
    """List agreements, newest first."""
    wanted = {"party": party, "state": enum("STATE", state), "mine": str(mine).lower()}
    before: dict[str, Any] = day_query("review_due_before", review_before)
    call.many("agreements", LISTED, limit, empty="none yet", **wanted, **before)


@agreement.command(epilog="Example:  waymark agreement show agreements/0198…")
@calls(MAKER)
def show(call: Call, name: Name) -> None:
    """Show an agreement."""
    found = call.get(name)
    call.one(found, AGREEMENT)
    call.part(found.get("volumes", []), VOLUME, empty="no volume agreed")
    call.part(found.get("dataSharing", []), SHARING, empty="no data shared")


@agreement.command(epilog="Example:  waymark agreement change agreements/0198… --until 2028-12-31")
@calls(MAKER)
def change(
    call: Call,
    name: Name,
    until: Annotated[str, typer.Option(help="Last day.")] = "",
    volume: Annotated[
        list[str] | None, typer.Option(help="WHAT=QUANTITY, instead of those there are.")
    ] = None,
    standard: Annotated[list[str] | None, typer.Option(help="Instead of those there are.")] = None,
    owner: Annotated[str, typer.Option(help="ROLE:NAME or subject of who looks after it.")] = "",
    monitor: Annotated[str, typer.Option(help="ROLE:NAME or subject of who watches it.")] = "",
) -> None:
    """Change a draft, or hand an agreement in force over; what is not given stays."""
    changes = {
        "endDate": json_day(until) if until else None,
        "volumes": [_volume(each) for each in volume or []],
        "standards": standard,
        "owner": subject_of(owner),
        "monitor": subject_of(monitor),
    }
    body = call.get(name) | {field: value for field, value in changes.items() if value}
    call.one(call.patch(name, body), AGREEMENT)


@agreement.command(epilog="Example:  waymark agreement activate agreements/0198…")
@calls(CHECKER)
def activate(call: Call, name: Name, etag: Etag = "") -> None:
    """Put a draft of somebody else's in force."""
    call.one(call.post(f"{name}:activate", with_etag({}, etag)), AGREEMENT)


@agreement.command(epilog="Example:  waymark agreement end agreements/0198… breach")
@calls(MAKER)
def end(
    call: Call,
    name: Name,
    reason: Annotated[EndReason, typer.Argument(help="Why.")] = EndReason.MUTUAL,
    etag: Etag = "",
) -> None:
    """End an agreement, or give a draft up."""
    body = {"reason": enum("AGREEMENT_END_REASON", reason)}
    call.one(call.post(f"{name}:end", with_etag(body, etag)), AGREEMENT)


def _volume(given: str) -> dict[str, str]:
    what, _, quantity = given.rpartition("=")
    if not what or not quantity.isdecimal():
        raise Failure(ExitCode.USAGE, f"{given!r} is no WHAT=QUANTITY.", remedy="Write 'places a year=120'.")
    return {"what": what, "quantity": quantity}


def _sharing(given: str) -> dict[str, Any]:
    giver, purposes, fields = (*given.split(":"), "", "")[:3]
    if not giver or not purposes or not fields:
        remedy = "Write organisations/pes:placement:email,phone."
        raise Failure(ExitCode.USAGE, f"{given!r} is no GIVER:PURPOSES:FIELDS.", remedy=remedy)
    return {
        "giver": giver,
        "purposes": [f"DATA_PURPOSE_{each.upper()}" for each in purposes.split(",")],
        "fields": fields.split(","),
    }
