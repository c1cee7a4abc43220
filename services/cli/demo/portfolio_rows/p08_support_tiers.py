"""Three tiers of support: the counsellor moves the case with a reason, and asking for a human is open."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Amir"
SELF_HELP = {"tier": "SUPPORT_TIER_SELF_HELP", "reason": "Finds the way alone"}


def show(journey: Journey) -> str:
    """REST: out of self-help by the person's own word, to individual guidance by the counsellor's, and back
    once a human was met."""
    people = guidance.gather(journey, LEARNER, purpose="GUIDANCE")
    case = f"{people.holder}/guidanceCase"
    asked = guidance.post(people.learner, f"{case}:askForHuman", {"channel": "CONTACT_CHANNEL_PHONE"})
    expect(asked["tier"] == "SUPPORT_TIER_STAFF_ASSISTED", f"who asked is in {asked['tier']}")
    with refused("HUMAN_ASKED"):
        guidance.post(people.counsellor, f"{case}:moveTier", SELF_HELP)
    first = people.counsellor.rest("GET", "/v1/caseload")["caseload"]
    expect(people.holder in {each["holder"] for each in first}, "who asked is not in the caseload")
    call = {"channel": "CONTACT_CHANNEL_PHONE", "summary": "Was called back"}
    guidance.add(people.counsellor, f"{people.holder}/contactRecords", call)
    individual = {"tier": "SUPPORT_TIER_INDIVIDUAL", "reason": "Moved here a month ago"}
    for wanted in (individual, SELF_HELP):
        guidance.post(people.counsellor, f"{case}:moveTier", wanted)
    moves = people.learner.rest("GET", f"/v1/{people.holder}/tierMoves")["tierMoves"]
    reasons = [each.get("reason", "") for each in reversed(moves)]
    expect(reasons == ["", individual["reason"], SELF_HELP["reason"]], f"kept are {reasons}")
    return f"{len(moves)} moves kept with their reasons; a human was asked for in self-help and called"


STEP = Step("support-tiers", "How much help, and a human when asked for", ("P8",), show)
