"""`waymark contact`: how offices are reached, as far as agreements share it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum, with_etag

contact = typer.Typer(help="Contact details of organisations: one's own, and what an agreement shares.")
MANAGER = "catalogue_manager:maker"
DETAILS = {
    "of": "name",
    "email": "email",
    "phone": "phone",
    "street": "street",
    "postal code": "postalCode",
    "town": "town",
    "invoices": "billingEmail",
    "emergency": "emergencyPhone",
    "readable": "readableFields",
}
Name = Annotated[str, typer.Argument(metavar="ORGANISATION", help="organisations/{id}")]


class Purpose(StrEnum):
    """What data is read for."""

    PLACEMENT = "placement"
    QUALITY = "quality"
    SETTLEMENT = "settlement"
    STATISTICS = "statistics"


def register(app: typer.Typer) -> None:
    """Adds `contact` to the command line `app`."""
    app.add_typer(contact, name="contact", no_args_is_help=True)


@contact.command(
    epilog="Example:  waymark contact show organisations/office --for placement"
    " --as provider:sanne --org organisations/harbour"
)
@calls(MANAGER)
def show(
    call: Call,
    name: Name,
    purpose: Annotated[Purpose | None, typer.Option("--for", help="What you read them for.")] = None,
) -> None:
    """Show contact details, as far as you may read them."""
    query = {"purpose": enum("DATA_PURPOSE", purpose)} if purpose else {}
    call.one(call.get(f"{name}/contactDetails", **query), DETAILS)


@contact.command(
    "set", epilog="Example:  waymark contact set organisations/office --email info@office.example"
)
@calls(MANAGER)
def set_(
    call: Call,
    name: Name,
    email: Annotated[str, typer.Option(help="Where enquiries go.")] = "",
    phone: Annotated[str, typer.Option(help="Telephone of the office.")] = "",
    street: Annotated[str, typer.Option(help="Street and number.")] = "",
    postal_code: Annotated[str, typer.Option(help="Postal code.")] = "",
    town: Annotated[str, typer.Option(help="Town.")] = "",
    invoices: Annotated[str, typer.Option(help="Where invoices go.")] = "",
    emergency: Annotated[str, typer.Option(help="Telephone for what cannot wait.")] = "",
    etag: Annotated[str, typer.Option(help="Only if they are still at this version.")] = "",
) -> None:
    """Change the contact details of an office, never those of a person; what is not given stays."""
    given = {
        "email": email,
        "phone": phone,
        "street": street,
        "postalCode": postal_code,
        "town": town,
        "billingEmail": invoices,
        "emergencyPhone": emergency,
    }
    body = {field: value for field, value in given.items() if value}
    call.one(call.patch(f"{name}/contactDetails", with_etag(body, etag)), DETAILS)
