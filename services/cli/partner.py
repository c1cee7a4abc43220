"""`waymark partner`: open sign-up of partners."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.agreement import Model
from services.cli.call import Call, calls, enum, with_etag
from services.cli.options import Limit
from services.cli.organisation import Role, Sector

partner = typer.Typer(help="Who wants to be a partner: apply, admit, refuse with a reason.")
APPLICANT, MANAGER = "provider:applicant", "catalogue_manager:maker"
APPLICATION = {
    "application": "name",
    "called": "displayName",
    "sector": "sector",
    "does": "roles",
    "would work": "models",
    "offer": "offer",
    "state": "state",
    "became": "organisation",
    "refused for": "refusalReason",
    "note": "refusalNote",
}
LISTED = {key: APPLICATION[key] for key in ("application", "called", "sector", "does", "state")}
Name = Annotated[str, typer.Argument(metavar="APPLICATION", help="partnerApplications/{id}")]
Etag = Annotated[str, typer.Option(help="Only if it is still at this version.")]


class State(StrEnum):
    """Where an application stands."""

    OPEN = "open"
    ADMITTED = "admitted"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why somebody does not become a partner."""

    KIND_NOT_ADMITTED = "kind-not-admitted"
    NOT_VERIFIED = "not-verified"
    ALREADY_PARTNER = "already-partner"
    QUALITY = "quality"
    NO_NEED = "no-need"


def register(app: typer.Typer) -> None:
    """Adds `partner` to the command line `app`."""
    app.add_typer(partner, name="partner", no_args_is_help=True)


@partner.command(
    epilog="Example:  waymark partner apply Quayside third kbo 0123456789 --offer 'Evening classes'"
)
@calls(APPLICANT)
def apply(
    call: Call,
    called: Annotated[str, typer.Argument(metavar="NAME", help="Name people know it by.")],
    sector: Annotated[Sector, typer.Argument(help="Sector.")],
    register_: Annotated[str, typer.Argument(metavar="REGISTER", help="Register it is in, such as kbo.")],
    number: Annotated[str, typer.Argument(help="Its number there.")],
    role: Annotated[list[Role] | None, typer.Option(help="May be given again; default: partner.")] = None,
    model: Annotated[list[Model] | None, typer.Option(help="How it would work; may be given again.")] = None,
    offer: Annotated[str, typer.Option(help="What it brings; never personal data.")] = "",
) -> None:
    """Apply as partner."""
    body: dict[str, Any] = {
        "displayName": called,
        "legalIds": {register_: number},
        "sector": enum("SECTOR", sector),
        "roles": [enum("ORGANISATION_ROLE", each) for each in role or [Role.PARTNER]],
        "models": [enum("PARTNERSHIP_MODEL", each) for each in model or []],
        "offer": offer,
    }
    call.one(call.post("partnerApplications", body), APPLICATION)


@partner.command("list", epilog="Example:  waymark partner list --state open")
@calls(MANAGER)
def list_(
    call: Call,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List applications, oldest first."""
    wanted = enum("STATE", state)
    call.many("partnerApplications", LISTED, limit, empty="nobody has applied", state=wanted)


@partner.command(epilog="Example:  waymark partner show partnerApplications/0198…")
@calls(MANAGER)
def show(call: Call, name: Name) -> None:
    """Show an application."""
    call.one(call.get(name), APPLICATION)


@partner.command(epilog="Example:  waymark partner admit partnerApplications/0198… --id quayside")
@calls(MANAGER)
def admit(
    call: Call,
    name: Name,
    identifier: Annotated[
        str, typer.Option("--id", help="Id of the organisation; default: one is made.")
    ] = "",
    etag: Etag = "",
) -> None:
    """Admit a partner: its organisation is created."""
    call.one(call.post(f"{name}:admit", with_etag({"organisationId": identifier}, etag)), APPLICATION)


@partner.command(epilog="Example:  waymark partner refuse partnerApplications/0198… not-verified")
@calls(MANAGER)
def refuse(
    call: Call,
    name: Name,
    reason: Annotated[Reason, typer.Argument(help="Why.")],
    note: Annotated[str, typer.Option(help="What else there is to say; the applicant reads it.")] = "",
    etag: Etag = "",
) -> None:
    """Refuse an application."""
    body = {"reason": enum("PARTNER_REFUSAL_REASON", reason), "note": note}
    call.one(call.post(f"{name}:refuse", with_etag(body, etag)), APPLICATION)
