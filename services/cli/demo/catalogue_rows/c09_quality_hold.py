"""A course held back until its quality is verified: nobody finds it, its partner appeals, and a second person
lets it go."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows.offers import modular
from services.cli.demo.journey import Journey, Step, expect, refused


def show(journey: Journey) -> str:
    """REST: a hold hides a course from search at once, its partner sees why and appeals; a second person
    hears that and lifts it."""
    placing, second = (journey.person(catalogue.ROLE, name) for name in ("Mila", "Joris"))
    anyone, partner = journey.client.anonymous(), modular(journey)

    def found() -> list[str]:
        hits = anyone.rest("GET", "/v1/courses:search", query="TIG seams", organisations=[partner])
        return [str(hit["course"]) for hit in hits.get("hits", [])]

    course = found()[0]
    hold = placing.rest(
        "POST",
        "/v1/qualityHolds",
        {"subject": course, "reason": "REASON_INSPECTION"},
        request_id=request_id(),
    )
    journey.wait_for("search passes it by", lambda: course not in found())
    expect(anyone.rest("GET", f"/v1/{course}").get("onHold", False), "its page does not say so")
    provider = journey.person("provider", "Sanne", partner)
    seen = provider.rest("GET", "/v1/qualityHolds")["qualityHolds"]
    expect([each["name"] for each in seen] == [hold["name"]], f"the partner sees {seen}")
    words = {"subject": hold["name"], "reason": "the inspector saw another site"}
    appeal = provider.rest("POST", "/v1/appeals", words, request_id=request_id())["name"]
    finding = {"finding": "it was this one", "requestId": request_id()}
    with refused("SAME_PERSON"):
        placing.rest("POST", f"/v1/{appeal}:decide", finding)
    heard = second.rest("POST", f"/v1/{appeal}:decide", finding | {"requestId": request_id()})
    expect(heard["state"] == "STATE_DISMISSED", f"the appeal is {heard['state']}")
    lifted = {"outcome": "OUTCOME_MENDED", "requestId": request_id()}
    with refused("SAME_PERSON"):
        placing.rest("POST", f"/v1/{hold['name']}:lift", lifted)
    second.rest("POST", f"/v1/{hold['name']}:lift", lifted | {"requestId": request_id()})
    journey.wait_for("search finds it again", lambda: course in found())
    return (
        f"{course} was hidden for an inspection, which an appeal did not change, and is found again since a "
        "second person said it is mended"
    )


STEP = Step("quality-hold", "A course is held back until its quality is verified", ("C9", "C21"), show)
