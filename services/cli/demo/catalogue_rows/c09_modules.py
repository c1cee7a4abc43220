"""A partner's modules with their levels, and how often its courses are looked at and booked."""

from __future__ import annotations

from typing import Any

from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.offers import modular, until_found
from services.cli.demo.journey import Journey, Step, expect

VIEWS = 5


def show(journey: Journey) -> str:
    """REST: modules of EQF levels and of the partner's own, found by their titles; views are counted."""
    anyone, partner = journey.client.anonymous(), modular(journey)
    found = until_found(
        journey, "the course is found by its modules", query="TIG seams", organisations=[partner]
    )
    course = anyone.rest("GET", f"/v1/{found[0]['course']}")
    levels = [each.get("level") or f"EQF {each['eqfLevel']}" for each in course["modules"]]
    expect(levels == ["EQF 2", "EQF 3", "beginner", "advanced"], f"the levels are {levels}")
    for _ in range(VIEWS - 1):
        anyone.rest("GET", f"/v1/{course['name']}")
    staff = journey.person("provider", "Sanne", partner)

    def counted() -> dict[str, Any] | None:
        usage = staff.rest("GET", f"/v1/{partner}/courseUsage")
        return usage if int(usage["totalViews"]) >= VIEWS else None

    usage = journey.wait_for("views are counted", counted)
    expect(set(usage["courseUsage"][0]) == {"course", "views", "bookings"}, "usage says more than how often")
    booked = journey.person(catalogue.ROLE, "Mila").rest("GET", f"/v1/{journey.facts.partner}/courseUsage")
    return (
        f"{len(levels)} modules: {', '.join(levels)}; {usage['totalViews']} views here,"
        f" {booked['totalBookings']} bookings of {journey.facts.partner}"
    )


STEP = Step("modules", "Modules with a level, and how often they are looked at", ("C9",), show)
