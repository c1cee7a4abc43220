"""A welder late in the career mentors a beginner: by occupation and language, and by the consent of both."""

from __future__ import annotations

from services.cli.amounts import in_days
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder, said
from services.cli.demo.portfolio_rows.guidance import post

LEARNER = "Samir"
ISCO = "7212"  # welders and flame cutters


def show(journey: Journey) -> str:
    """REST: suggested with reasons, asked for with a field list, agreed to, read, and ended at once."""
    learner, name = holder(journey, LEARNER)
    learner.rest("PATCH", f"/v1/{name}", {"languages": ["nl-BE"]})
    job = {"kind": "ENTRY_KIND_WORK", "title": "Dock worker", "place": "Antwerp"}
    learner.rest("POST", f"/v1/{name}/entries", job, request_id=request_id())
    organisation = f"organisations/elders-{journey.run}"
    staff, bea = (journey.person("provider", each, organisation) for each in ("Ward", "Bea"))
    offer = {"subject": journey.subject("Bea"), "iscoCodes": [ISCO], "languages": ["nl"], "capacity": 1}
    mentor = staff.rest("POST", "/v1/mentors", offer, request_id=request_id())["name"]
    asked = learner.rest("GET", f"/v1/{name}/mentoringMatches:suggest", isco_code=ISCO)
    why = next(each["reasons"] for each in asked["suggestions"] if each["mentor"] == mentor)
    expect(said(why) == {"iscoGroup": ISCO, "languages": ["nl"]}, f"the mentor fits by {why}")
    wanted = {"mentor": mentor, "iscoCode": ISCO, "expireTime": in_days(150)}
    fields = ["holder.given_name", "entries.title"]
    body = {**wanted, "fields": fields}
    match = learner.rest("POST", f"/v1/{name}/mentoringMatches", body, request_id=request_id())["name"]
    with refused("WRONG_STATE"):
        bea.rest("GET", f"/v1/{match}:read")
    post(bea, f"{match}:agree", {})
    seen = bea.rest("GET", f"/v1/{match}:read")["portfolio"]
    expect(
        said(seen) == {"holder": {"givenName": LEARNER}, "entries": [{"title": "Dock worker"}]},
        f"seen: {seen}",
    )
    post(learner, f"{match}:end", {})
    with refused("NOT_FOUND"):
        bea.rest("GET", f"/v1/{match}:read")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    return (
        f"found by ISCO {ISCO} and Dutch; {len(fields)} fields read, {len(log)} looks logged, ended at once"
    )


STEP = Step("mentoring", "A mentor by occupation and language, with consent, for a time", ("P12",), show)
