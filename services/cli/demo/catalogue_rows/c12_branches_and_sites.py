"""A provider with many centres and sites; an office as the branch of a branch."""

from __future__ import annotations

from time import perf_counter

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.c11_sectors import listed_names
from services.cli.demo.data import PLACE
from services.cli.demo.journey import Journey, Step, expect, refused

CENTRES, SITES = 24, 49


def show(journey: Journey) -> str:
    """REST: 24 centres with 49 sites below one provider; nobody can be put below its own branch."""
    manager, anyone = journey.person(catalogue.ROLE, "Mila"), journey.client.anonymous()
    head = catalogue.onboard(journey, manager, "skills", "Skills Centres")
    for number in range(CENTRES):
        body = {
            "organisation": {"displayName": f"Centre {number:02d} {journey.run}", "parent": head},
            "organisationId": f"centre-{number:02d}-{journey.run}",
            "requestId": request_id(),
        }
        centre = manager.rest("POST", "/v1/organisations", body)["name"]
        for place in range(number, SITES, CENTRES):
            site = {"displayName": f"Site {place:02d}", "town": "Antwerpen", "nutsCode": PLACE}
            manager.rest("POST", f"/v1/{centre}/sites", {"site": site, "requestId": request_id()})
        journey.tell(f"centre {number + 1} of {CENTRES}")
    began = perf_counter()
    centres = listed_names(journey, parent=head, all_levels="true")
    milliseconds = (perf_counter() - began) * 1000
    expect(len(centres) == CENTRES, f"{len(centres)} branches are listed")
    sites = sum(len(anyone.rest("GET", f"/v1/{name}/sites")["sites"]) for name in centres)
    expect(sites == SITES, f"{sites} sites are listed")
    with refused("ORGANISATION_LOOP"):
        below = {"parent": centres[-1]}
        manager.rest("PATCH", f"/v1/{head}", below, update_mask="parent", request_id=request_id())
    return f"{len(centres)} centres listed in {milliseconds:.0f} ms, {sites} sites; a loop was refused"


STEP = Step("branches-and-sites", "A provider with many centres and sites", ("C12",), show)
