"""New Plan: from what somebody can do to occupations beyond the present one, with reasons, to a course for
what is missing and the voucher that would pay for it."""

from __future__ import annotations

from typing import Any

from services.cli.call import Call
from services.cli.client import Caller
from services.cli.demo import catalogue
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import occupations
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.occupations import OPERATOR, PLUMBER, WELDER, skill
from services.cli.demo.rows import ground
from services.cli.output import money
from services.cli.skill_gap import because, payers

LEARNER = "Malik"
CAN = ("tig-welding", "grind-metal", "measure-workpieces")
LACKS, COURSE = "braze-pipes", "How to braze pipes"


def show(journey: Journey) -> str:
    """REST: a welder's skills lead to other occupations and not to welding; the gap to one of them has a
    course, and one of two programmes would pay for it."""
    uris = occupations.know(journey)
    school = occupations.teach(journey, "beyond", [COURSE])
    learner, name = holder(journey, LEARNER)
    job = {"kind": "ENTRY_KIND_WORK", "title": "Welder", "work": {"occupationUri": uris[WELDER]}}
    learner.rest("POST", f"/v1/{name}/entries", job)
    profile = occupations.claim(learner, name, *CAN)
    expect(profile["presentOccupations"] == [uris[WELDER]], f"the present one is {profile}")
    among = {"organisations": [school]}
    body = {**question(profile), "among": among, "pageSize": 50}
    ideas = {
        each["occupation"]: each for each in occupations.ask(journey, "recommend", body, COURSE)["ideas"]
    }
    expect({uris[OPERATOR], uris[PLUMBER]} <= ideas.keys(), f"the ideas are {sorted(ideas)}")
    expect(uris[WELDER] not in ideas, "what they do now was suggested")
    idea = ideas[uris[PLUMBER]]
    shared = {each["skill"] for each in idea["sharedSkills"]}
    expect(skill("measure-workpieces") in shared, f"the plumber shares {shared}")
    learner.rest("POST", f"/v1/{name}:recordShownIdeas", {"iscoCodes": [idea["iscoCode"]]})
    asked = {"occupation": uris[PLUMBER], "skills": profile["skills"], "among": among}
    gap = occupations.ask(journey, "skillGap", asked, COURSE)
    missing = {each["skill"] for each in gap["missingSkills"]}
    expect(skill(LACKS) in missing and not missing & set(profile["skills"]), f"missing are {missing}")
    (course,) = gap["courses"]
    expect(course["hit"]["titles"]["en"] == COURSE, f"the gap is closed by {course}")
    free = paid(journey, learner, school, course)
    return (
        f"{len(ideas)} ideas beyond welding; {idea['label']!r} at {idea['nearness']:.2f}: "
        f"{len(shared)} skills shared, {COURSE!r} closes {course['coveredSkills'][0]['label']!r}; {free}"
    )


def paid(journey: Journey, learner: Caller, school: str, course: dict[str, Any]) -> str:
    """Two programmes come into force; returns which would pay for the course, and why the other would not."""
    catalogue.accredit(journey.person(catalogue.ROLE, "Mila"), school)
    for_workers = ground.publish(journey, "flemish-training-voucher", short="beyond-work").programme
    for_jobseekers = ground.publish(journey, "aptic-digital-voucher", short="beyond-jobless").programme
    ground.tell_facts(journey, LEARNER, employment_status="employed", education_level=3)

    def checked() -> dict[str, Any] | None:
        checks = payers(Call(learner, as_json=True), f"holders/{learner.subject}", [course])
        found: dict[str, Any] = {each.get("programme", ""): each for each in checks}
        return found if found.get(for_workers, {}).get("outcome", {}).get("eligible") else None

    found = journey.wait_for("vouchers hear of the course and its school", checked)
    pays, other = found[for_workers]["outcome"], found[for_jobseekers]
    expect(pays["targetGroup"] == "below-upper-secondary", f"it pays for {pays['targetGroup']}")
    expect(money(pays["amount"]) == f"{occupations.PRICE}.00 EUR", f"it pays {money(pays['amount'])}")
    expect(because(other) == "jobseeker: NOT_A_JOBSEEKER", f"the other says {because(other)}")
    return (
        f"{found[for_workers]['displayNames']['en']!r} would pay {money(pays['amount'])} as for "
        f"{pays['targetGroup']}, {other['displayNames']['en']!r} not: {because(other)}"
    )


def question(profile: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue is asked with for a profile."""
    return {"skills": profile["skills"], "presentOccupations": profile.get("presentOccupations", [])}


STEP = Step("beyond-the-job", "Skills lead to occupations beyond the present one", ("P13",), show)
