"""An employer attests a skill by a link that works once, and so does a colleague."""

from __future__ import annotations

from base64 import b64decode

from services.cli.amounts import in_days
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder, verify

LEARNER = "Anders"


def show(journey: Journey) -> str:
    """REST: the learner asks, an employer without an account attests; the link is used up, the endorsement
    proves it."""
    learner, name = holder(journey, LEARNER)
    claim = learner.rest(
        "POST",
        f"/v1/{name}/skillClaims",
        {"conceptUri": "http://data.europa.eu/esco/skill/forklift", "label": {"en": "drive a forklift"}},
    )
    wanted = {"skillClaim": claim["name"], "label": "the dock", "expireTime": in_days(14)}
    body = {"attestationRequest": wanted, "requestId": request_id()}
    token = learner.rest("POST", f"/v1/{name}/attestationRequests", body)["token"]
    employer = journey.client.anonymous()
    asked = employer.rest("POST", "/v1/attestationRequests:open", {"token": token})
    expect(asked["holderName"] == f"{LEARNER} Peeters", f"the link shows {asked.get('holderName')}")
    said = {"attester": "Tom Maes", "employer": "Scheldt Logistics", "level": "SKILL_LEVEL_ADVANCED"}
    giving = {"token": token, "attestation": said}
    given = employer.rest("POST", "/v1/attestationRequests:give", {**giving, "requestId": request_id()})
    with refused("SHARE_LINK_ENDED"):
        employer.rest("POST", "/v1/attestationRequests:give", {**giving, "requestId": request_id()})
    content = b64decode(given["credential"])
    expect(verify(journey, content)["state"] == "STATE_VALID", "the endorsement is not valid")
    claims = learner.rest("GET", f"/v1/{name}/skillClaims")["skillClaims"]
    sources = {each["source"] for each in claims}
    expect("SKILL_SOURCE_EMPLOYER" in sources, f"the claims are by {sources}")
    peer = {**wanted, "label": "a colleague", "source": "SKILL_SOURCE_PEER"}
    asking = {"attestationRequest": peer, "requestId": request_id()}
    token = learner.rest("POST", f"/v1/{name}/attestationRequests", asking)["token"]
    word = {"token": token, "attestation": {"attester": "Lies Wouters", "level": "SKILL_LEVEL_INDEPENDENT"}}
    employer.rest("POST", "/v1/attestationRequests:give", {**word, "requestId": request_id()})
    levels = {
        each["source"]: each["level"]
        for each in learner.rest("GET", f"/v1/{name}/skillClaims")["skillClaims"]
    }
    expect(levels.get("SKILL_SOURCE_PEER") == "SKILL_LEVEL_INDEPENDENT", f"the claims are {levels}")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    return (
        f"attested at level advanced, by a colleague at independent; "
        f"endorsement of {len(content)} bytes; the log names {len(log)} looks"
    )


STEP = Step("employer-attests", "An employer attests a skill by a one-time link", ("P17",), show)
