"""Swedish Occupational Compass: an occupation's page, with shortages from local to national."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows import figures, officers
from services.cli.demo.data import OCCUPATION, PLACE, REGION
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.legal_day import legal_day


def show(journey: Journey) -> str:
    """REST: officers assess two areas, others verify, a list is drafted from it; one call shows all."""
    source = figures.register(journey)
    here = officers.enter(journey, OCCUPATION, PLACE, 5, "TOO_FEW_PEOPLE")
    there = officers.enter(journey, OCCUPATION, "BE234", 3, "WRONG_SKILLS")
    officer = journey.person("caseworker", officers.OFFICER)
    with refused("SAME_PERSON"):
        officer.rest("POST", f"/v1/{here}:verify", {"requestId": request_id()})
    for each in (here, there):
        officers.verify(journey, each)
    version = publish(journey)
    anyone = journey.client.anonymous()
    page = anyone.rest("GET", "/v1/occupations:page", occupation=OCCUPATION, nuts_code=PLACE)
    levels = {each["nutsCode"]: each for each in page["rollUps"]}
    expect(list(levels) == ["BE", REGION, "BE21", PLACE], f"levels are {', '.join(levels)}")
    expect(levels[PLACE]["severity"] == 5, f"local severity is {levels[PLACE].get('severity')}")
    rested = {each["name"] for each in levels[REGION]["assessments"]}
    expect({here, there} <= rested, f"the region rests on {rested}")
    measures = {each["measure"] for each in page["observations"] if each["source"] == source}
    names = ("VACANCIES", "JOBSEEKERS", "WAGE", "FORECAST", "TRAVEL")
    wanted = {f"OBSERVATION_MEASURE_{name}" for name in names}
    expect(wanted <= measures, f"the page lacks {', '.join(wanted - measures)}")
    expect(source in {each["name"] for each in page["sources"]}, "a figure comes without its source")
    listed = {each["version"]: each for each in page["shortages"]}
    expect("entry" in listed[version] and listed[version]["inForce"], f"{version} does not make it short")
    evidence = set(listed[version]["entry"].get("evidence", []))
    expect(here in evidence, f"the entry rests on {', '.join(evidence) or 'nothing'}, not on {here}")
    expect(int(page["courseCount"]) > 0, "no course leads to it")
    return (
        f"{page['concept']['labels']['en']}: severity {levels[PLACE]['severity']} here, "
        f"{levels[REGION]['severity']} in {REGION}; short by {version}, which names the "
        f"assessments; {page['courseCount']} courses"
    )


def publish(journey: Journey, short: str = "officers") -> str:
    """Drafts a list from what officers verified and has a second person publish it; returns its version."""
    maker, checker = (journey.person(catalogue.ROLE, person) for person in ("Mila", "Joris"))
    body: dict[str, Any] = {
        "shortageListId": f"{short}-{journey.run}",
        "displayNames": {"en": "Shortages as officers see them"},
        "nutsCode": REGION,
        "requestId": request_id(),
    }
    name = maker.rest("POST", "/v1/shortageLists", body)["name"]
    today = json_date(legal_day())
    asked = {"validFrom": today, "minimumSeverity": 3, "requestId": request_id()}
    draft = maker.rest("POST", f"/v1/{name}/versions:draft", asked)["name"]
    changes = maker.rest("GET", f"/v1/{draft}/changes", page_size=500)["changes"]
    expect(any(each["occupation"]["iscoCode"] == OCCUPATION for each in changes), "the draft lacks it")
    return str(checker.rest("POST", f"/v1/{draft}:publish", {"requestId": request_id()})["name"])


STEP = Step("occupational-compass", "An occupation's page, from local to national", ("C1",), show)
