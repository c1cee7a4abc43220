"""One questionnaire filled by a young person, a teacher and a doctor; health is opened by itself."""

from __future__ import annotations

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import asked
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.guidance import COUNSELLOR, OFFICE, mandate

LEARNER = "Lana"


def show(journey: Journey) -> str:
    """REST: two links that work once; a counsellor with a mandate for guidance reads the school's part, and
    the doctor's only once the person has opened just that, of this questionnaire and no earlier one."""
    instrument = asked.publish(journey, "school-questionnaire")
    learner, name = holder(journey, LEARNER)
    earlier, made = (asked.begin(learner, name, instrument) for _ in range(2))
    for part, giver in (("school", "Eva Maes, teacher"), ("health", "Dr Ivo Novak")):
        give(journey, learner, f"{made}/parts/{part}", giver, asked.answers(instrument, part, 1))
    done = asked.fill(learner, made, instrument, 2)
    states = {each["state"] for each in done["parts"]}
    expect(states == {"STATE_FILLED"}, f"the parts are {states}")
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    mandate(journey, learner, name, "GUIDANCE")
    school = counsellor.rest("GET", f"/v1/{made}/parts/school")
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{made}/parts/health")
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{made}/parts/health:special")
    grant = mandate(journey, learner, name, "SPECIAL_CATEGORY", questionnaire=made)
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{earlier}/parts/health:special")
    health = counsellor.rest("GET", f"/v1/{made}/parts/health:special")
    learner.rest("POST", f"/v1/{grant}:revoke", {"requestId": request_id()})
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{made}/parts/health:special")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    looks = [each for each in log if each["grant"] == grant]
    expect(len(looks) == 1, f"the log has {len(looks)} looks at health")
    givers = f"{school['giver']} and {health['giver']}"
    return f"3 parts by the person, {givers}; health was read once, of the one that was opened, while it was"


def give(journey: Journey, learner: Caller, part: str, giver: str, answers: list[dict[str, str]]) -> None:
    """Has somebody without an account fill a part by a link, which then works no more."""
    asking = {"expireTime": in_days(14), "requestId": request_id()}
    token = learner.rest("POST", f"/v1/{part}:ask", asking)["token"]
    anybody = journey.client.anonymous()
    anybody.rest("POST", "/v1/questionnaireParts:open", {"token": token})
    giving = {"token": token, "giver": giver, "answers": answers}
    anybody.rest("POST", "/v1/questionnaireParts:give", {**giving, "requestId": request_id()})
    with refused("SHARE_LINK_ENDED"):
        anybody.rest("POST", "/v1/questionnaireParts:give", {**giving, "requestId": request_id()})


STEP = Step("several-hands", "A person, a school and a doctor fill one questionnaire", ("P10",), show)
