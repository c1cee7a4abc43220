"""A platform that brings courses of others, and the body that awards: by memorandum of understanding."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.c11_sectors import listed_names
from services.cli.demo.catalogue_rows.ground import OWNER, activate, draft
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: platform, the partners below it, and an awarding body; a memorandum of three."""
    manager = journey.person(catalogue.ROLE, OWNER)

    def onboard(short: str, role: str, parent: str = "") -> str:
        organisation = {
            "displayName": f"{short} {journey.run}",
            "sector": "SECTOR_PRIVATE",
            "roles": [f"ORGANISATION_ROLE_{role}", "ORGANISATION_ROLE_PARTNER"],
            "parent": parent,
        }
        body = {"organisation": organisation, "organisationId": f"{short}-{journey.run}"}
        return str(manager.rest("POST", "/v1/organisations", body | {"requestId": request_id()})["name"])

    platform, awarding = onboard("platform", "PLATFORM"), onboard("awards", "AWARDING_BODY")
    below = [onboard(f"university-{number}", "PROVIDER", platform) for number in (1, 2)]
    found = listed_names(journey, parent=platform, role="ORGANISATION_ROLE_PROVIDER")
    expect(found == below, f"below the platform are {found}")
    drafted = draft(
        journey,
        "Courses of others",
        platform,
        awarding,
        form="AGREEMENT_FORM_MEMORANDUM_OF_UNDERSTANDING",
        standards=["ISO 29993"],
    )
    running = activate(journey, drafted["name"])
    expect(running["state"] == "STATE_ACTIVE", f"the memorandum is {running['state']}")
    mine = journey.person("provider", "Ann", platform).rest("GET", f"/v1/{running['name']}")
    expect(len(mine["parties"]) == 3, "the memorandum is not tripartite")
    return f"a memorandum of {len(mine['parties'])}, open-ended; {len(below)} providers below the platform"


STEP = Step("partner-of-partners", "A platform and an awarding body by memorandum", ("C10",), show)
