"""`waymark monitoring`: rules that look at what was accepted before it is paid."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_money
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

monitoring = typer.Typer(help="Rules on accepted redemptions: drafted by one person, activated by another.")
RULE = {
    "rule": "name",
    "state": "state",
    "programme": "programme",
    "holds": "holdOn",
    "off": "off",
    "amount above": "amount.above",
    "percent of median above": "amount.aboveMedianPercent",
    "sooner than hours": "speed.soonerThanHours",
    "more than a day": "speed.moreThanPerDay",
    "NUTS level differs": "distance.nutsLevel",
    "new for days": "newProvider.withinDays",
    "takes above": "newProvider.above",
    "more than": "newProvider.moreThan",
    "providers with": "links",
    "complaints": "complaint.count",
    "within days": "complaint.withinDays",
    "sample percent": "sample.percent",
    "SHA-256 of its seed": "sample.seedSha256",
    "in force since": "activateTime",
}
LINKS = {"sharedAccount": "one bank account", "sharedAddress": "one address"}  # conditions without a number
NO_LIMIT_AT_ZERO = (
    "amount",
    "speed",
    "newProvider",
)  # conditions of several limits, one of them at least given
Name = Annotated[str, typer.Argument(metavar="RULE", help="monitoringRules/{id}/versions/{n}")]
Option = typer.Option


class HoldOn(StrEnum):
    """What an alert of the rule stops."""

    NOTHING = "nothing"
    REDEMPTION = "redemption"
    COURSE = "course"
    PROVIDER = "provider"


def _shown(call: Call, answer: dict[str, Any]) -> None:
    call.one(answer if call.as_json else for_people(answer), RULE)


def for_people(rule: dict[str, Any]) -> dict[str, Any]:
    """Returns a rule with its condition as `RULE` names it: no limits that are none, shares in percent."""
    shown = {**rule, "links": [words for field, words in LINKS.items() if field in rule]}
    for kind in NO_LIMIT_AT_ZERO:
        shown[kind] = {limit: value for limit, value in rule.get(kind, {}).items() if value}
    if "sample" in rule:
        shown["sample"] = {**rule["sample"], "percent": f"{rule['sample']['shareBasisPoints'] / 100:g}"}
    return shown


def register(app: typer.Typer) -> None:
    """Adds `monitoring` to the command line `app`."""
    app.add_typer(monitoring, name="monitoring", no_args_is_help=True)


@monitoring.command(
    epilog="Example:  waymark monitoring draft high-amounts --above 2000.00 --hold redemption"
)
@calls("finance:maker")
def draft(
    call: Call,
    rule: Annotated[str, typer.Argument(help="Id of the rule; a new one makes a new rule.")],
    hold: Annotated[HoldOn, Option(help="What its alerts stop.")] = HoldOn.REDEMPTION,
    programme: Annotated[str, Option(help="Only redemptions of this programmes/{id}.")] = "",
    above: Annotated[
        str, Option(help="Hits more than this amount; with --new-for in all that a new provider takes.")
    ] = "",
    above_median: Annotated[int, Option(help="Hits more than so many percent of the course's median.")] = 0,
    sooner_than: Annotated[int, Option(help="Hits delivery within so many hours of the start.")] = 0,
    per_day: Annotated[int, Option(help="Hits more deliveries of a provider on a day.")] = 0,
    other_region: Annotated[
        int, Option(help="Hits when home and session differ at this NUTS level, 0 to 3.")
    ] = -1,
    shared_account: Annotated[bool, Option(help="Hits providers with one bank account.")] = False,
    shared_address: Annotated[bool, Option(help="Hits providers that train at one address.")] = False,
    new_for: Annotated[
        int, Option(help="Caps a provider so many days from its first acceptance: --above, --more-than.")
    ] = 0,
    more_than: Annotated[int, Option(help="Hits more redemptions than this; with --new-for.")] = 0,
    complaints: Annotated[int, Option(help="Hits from so many complaints on.")] = 0,
    within_days: Annotated[int, Option(help="Within so many days; with --complaints.")] = 90,
    sample: Annotated[float, Option(min=0, max=100, help="Hits so many percent, drawn by lot.")] = 0,
    off: Annotated[bool, Option(help="This version switches the rule off.")] = False,
) -> None:
    """Draft a rule, or the next version of one. Exactly one kind of condition is given."""
    amount: dict[str, Any] = {"above": json_money(above)} if above else {}
    new = {"withinDays": new_for, "moreThan": more_than, **amount} if new_for else {}
    if above_median:
        amount["aboveMedianPercent"] = above_median
    kinds: dict[str, Any] = {
        "amount": {} if new and not above_median else amount,
        "newProvider": new,
        "speed": {"soonerThanHours": sooner_than, "moreThanPerDay": per_day} if sooner_than or per_day else 0,
        "distance": {"nutsLevel": other_region} if other_region >= 0 else 0,
        "sample": {"shareBasisPoints": round(sample * 100)} if sample else 0,
        "complaint": {"count": complaints, "withinDays": within_days} if complaints else 0,
    }
    found = {kind: condition for kind, condition in kinds.items() if condition}
    found |= {"sharedAccount": {}} if shared_account else {}
    found |= {"sharedAddress": {}} if shared_address else {}
    if len(found) != 1:
        raise Failure(
            ExitCode.USAGE,
            f"A rule has one kind of condition; {len(found)} were given.",
            remedy="Give one, such as --above, --sooner-than, --other-region, --complaints or --sample.",
        )
    body = {"programme": programme, "holdOn": enum("HOLD_ON", hold), "off": off, **found}
    _shown(call, call.post("monitoringRules", {"monitoringRuleId": rule, "monitoringRule": body}))


@monitoring.command(epilog="Example:  waymark monitoring activate monitoringRules/high-amounts/versions/1")
@calls("finance:checker")
def activate(call: Call, name: Name) -> None:
    """Put a draft into force; by another person than the one who drafted it."""
    _shown(call, call.post(f"{name}:activate"))


@monitoring.command(epilog="Example:  waymark monitoring show monitoringRules/high-amounts/versions/1")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show a version of a rule."""
    _shown(call, call.get(name))


@monitoring.command("list", epilog="Example:  waymark monitoring list --superseded")
@calls("auditor")
def list_(
    call: Call,
    superseded: Annotated[bool, Option(help="Versions that others replaced, too.")] = False,
    limit: Limit = 50,
) -> None:
    """List rules, the newest version first."""
    columns = {key: RULE[key] for key in ("rule", "state", "programme", "holds", "in force since")}
    query = {"show_superseded": str(superseded).lower()}
    call.many("monitoringRules", columns, limit, empty="no rule looks at anything", **query)


@monitoring.command(epilog="Example:  waymark monitoring seed monitoringRules/lot/versions/1")
@calls("auditor")
def seed(call: Call, name: Name) -> None:
    """Show the seed of a sample, to draw it again and compare."""
    call.one(call.get(f"{name}:samplingSeed"), {"seed": "seed", "SHA-256": "seedSha256"})
