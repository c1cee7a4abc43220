"""The person steers: they propose, the counsellor agrees, and both read later who agreed to what."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Noor"


def show(journey: Journey) -> str:
    """REST: a step that the learner proposes counts once the counsellor agrees; both words are kept."""
    people = guidance.gather(journey, LEARNER)
    way = guidance.pathway(people)
    exam = {"kind": "KIND_EXAM", "title": "Welding exam in Dutch"}
    proposed = guidance.post(people.learner, f"{way}:addStep", {"step": exam})
    guidance.post(people.learner, f"{way}:agree", {})
    with refused("WRONG_STATE"):
        guidance.post(people.learner, f"{way}:start", {})
    guidance.post(people.counsellor, f"{way}:agree", {})
    guidance.post(people.learner, f"{way}:start", {})
    words = people.learner.rest("GET", f"/v1/{way}/words")["words"]
    said = [(each["kind"].removeprefix("KIND_"), each["actor"]) for each in reversed(words)]
    wanted = [("PROPOSED", "holder"), ("AGREED", "holder"), ("AGREED", "counsellor")]
    expect(said == wanted, f"kept are {said}")
    agreed = {step["title"] for each in words for step in each.get("steps", [])}
    expect(agreed == {exam["title"]}, f"agreed to {agreed}")
    return f"revision {proposed['revision']} proposed by the learner, agreed by both: {len(said)} words kept"


STEP = Step("clients-as-partners", "The learner proposes, the counsellor agrees", ("P20",), show)
