"""`waymark organisation`: partners with branches and sites, their accreditation and their feeds' sources."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import day_query
from services.cli.call import Call, calls, enum, listed
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit, Why
from services.cli.uploads import upload_to_catalogue

organisation = typer.Typer(help="Training providers and partners: onboard, accredit, give them a feed.")
MANAGER = "catalogue_manager:maker"
ORGANISATION = {
    "organisation": "name",
    "called": "displayName",
    "sector": "sector",
    "does": "roles",
    "branch of": "parent",
    "logo": "branding.logo",
    "narrative": "branding.narratives",
    "accredited": "accredited",
    "until": "accreditation.validTo",
    "under": "accreditation.scheme",
    "score": "accreditation.score",
    "review by": "accreditation.reviewDate",
    "closed": "closeTime",
    "opened again": "reopenTime",
    "because": "reopenReason",
}
ACCREDITATION = {
    "accreditation": "name",
    "from": "validFrom",
    "until": "validTo",
    "under": "scheme",
    "fields": "scope.iscedFCodes",
    "EQF levels": "scope.eqfLevels",
    "regions": "scope.nutsCodes",
    "rests on": "evidence",
    "score": "score",
    "review by": "reviewDate",
}
GRACE = 2  # feeds
USAGE = {"course": "course", "views": "views", "bookings": "bookings"}
SITE = {
    "site": "name",
    "called": "displayName",
    "street": "street",
    "town": "town",
    "region": "nutsCode",
    "removed": "deleteTime",
}
Name = Annotated[str, typer.Argument(metavar="ORGANISATION", help="organisations/{id}")]
SiteName = Annotated[str, typer.Argument(metavar="SITE", help="organisations/{id}/sites/{id}")]


class Format(StrEnum):
    """Formats of a feed."""

    XCRI_CAP_1_2 = "xcri-cap-1.2"
    CSV_TEMPLATE = "csv"
    EMG_3_0 = "emg-3.0"
    LHEO = "lheo"
    ELM_LOQ_3_1 = "elm-3.1"
    OOAPI_6 = "ooapi-6"
    SCHEMA_ORG = "schema-org"
    PUSH = "push"


class Sector(StrEnum):
    """Sectors."""

    PUBLIC = "public"
    PRIVATE = "private"
    THIRD = "third"


class Role(StrEnum):
    """What an organisation does."""

    PARTNER = "partner"
    PROVIDER = "provider"
    AWARDING_BODY = "awarding-body"
    PLATFORM = "platform"
    PUBLIC_EMPLOYMENT_SERVICE = "public-employment-service"


LegalIds = Annotated[
    list[str] | None, typer.Option(help="REGISTER=NUMBER, all there are to be; may be given again.")
]
OfSector = Annotated[Sector | None, typer.Option("--sector", help="Sector.")]


def register(app: typer.Typer) -> None:
    """Adds `organisation` to the command line `app`."""
    from services.cli import accreditation  # noqa: F401 - adds its commands to ours

    app.add_typer(organisation, name="organisation", no_args_is_help=True)


@organisation.command(
    epilog="Example:  waymark organisation create 'Harbour Crafts Academy' --id harbour --role provider"
)
@calls(MANAGER)
def create(
    call: Call,
    called: Annotated[str, typer.Argument(metavar="NAME", help="Name people know it by.")],
    identifier: Annotated[str, typer.Option("--id", help="Id; default: one is made.")] = "",
    parent: Annotated[str, typer.Option("--branch-of", help="organisations/{id} it is a branch of.")] = "",
    sector: OfSector = None,
    role: Annotated[list[Role] | None, typer.Option(help="What it does; may be given again.")] = None,
    legal_id: LegalIds = None,
) -> None:
    """Onboard an organisation, or a branch of one."""
    given = {
        "displayName": called,
        "parent": parent,
        "sector": enum("SECTOR", sector) or "SECTOR_UNSPECIFIED",
        "roles": [enum("ORGANISATION_ROLE", each) for each in role or []],
        "legalIds": _legal_ids(legal_id),
    }
    call.one(call.post("organisations", {"organisation": given, "organisationId": identifier}), ORGANISATION)


@organisation.command(
    epilog="Example:  waymark organisation brand organisations/harbour --logo our.png --narrative en='Hi.'"
)
@calls(MANAGER)
def brand(
    call: Call,
    name: Name,
    logo: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Its logo, .png, .jpg or .webp.")
    ] = None,
    narrative: Annotated[
        list[str] | None, typer.Option(help="LANGUAGE=TEXT of its standard narrative; may be given again.")
    ] = None,
) -> None:
    """Say how an organisation is shown with all it offers; what is not given stays."""
    branding = call.get(name).get("branding", {})
    if logo is not None:
        branding["logo"] = upload_to_catalogue(call.caller, logo)
    told = dict(each.split("=", 1) for each in narrative or [] if "=" in each)
    branding["narratives"] = branding.get("narratives", {}) | told
    call.one(_changed(call, name, "branding", branding), ORGANISATION)


@organisation.command(
    epilog="Example:  waymark organisation change organisations/harbour --sector public --legal-id kbo=0123"
)
@calls(MANAGER)
def change(
    call: Call,
    name: Name,
    called: Annotated[str, typer.Option(help="Name people know it by.")] = "",
    sector: OfSector = None,
    role: Annotated[list[Role] | None, typer.Option(help="All that it does; may be given again.")] = None,
    legal_id: LegalIds = None,
) -> None:
    """Change what is known of an organisation; its sector and roles are changed by staff."""
    given = {
        "displayName": called,
        "sector": enum("SECTOR", sector),
        "roles": [enum("ORGANISATION_ROLE", each) for each in role or []],
        "legalIds": _legal_ids(legal_id),
    }
    body = {field: value for field, value in given.items() if value}
    call.one(call.caller.rest("PATCH", f"/v1/{name}", body, update_mask=",".join(body)), ORGANISATION)


@organisation.command(epilog="Example:  waymark organisation move organisations/north organisations/head")
@calls(MANAGER)
def move(
    call: Call,
    name: Name,
    parent: Annotated[str, typer.Argument(help="Of whom it becomes a branch; default: of nobody.")] = "",
) -> None:
    """Give an organisation another place in the tree."""
    call.one(_changed(call, name, "parent", parent), ORGANISATION)


@organisation.command(
    epilog="Example:  waymark organisation site organisations/harbour 'Dock 3' --region BE211"
)
@calls(MANAGER)
def site(
    call: Call,
    name: Name,
    called: Annotated[str, typer.Argument(help="Name people know the place by.")],
    street: Annotated[str, typer.Option(help="Street and number.")] = "",
    postal_code: Annotated[str, typer.Option(help="Postal code.")] = "",
    town: Annotated[str, typer.Option(help="Town.")] = "",
    region: Annotated[str, typer.Option(help="NUTS code.")] = "",
) -> None:
    """Add a site where an organisation trains."""
    given = {
        "displayName": called,
        "street": street,
        "postalCode": postal_code,
        "town": town,
        "nutsCode": region,
    }
    call.one(call.post(f"{name}/sites", {"site": given}), SITE)


@organisation.command(
    "remove-site", epilog="Example:  waymark organisation remove-site organisations/harbour/sites/0198…"
)
@calls(MANAGER)
def remove_site(call: Call, name: SiteName) -> None:
    """Remove a site that was given up; not while sessions there can be booked."""
    call.delete(name)


@organisation.command(
    "restore-site", epilog="Example:  waymark organisation restore-site organisations/harbour/sites/0198…"
)
@calls(MANAGER)
def restore_site(call: Call, name: SiteName) -> None:
    """Put a removed site back as it was; `show --removed` lists them."""
    call.one(call.post(f"{name}:undelete"), SITE)


@organisation.command(epilog="Example:  waymark organisation close organisations/harbour")
@calls(MANAGER)
def close(
    call: Call,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking; for programs.")] = False,
) -> None:
    """Close an organisation: its accreditations end, its sources close, its courses go."""
    if not yes:
        typer.confirm(f"Close {name} with all its courses?", abort=True)
    call.one(call.post(f"{name}:close"), ORGANISATION)


@organisation.command(
    epilog="Example:  waymark organisation reopen organisations/harbour 'closed by mistake'"
)
@calls(MANAGER)
def reopen(call: Call, name: Name, reason: Why) -> None:
    """Open an organisation again within 30 days of its closing, with what ended by it."""
    call.one(call.post(f"{name}:reopen", {"reason": reason}), ORGANISATION)


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
    ] = GRACE,
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
    parent: Annotated[
        str, typer.Option("--branch-of", help="Only branches of this organisations/{id}.")
    ] = "",
    all_levels: Annotated[bool, typer.Option(help="With --branch-of: theirs as well.")] = False,
    sector: OfSector = None,
    role: Annotated[Role | None, typer.Option(help="Only those that do this.")] = None,
    review_before: Annotated[
        str, typer.Option(help="Only those with an accreditation to review before this day, 2027-12-31.")
    ] = "",
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    limit: Limit = 50,
) -> None:
    """List organisations by name."""
    wanted: dict[str, Any] = {
        "accredited_only": str(accredited).lower(),
        "parent": parent,
        "all_levels": str(all_levels).lower(),
        "sector": enum("SECTOR", sector),
        "role": enum("ORGANISATION_ROLE", role),
        "include_closed": str(closed).lower(),
        **day_query("review_due_before", review_before),
    }
    found = listed(call.caller, "organisations", limit, **wanted)
    call.rows([{"accredited": False, **each} for each in found], ORGANISATION, empty="none yet")


@organisation.command(epilog="Example:  waymark organisation show organisations/harbour")
@calls()
def show(
    call: Call,
    name: Name,
    removed: Annotated[bool, typer.Option("--removed", help="Removed sites too.")] = False,
) -> None:
    """Show an organisation with its accreditations and sites."""
    found = {"accredited": False, **call.get(name)}
    sites = call.get(f"{name}/sites", show_deleted=str(removed).lower()).get("sites", [])
    if call.as_json:
        output.as_json({"organisation": found, "sites": sites})
        return
    output.details(found, ORGANISATION)
    output.table(found.get("accreditations", []), ACCREDITATION, empty="no accreditation in force or to come")
    output.table(sites, SITE, empty="no site")


@organisation.command(epilog="Example:  waymark organisation logo organisations/harbour --out logo.png")
@calls()
def logo(call: Call, name: Name, out: Annotated[Path, typer.Option(help="Where to write it.")]) -> None:
    """Fetch the logo that an organisation is shown with."""
    held = call.get(name).get("branding", {}).get("logo")
    if not held:
        raise Failure(
            ExitCode.NOT_FOUND,
            f"{name} has no logo.",
            remedy="Give it one with `waymark organisation brand`.",
        )
    call.file(out, call.caller.download(call.get(held)["downloadUrl"]))


@organisation.command(epilog="Example:  waymark organisation usage organisations/harbour --from 2026-11-01")
@calls(MANAGER)
def usage(
    call: Call,
    name: Name,
    first: Annotated[str, typer.Option("--from", help="First day, 2026-11-01; default: 30 days ago.")] = "",
    until: Annotated[str, typer.Option(help="Last day; default: today.")] = "",
    limit: Limit = 50,
) -> None:
    """Say how often courses were looked at and booked; who did is not kept."""
    period: dict[str, Any] = day_query("start_date", first) | day_query("end_date", until)
    call.many(f"{name}/courseUsage", USAGE, limit, empty="nothing yet", **period)


def _legal_ids(given: list[str] | None) -> dict[str, str]:
    """Numbers by their registers; raises Failure."""
    wrong = [each for each in given or [] if "=" not in each]
    if wrong:
        raise Failure(ExitCode.USAGE, f"{wrong[0]!r} is no REGISTER=NUMBER.", remedy="Write kbo=0123.")
    return dict(each.split("=", 1) for each in given or [])


def _changed(call: Call, name: str, field: str, value: Any) -> dict[str, Any]:
    """Sets one field of an organisation, or empties it; returns the organisation."""
    return call.caller.rest("PATCH", f"/v1/{name}", {field: value}, update_mask=field)
