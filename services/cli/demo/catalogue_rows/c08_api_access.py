"""455 partners ask for access by machines; some types are refused; one has a key for each of 76 offices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from services.cli.amounts import json_money
from services.cli.client import Caller, request_id
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.partners import OFFICES, PARTNERS, offices, partners
from services.cli.legal_day import legal_day
from services.cli.output import money, text

AT_ONCE = 4  # callers, so that the row takes seconds
DAILY = 80
SEARCH = "/v1/courses:search"
RULES: list[dict[str, Any]] = [
    {
        "role": "ORGANISATION_ROLE_PLATFORM",
        "effect": "EFFECT_REFUSE",
        "reasons": {"en": "Platforms would sell the data on."},
    },
    {
        "sector": "SECTOR_THIRD",
        "effect": "EFFECT_REFUSE",
        "reasons": {"en": "CVs go to employers and public services only."},
    },
    {"effect": "EFFECT_ALLOW"},
]


def show(journey: Journey) -> str:
    """REST: a plan at 6 000 euro a year; grants and refusals by type; a key an office; a quota that holds."""
    manager = journey.person(catalogue.ROLE, "Mila")
    plan = _product(manager, f"cv-service-{journey.run}")
    made = list(_create(journey, manager, partners(journey.run)))
    expect(len(made) == PARTNERS, f"{len(made)} partners were made")
    asked = _each(made, lambda name: _ask(manager, name, plan))
    states = Counter(each["state"] for each in asked)
    why = sorted({text(each["refusalReasons"]) for each in asked if each.get("refusalReasons")})
    expect(len(why) == 2, f"refused for {why}")
    head, grant = made[0], asked[0]["name"]
    calls = _let_offices_call(
        journey, head, grant, list(_create(journey, manager, offices(journey.run, head)))
    )
    month = f"{legal_day():%Y-%m}"
    statement = journey.wait_for(
        "the calls are counted",
        lambda: _counted(manager.rest("GET", f"/v1/{grant}/statement", month=month), calls),
    )
    expect(statement["refusedCalls"] == "1", f"{statement['refusedCalls']} calls count as refused")
    return (
        f"{states['STATE_GRANTED']} of {PARTNERS} granted, {states['STATE_REFUSED']} refused for"
        f" {len(why)} reasons; {calls} calls by {OFFICES} offices, one more refused;"
        f" {money(statement['due'])} due"
    )


def _product(manager: Caller, identifier: str) -> str:
    product = {
        "displayNames": {"en": "CV service"},
        "methods": ["catalogue.v1.SearchService"],
        "eligibility": RULES,
    }
    body = {"apiProduct": product, "apiProductId": identifier, "requestId": request_id()}
    name = manager.rest("POST", "/v1/apiProducts", body)["name"]
    plan = {
        "displayNames": {"en": "A year"},
        "price": json_money("6000"),
        "period": "PERIOD_YEAR",
        "perDay": str(DAILY),
    }
    body = {"plan": plan, "planId": "year", "requestId": request_id()}
    return str(manager.rest("POST", f"/v1/{name}/plans", body)["name"])


def _create(journey: Journey, manager: Caller, given: Iterable[tuple[str, dict[str, Any]]]) -> Iterable[str]:
    def create(one: tuple[str, dict[str, Any]]) -> str:
        body = {"organisation": one[1], "organisationId": one[0], "requestId": request_id()}
        return str(manager.rest("POST", "/v1/organisations", body)["name"])

    journey.tell("partners join")
    return _each(given, create)


def _ask(manager: Caller, organisation: str, plan: str) -> dict[str, Any]:
    body = {"organisation": organisation, "plan": plan}
    return manager.rest("POST", "/v1/apiGrants", body, request_id=request_id())


def _let_offices_call(journey: Journey, head: str, grant: str, branches: list[str]) -> int:
    """Gives each office a key and lets it call; the quota is one for all. Returns the calls that passed."""
    staff = journey.person("provider", "Sanne", head)

    def make(office: str) -> str:
        body = {"key": {"organisation": office, "label": office}, "requestId": request_id()}
        return str(staff.rest("POST", f"/v1/{grant}/keys", body)["secret"])

    keys = _each(branches, make)
    for number in range(DAILY):
        journey.client.anonymous(keys[number % len(keys)]).rest("GET", SEARCH, page_size=1)
    with refused("API_QUOTA_EXCEEDED") as seen:
        journey.client.anonymous(keys[0]).rest("GET", SEARCH)
    quota = {each.field: each.description for each in seen.failure.violations}["quota"]
    expect(quota == "per_day" and seen.failure.retry_after > 0, f"refused for {quota} without a hint")
    with refused("API_KEY_NOT_FOR_CALL"):
        journey.client.anonymous(keys[0]).rest("GET", "/v1/courses")
    return DAILY


def _counted(statement: dict[str, Any], calls: int) -> dict[str, Any] | None:
    lines = [each for each in statement.get("lines", []) if int(each["calls"])]
    whole = int(statement["calls"]) == calls and len(lines) == OFFICES and int(statement["refusedCalls"])
    return statement if whole else None


def _each(given: Iterable[Any], work: Any) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, given))


STEP = Step("api-access", "Access for partners' machines: products, plans, keys, quotas", ("C8",), show)
