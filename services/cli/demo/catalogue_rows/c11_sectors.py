"""Services of the public, the private and the third sector, side by side."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.offers import modular, until_found
from services.cli.demo.journey import Journey, Step, expect

SECTORS = ("SECTOR_PUBLIC", "SECTOR_PRIVATE", "SECTOR_THIRD")


def show(journey: Journey) -> str:
    """REST: one organisation of each sector; a list of each sector has its own and not the others."""
    manager, anyone = journey.person(catalogue.ROLE, "Mila"), journey.client.anonymous()
    made = {}
    for sector in SECTORS:
        short = sector.removeprefix("SECTOR_").lower()
        organisation = {
            "displayName": f"Guidance of the {short} sector {journey.run}",
            "sector": sector,
            "roles": ["ORGANISATION_ROLE_PROVIDER"],
        }
        body = {"organisation": organisation, "organisationId": f"sector-{short}-{journey.run}"}
        made[sector] = manager.rest("POST", "/v1/organisations", body | {"requestId": request_id()})["name"]
    told = []
    for sector in SECTORS:
        listed = listed_names(journey, sector=sector)
        expect(made[sector] in listed, f"{made[sector]} is missing from {sector}")
        others = {name for other, name in made.items() if other != sector}
        expect(not others & set(listed), f"{sector} lists {others & set(listed)}")
        told.append(f"{len(listed)} {sector.removeprefix('SECTOR_').lower()}")
    partner = modular(journey)
    mine = {journey.facts.partner, journey.facts.other}  # of the private sector
    services: dict[str, Any] = {
        "kinds": ["guidance", "workshop"],
        "facets": ["FACET_KIND", "FACET_SECTOR"],
        "include_not_bookable": "true",
    }
    of_third = until_found(
        journey, "services of the third sector are found", sectors=["SECTOR_THIRD"], **services
    )
    found = {hit["organisation"] for hit in of_third}
    expect(partner in found and not found & mine, f"services of the third sector are those of {found}")
    everywhere = anyone.rest("GET", "/v1/courses:search", **services)
    kinds, sectors = (
        {each["value"]: each["count"] for each in facet.get("values", [])} for facet in everywhere["facets"]
    )
    expect("THIRD" in sectors, f"services are counted by sector as {sectors}")
    return f"organisations: {', '.join(told)}; services beside courses: {kinds}, by sector: {sectors}"


def listed_names(journey: Journey, **wanted: Any) -> list[str]:
    """Names of all organisations that a list holds, page by page."""
    anyone, found, token = journey.client.anonymous(), list[str](), ""
    while True:
        page = anyone.rest("GET", "/v1/organisations", page_size=200, page_token=token, **wanted)
        found += [each["name"] for each in page.get("organisations", [])]
        token = page.get("nextPageToken", "")
        if not token:
            return found


STEP = Step("sectors", "Offers of public, private and third sector beside each other", ("C11",), show)
