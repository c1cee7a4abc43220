"""New Plan: from what somebody can do to occupations beyond the present one, with reasons and courses."""

from __future__ import annotations

from typing import Any

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import occupations
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.occupations import OPERATOR, PLUMBER, WELDER, skill

LEARNER = "Malik"
CAN = ("tig-welding", "grind-metal", "measure-workpieces")
LACKS, COURSE = "braze-pipes", "How to braze pipes"


def show(journey: Journey) -> str:
    """REST: a welder's skills lead to other occupations and not to welding; the gap to one of them has a
    course."""
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
    return (
        f"{len(ideas)} ideas beyond welding; {idea['label']!r} at {idea['nearness']:.2f}: "
        f"{len(shared)} skills shared, {COURSE!r} closes {course['coveredSkills'][0]['label']!r}"
    )


def question(profile: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue is asked with for a profile."""
    return {"skills": profile["skills"], "presentOccupations": profile.get("presentOccupations", [])}


STEP = Step("beyond-the-job", "Skills lead to occupations beyond the present one", ("P13",), show)
