"""`waymark api`: products that partners' machines call, plans, grants, keys, and what was called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.amounts import json_money
from services.cli.call import Call, calls, enum, with_etag
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit
from services.cli.organisation import Role, Sector

api = typer.Typer(help="What partners' machines may call, at which price and how often.")
product = typer.Typer(help="Products: RPCs that a key is good for, and who may have one.")
plan = typer.Typer(help="Plans: price and quotas of a product.")
grant = typer.Typer(help="Grants: who got a plan, or why not.")
key = typer.Typer(help="Keys of a grant, for the header x-api-key.")
MANAGER = "catalogue_manager:maker"
PARTNER = "provider:partner"
PRODUCT = {"product": "name", "called": "displayNames", "calls": "methods", "etag": "etag"}
RULE = {"effect": "effect", "sector": "sector", "role": "role", "reason": "reasons"}
PLAN = {
    "plan": "name",
    "called": "displayNames",
    "price": "price",
    "for a": "period",
    "a minute": "perMinute",
    "a day": "perDay",
    "a month": "perMonth",
    "closed": "closed",
}
GRANT = {
    "grant": "name",
    "partner": "organisation",
    "plan": "plan",
    "state": "state",
    "refused for": "refusalReasons",
    "ended for": "endReason",
    "since": "createTime",
}
KEY = {
    "key": "name",
    "label": "label",
    "counts for": "organisation",
    "begins with": "prefix",
    "secret": "secret",
    "until": "expireTime",
    "revoked": "revokeTime",
}
LISTED_KEYS = {name: path for name, path in KEY.items() if name != "secret"}
STATEMENT = {
    "grant": "apiGrant",
    "month": "month",
    "plan": "plan",
    "calls": "calls",
    "refused": "refusedCalls",
    "due": "due",
}
LINE = {
    "counts for": "organisation",
    "label": "label",
    "calls": "calls",
    "refused": "refusedCalls",
    "key": "key",
}
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="apiProducts/{id}")]
Plan = Annotated[str, typer.Argument(metavar="PLAN", help="apiProducts/{product}/plans/{id}")]
Grant = Annotated[str, typer.Argument(metavar="GRANT", help="apiGrants/{id}")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="apiGrants/{grant}/keys/{id}")]
Etag = Annotated[str, typer.Option(help="Only if it is still at this version.")]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        help="allow or refuse, :SECTOR, :ROLE, =REASON of a refusal, such as"
        " 'refuse:private:platform=Platforms sell data on.'; the first that fits decides; give it again.",
    ),
]


class Period(StrEnum):
    """What a price is for."""

    MONTH = "month"
    YEAR = "year"


class State(StrEnum):
    """Where a grant stands."""

    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


def register(app: typer.Typer) -> None:
    """Adds `api` to the command line `app`."""
    for name, noun in {"product": product, "plan": plan, "grant": grant, "key": key}.items():
        api.add_typer(noun, name=name, no_args_is_help=True)
    app.add_typer(api, name="api", no_args_is_help=True)


@product.command(
    "create",
    epilog="Example:  waymark api product create courses 'Course search' catalogue.v1.SearchService"
    " --rule 'refuse::platform=Platforms sell data on.' --rule allow",
)
@calls(MANAGER)
def create_product(
    call: Call,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id to use.")],
    called: Annotated[str, typer.Argument(metavar="NAME", help="Name people read.")],
    methods: Annotated[list[str], typer.Argument(help="Services or RPCs, catalogue.v1.SearchService.")],
    rule: Rules = None,
) -> None:
    """Create a product."""
    given = {"displayNames": {"en": called}, "methods": methods, "eligibility": _rules(rule)}
    _show(call, call.post("apiProducts", {"apiProduct": given, "apiProductId": identifier}))


@product.command("list", epilog="Example:  waymark api product list")
@calls()
def list_products(call: Call, limit: Limit = 50) -> None:
    """List products."""
    call.many("apiProducts", PRODUCT, limit, empty="nothing is sold")


@product.command("show", epilog="Example:  waymark api product show apiProducts/courses")
@calls()
def show_product(call: Call, name: Product) -> None:
    """Show a product and who may have it."""
    _show(call, call.get(name))


@product.command(
    "eligibility", epilog="Example:  waymark api product eligibility apiProducts/courses --rule allow"
)
@calls(MANAGER)
def eligibility(call: Call, name: Product, rule: Rules = None, etag: Etag = "") -> None:
    """Set anew who may have a product."""
    _show(call, call.post(f"{name}:setEligibility", with_etag({"eligibility": _rules(rule)}, etag)))


@plan.command(
    "create",
    epilog="Example:  waymark api plan create apiProducts/courses cv-service 'CV service' 6000 year",
)
@calls(MANAGER)
def create_plan(
    call: Call,
    name: Product,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id to use.")],
    called: Annotated[str, typer.Argument(metavar="NAME", help="Name people read.")],
    price: Annotated[str, typer.Argument(help="Price of a period, such as 6000 or '49.90 EUR'; 0: free.")],
    period: Annotated[Period, typer.Argument(help="What the price is for.")],
    minute: Annotated[int, typer.Option(min=0, help="Most calls in a minute; 0: no such limit.")] = 0,
    day: Annotated[int, typer.Option(min=0, help="Most calls in a day; 0: no such limit.")] = 0,
    month: Annotated[int, typer.Option(min=0, help="Most calls in a month; 0: no such limit.")] = 0,
) -> None:
    """Add a plan; it never changes."""
    given = {
        "displayNames": {"en": called},
        "price": json_money(price),
        "period": enum("PERIOD", period),
        "perMinute": str(minute),
        "perDay": str(day),
        "perMonth": str(month),
    }
    call.one(call.post(f"{name}/plans", {"plan": given, "planId": identifier}), PLAN)


@plan.command("list", epilog="Example:  waymark api plan list apiProducts/courses")
@calls()
def list_plans(call: Call, name: Product, limit: Limit = 50) -> None:
    """List the plans of a product."""
    call.many(f"{name}/plans", PLAN, limit, empty="no plan yet")


@plan.command("close", epilog="Example:  waymark api plan close apiProducts/courses/plans/cv-service")
@calls(MANAGER)
def close_plan(call: Call, name: Plan) -> None:
    """Close a plan to who does not have it yet."""
    call.one(call.post(f"{name}:close"), PLAN)


@plan.command("reopen", epilog="Example:  waymark api plan reopen apiProducts/courses/plans/cv-service")
@calls(MANAGER)
def reopen_plan(call: Call, name: Plan) -> None:
    """Open a closed plan again."""
    call.one(call.post(f"{name}:reopen"), PLAN)


@grant.command(
    "request",
    epilog="Example:  waymark api grant request organisations/harbour apiProducts/courses/plans/open"
    " --as provider:sanne --org organisations/harbour",
)
@calls(MANAGER)
def request(
    call: Call,
    organisation: Annotated[str, typer.Argument(metavar="ORGANISATION", help="organisations/{id}")],
    name: Plan,
) -> None:
    """Ask for a plan; the rules of the product decide at once."""
    call.one(call.post("apiGrants", {"organisation": organisation, "plan": name}), GRANT)


@grant.command("list", epilog="Example:  waymark api grant list --state refused")
@calls(MANAGER)
def list_grants(
    call: Call,
    organisation: Annotated[str, typer.Option("--of", help="Only of organisations/{id}.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
) -> None:
    """List grants and refusals, newest first."""
    wanted = {"organisation": organisation, "state": enum("STATE", state)}
    call.many("apiGrants", GRANT, limit, empty="nobody has asked", **wanted)


@grant.command("show", epilog="Example:  waymark api grant show apiGrants/0198…")
@calls(MANAGER)
def show_grant(call: Call, name: Grant) -> None:
    """Show a grant."""
    call.one(call.get(name), GRANT)


@grant.command("end", epilog="Example:  waymark api grant end apiGrants/0198… 'The agreement is over.'")
@calls(MANAGER)
def end(
    call: Call,
    name: Grant,
    reason: Annotated[str, typer.Argument(help="Why; the partner reads it.")],
    etag: Etag = "",
) -> None:
    """End a grant: its keys are good for nothing any more."""
    call.one(call.post(f"{name}:end", with_etag({"reason": reason}, etag)), GRANT)


@key.command(
    "create",
    epilog="Example:  waymark api key create apiGrants/0198… --label website --org organisations/harbour",
)
@calls(PARTNER)
def create_key(
    call: Call,
    name: Grant,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    office: Annotated[str, typer.Option("--for", help="organisations/{id} of a branch it counts for.")] = "",
) -> None:
    """Make a key; its secret is shown now and never again."""
    call.one(call.post(f"{name}/keys", {"key": {"label": label, "organisation": office}}), KEY)


@key.command("list", epilog="Example:  waymark api key list apiGrants/0198…")
@calls(MANAGER)
def list_keys(call: Call, name: Grant, limit: Limit = 100) -> None:
    """List the keys of a grant, oldest first."""
    call.many(f"{name}/keys", LISTED_KEYS, limit, empty="no key yet")


@key.command(
    "rotate",
    epilog="Example:  waymark api key rotate apiGrants/0198…/keys/0198… --hours 48 --org organisations/a",
)
@calls(PARTNER)
def rotate(
    call: Call,
    name: Key,
    hours: Annotated[int, typer.Option(min=0, max=720, help="How long the former stays good.")] = 24,
) -> None:
    """Make a key in place of another, which stays good for a while."""
    call.one(call.post(f"{name}:rotate", {"overlap": f"{hours * 3600}s"}), KEY)


@key.command("revoke", epilog="Example:  waymark api key revoke apiGrants/0198…/keys/0198…")
@calls(MANAGER)
def revoke(call: Call, name: Key) -> None:
    """Make a key good for nothing."""
    call.one(call.post(f"{name}:revoke"), LISTED_KEYS)


@api.command(epilog="Example:  waymark api usage apiGrants/0198… 2026-11 --out november.csv")
@calls(MANAGER)
def usage(
    call: Call,
    name: Grant,
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Month, 2026-11.")],
    out: Annotated[Path | None, typer.Option(help="Write each key's calls by day here as CSV.")] = None,
) -> None:
    """Say what a month came to: calls by key and office, and what is due."""
    if out is not None:
        call.save(f"{name}/statement:csv", out, month=month)
        return
    statement = call.get(f"{name}/statement", month=month)
    call.one(statement, STATEMENT)
    call.part(statement.get("lines", []), LINE, empty="nothing was called")


def _show(call: Call, found: dict[str, Any]) -> None:
    call.one(found, PRODUCT)
    call.part(found.get("eligibility", []), RULE, empty="nobody may have it")


def _rules(given: list[str] | None) -> list[dict[str, Any]]:
    return [_rule(each) for each in given or []]


def _rule(given: str) -> dict[str, Any]:
    kind, _, reason = given.partition("=")
    effect, sector, role = [*kind.split(":"), "", ""][:3]
    try:
        rule: dict[str, Any] = {
            "effect": {"allow": "EFFECT_ALLOW", "refuse": "EFFECT_REFUSE"}[effect],
            "sector": enum("SECTOR", Sector(sector) if sector else None) or "SECTOR_UNSPECIFIED",
            "role": enum("ORGANISATION_ROLE", Role(role) if role else None)
            or "ORGANISATION_ROLE_UNSPECIFIED",
        }
    except (KeyError, ValueError) as error:
        raise Failure(
            ExitCode.USAGE,
            f"{given!r} is no rule.",
            remedy="Write allow or 'refuse:private:platform=Reason'.",
        ) from error
    return rule | ({"reasons": {"en": reason}} if reason else {})
