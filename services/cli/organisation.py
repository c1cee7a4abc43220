"""`waymark organisation`: partners, their accreditation and their feeds' sources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli import output
from services.cli.amounts import json_day
from services.cli.call import Call, calls, listed
from services.cli.options import Limit

organisation = typer.Typer(help="Training providers and partners: onboard, accredit, give them a feed.")
MANAGER = "catalogue_manager:maker"
ORGANISATION = {
    "organisation": "name",
    "called": "displayName",
    "sector": "sector",
    "accredited": "accredited",
    "until": "accreditation.validTo",
    "under": "accreditation.scheme",
}
Name = Annotated[str, typer.Argument(metavar="ORGANISATION", help="organisations/{id}")]


class Format(StrEnum):
    """Formats of a feed."""

    XCRI_CAP_1_2 = "xcri-cap-1.2"
    CSV_TEMPLATE = "csv"
    EMG_3_0 = "emg-3.0"
    LHEO = "lheo"
    SCHEMA_ORG = "schema-org"


def register(app: typer.Typer) -> None:
    """Adds `organisation` to the command line `app`."""
    app.add_typer(organisation, name="organisation", no_args_is_help=True)


@organisation.command(epilog="Example:  waymark organisation create 'Harbour Crafts Academy' --id harbour")
@calls(MANAGER)
def create(
    call: Call,
    called: Annotated[str, typer.Argument(metavar="NAME", help="Name people know it by.")],
    identifier: Annotated[str, typer.Option("--id", help="Id; default: one is made.")] = "",
) -> None:
    """Onboard an organisation."""
    body = {"organisation": {"displayName": called}, "organisationId": identifier}
    call.one(call.post("organisations", body), ORGANISATION)


@organisation.command(epilog="Example:  waymark organisation accredit organisations/harbour 2028-12-31")
@calls(MANAGER)
def accredit(
    call: Call,
    name: Name,
    until: Annotated[str, typer.Argument(help="Last day in force, 2028-12-31.")],
    scheme: Annotated[str, typer.Option(help="Scheme it is granted under.")] = "",
) -> None:
    """Accredit an organisation for voucher-funded training from today."""
    body = {"validTo": json_day(until), "scheme": scheme}
    answer = call.post(f"{name}/accreditations", body)
    fields = {"accreditation": "name", "from": "validFrom", "until": "validTo", "under": "scheme"}
    call.one(answer, fields)


@organisation.command("source", epilog="Example:  waymark organisation source organisations/harbour csv")
@calls(MANAGER)
def add_source(
    call: Call,
    name: Name,
    feed_format: Annotated[Format, typer.Argument(metavar="FORMAT", help="Format of its files.")],
    region: Annotated[str, typer.Option(help="NUTS code of places that name none.")] = "",
    language: Annotated[str, typer.Option(help="Language of texts that name none.")] = "en",
    grace: Annotated[
        int, typer.Option(min=0, max=100, help="Feeds that may leave a course out before it is removed.")
    ] = 0,
) -> None:
    """Give an organisation a source that `waymark feed` imports into."""
    body = {
        "source": {
            "organisation": name,
            "displayName": f"{feed_format.value} feed",
            "format": "FEED_FORMAT_" + feed_format.name,
            "defaultLanguage": language,
            "defaultNutsCode": region,
            "removalGraceFeeds": grace,
        }
    }
    answer = call.post("sources", body)
    call.one(answer, {"source": "name", "of": "organisation", "format": "format"})


@organisation.command("list", epilog="Example:  waymark organisation list --accredited")
@calls()
def list_(
    call: Call,
    accredited: Annotated[bool, typer.Option(help="Only those accredited today.")] = False,
    limit: Limit = 50,
) -> None:
    """List organisations by name."""
    found = listed(call.caller, "organisations", limit, accredited_only=str(accredited).lower())
    call.rows([{"accredited": False, **each} for each in found], ORGANISATION, empty="none yet")


@organisation.command(epilog="Example:  waymark organisation show organisations/harbour")
@calls()
def show(call: Call, name: Name) -> None:
    """Show an organisation with its sites."""
    found = {"accredited": False, **call.get(name)}
    sites = call.get(f"{name}/sites").get("sites", [])
    if call.as_json:
        output.as_json({"organisation": found, "sites": sites})
        return
    output.details(found, ORGANISATION)
    output.table(sites, {"site": "displayName", "town": "town", "region": "nutsCode"}, empty="no site")
