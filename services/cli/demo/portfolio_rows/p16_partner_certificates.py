"""Certificates of partners come in with what is known of their issuer, and our own can be taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows.ground import awarding_body, bring, file_of, findings, holder, verify

SKILL = "http://data.europa.eu/esco/skill/data-analysis"
LEARNER, MANAGER, STAFF = "Eleni", "Mila", "Sanne"


def show(journey: Journey) -> str:
    """REST: a partner's certificate is unconfirmed until its issuer is trusted, then speaks for a skill; one
    of a school here is verified by anybody, and no more once revoked."""
    learner, name = holder(journey, LEARNER)
    manager = journey.person(catalogue.ROLE, MANAGER)
    did, content = certificate()
    made = bring(learner, name, content)
    expect(findings(made["verdict"]) == {"ISSUER_UNKNOWN"}, f"found {findings(made['verdict'])}")
    trusted = {"issuerId": did, "displayName": f"Course partner {journey.run}", "reason": "partner agreement"}
    manager.rest("POST", "/v1/trustedIssuers", trusted, request_id=request_id())
    again = learner.rest("POST", f"/v1/{made['name']}:check", {})
    expect(again["verdict"]["state"] == "STATE_VALID", "a trusted issuer's certificate is not valid")
    taking = {"skillUris": again["summary"]["skillUris"], "requestId": request_id()}
    (claim,) = learner.rest("POST", f"/v1/{made['name']}:claimSkills", taking)["skillClaims"]
    expect(claim["source"] == "SKILL_SOURCE_CREDENTIAL", f"the skill is claimed by {claim['source']}")
    forged = content.replace(b"Data analysis", b"Neurosurgery!")
    expect("SIGNATURE_WRONG" in findings(verify(journey, forged)), "a forged certificate passed")
    checks = len(again["verdict"]["checks"])
    return f"a partner's certificate is {checks} checks valid and shows a skill; {issue(journey, name)}"


def issue(journey: Journey, name: str) -> str:
    """A school here issues, anybody verifies it, and the school revokes it."""
    organisation = f"organisations/school-{journey.run}"
    body = awarding_body(journey, organisation, "Quay School")
    staff = journey.person("provider", STAFF, organisation)
    achievement = {"id": "https://quay.example/welding", "title": "Welding", "description": "Welds plates."}
    issued = staff.rest(
        "POST",
        f"/v1/{body}/issuedCredentials",
        {"holder": name, "achievement": {**achievement, "criteria": "Has welded ten."}},
        request_id=request_id(),
    )
    learner = journey.person("learner", LEARNER)
    content = file_of(learner, issued["credential"])
    verdict = verify(journey, content)
    expect(verdict["state"] == "STATE_VALID", f"what was issued is not valid: {findings(verdict)}")
    staff.rest("POST", f"/v1/{body}:rotateKey", {"requestId": request_id()})
    expect(verify(journey, content)["state"] == "STATE_VALID", "a new key made the old credential worthless")
    staff.rest("POST", f"/v1/{issued['name']}:revoke", {"requestId": request_id()})
    expect(findings(verify(journey, content)) == {"REVOKED"}, "a revoked credential passed")
    page = journey.client.anonymous().rest("GET", f"/v1/{issued['name']}:page")
    expect(not page.get("valid") and page["issuerName"] == "Quay School", f"the page says {page}")
    return f"one of {len(content)} bytes issued here outlived a new key, and ended with its revocation"


def certificate() -> tuple[str, bytes]:
    """A partner's certificate, signed by a key of its own here and now; returns its DID beside it."""
    # Here and not above: no other command needs what signs.
    from services.portfolio.domain.credentials import contexts, data_integrity, keys

    seed = keys.new_seed()
    method = keys.did_key(seed)
    did, now = method.partition("#")[0], datetime.now(UTC)
    said: dict[str, Any] = {
        "@context": [contexts.V2, contexts.OPEN_BADGES],
        "id": f"{did}#1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": did, "type": ["Profile"], "name": "Course partner"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "urn:uuid:0198c0de-0000-7000-8000-000000000002",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://partner.example/data-analysis",
                "type": ["Achievement"],
                "name": "Data analysis",
                "description": "A course of ten weeks.",
                "criteria": {"narrative": "Passed the test."},
                "alignment": [{"type": ["Alignment"], "targetName": "analyse data", "targetUrl": SKILL}],
            },
        },
    }
    signed = data_integrity.sign_document(said, seed, method, data_integrity.RDFC, now=now)
    return did, json.dumps(signed).encode()


STEP = Step("partner-certificates", "Certificates of partners, and our own, are verified", ("P16",), show)
