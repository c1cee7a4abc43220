"""Who cannot use online services is found by a few questions, which a counsellor asks with the person."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import asked
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.guidance import COUNSELLOR, OFFICE, mandate

LEARNER, OTHER = "Walter", "Yusra"


def show(journey: Journey) -> str:
    """REST: a short check of digital skills, filled by a counsellor with the person, routes to assisted
    service; who is at home online is routed there."""
    instrument = asked.publish(journey, "digital-check", "basic-digital-skills")
    learner, name = holder(journey, LEARNER)
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    with refused("NOT_FOUND"):
        asked.begin(counsellor, name, instrument)
    mandate(journey, learner, name, "GUIDANCE", parts=["QUESTIONNAIRES"])
    with refused("NOT_FOUND"):  # not what the mandate opens
        counsellor.rest("GET", f"/v1/{name}/entries")
    done = asked.fill(counsellor, asked.begin(counsellor, name, instrument), instrument, 0)
    expect(done["channel"] == "CHANNEL_ASSISTED", f"the check came to {done['channel']}")
    other, theirs = holder(journey, OTHER)
    online = asked.fill(other, asked.begin(other, theirs, instrument), instrument, 2)
    expect(online["channel"] == "CHANNEL_ONLINE", f"the other check came to {online['channel']}")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    acts = {each["action"] for each in log}
    expect("FillQuestionnairePart" in acts, f"the log names {acts}")
    return (
        f"{len(instrument['questions'])} questions: one goes to assisted service, another online; the person "
        f"reads {len(log)} acts of the counsellor"
    )


STEP = Step("digital-triage", "Who cannot use online services is served in person", ("P7",), show)
