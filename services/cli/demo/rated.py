"""Chapter 3: the training takes place, then the learner says what it was like and the provider answers."""

from __future__ import annotations

from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue, voucher
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.programme import LEARNER
from services.cli.exits import Failure


def rate(journey: Journey) -> str:
    """REST: who completed the course may rate it, nobody else; it is answered, reported and kept."""
    course = journey.facts.course
    body = {"rating": 4, "comment": "Much time at the machine."}
    with refused("COURSE_NOT_COMPLETED"):
        journey.person("learner", "Stranger").rest("POST", f"/v1/{course}/feedback", body)
    learner = journey.person("learner", LEARNER)
    key = request_id()

    def given() -> dict[str, Any] | None:
        try:
            return learner.rest("POST", f"/v1/{course}/feedback", body, request_id=key)
        except Failure as failure:
            if failure.reason != "COURSE_NOT_COMPLETED":
                raise
            return None  # the catalogue has not heard of it yet

    name = journey.wait_for("the catalogue hears of the completed training", given)["name"]
    provider = journey.person("provider", "Sanne", journey.facts.partner)
    provider.rest("POST", f"/v1/{name}:answer", {"answer": "Thank you.", "requestId": request_id()})
    provider.rest("POST", f"/v1/{name}:report", {"fault": "FAULT_UNTRUE", "requestId": request_id()})
    manager = journey.person(catalogue.ROLE, "Mila")
    kept = manager.rest("POST", f"/v1/{name}:decide", {"requestId": request_id()})
    expect(kept["state"] == "STATE_SHOWN", f"it is {kept['state']}")
    anyone = journey.client.anonymous()
    (shown,) = anyone.rest("GET", f"/v1/{course}/feedback")["feedback"]
    expect(shown["answer"] == "Thank you.", "the answer is not shown")
    expect(not shown.get("rating"), "the rating of a single learner is told")
    rating = anyone.rest("GET", f"/v1/{course}/rating")
    expect(rating.get("suppressed", False) and not rating.get("mean"), f"of one learner is told: {rating}")
    return "a rating answered, reported and kept; none is told of fewer than five"


def deliver_and_rate(journey: Journey) -> str:
    """gRPC and REST: delivered and accepted, then rated."""
    return f"{voucher.deliver(journey)}; {rate(journey)}"


DELIVER = Step(
    "training-delivered",
    "The training takes place, is accepted and rated",
    ("V6", "C11", "C14"),
    deliver_and_rate,
)
