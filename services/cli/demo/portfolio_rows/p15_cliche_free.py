"""Cliché Free: suggestions know no gender; whom they reach is counted for those who agree to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import occupations
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.p13_beyond_the_job import question
from services.cli.idea_counting import TERMS
from services.cli.legal_day import legal_day

PEOPLE = {"Amal": "GENDER_WOMAN", "Aron": "GENDER_MAN", "Ash": ""}


def show(journey: Journey) -> str:
    """REST: a woman, a man and somebody who says nothing get the same ideas; counts need consent, and are
    told of months that are over."""
    occupations.know(journey)
    asked = list[dict[str, Any]]()
    for person, gender in PEOPLE.items():
        learner, name = holder(journey, person)
        if gender:
            given = {"gender": gender, "terms": TERMS}
            learner.rest("POST", f"/v1/{name}/exposureConsents", given, request_id=request_id())
        profile = occupations.claim(learner, name, "tig-welding", "grind-metal", "measure-workpieces")
        asked.append(question(profile))
        ideas = occupations.ask(journey, "recommend", asked[-1], "ideas")["ideas"]
        codes = sorted({idea["iscoCode"] for idea in ideas})
        learner.rest("POST", f"/v1/{name}:recordShownIdeas", {"iscoCodes": codes})
    asked.append({**asked[-1], "gender": "GENDER_MAN"})  # which is sent along to no effect
    ideas = journey.wait_for("the ideas do not differ by person", lambda: _same(journey, asked))
    learner, name = holder_again(journey, "Amal")
    (receipt,) = learner.rest("GET", f"/v1/{name}/exposureConsents")["exposureConsents"]
    withdrawn = learner.rest("POST", f"/v1/{receipt['name']}:withdraw", {"requestId": request_id()})
    expect("withdrawTime" in withdrawn, "the consent could not be withdrawn")
    auditor, today = journey.person("auditor", "Wim"), legal_day()
    with refused("INVALID_ARGUMENT"):
        auditor.rest("GET", "/v1/ideaExposures", month=f"{today:%Y-%m}")
    before = today.replace(day=1) - timedelta(days=1)
    told = auditor.rest("GET", "/v1/ideaExposures", month=f"{before:%Y-%m}").get("ideaExposures", [])
    few = [each for each in told if 0 < each.get("people", 0) < 10]
    expect(not few, f"small numbers are told: {few}")
    return (
        f"{len(ideas)} ideas, the same for {len(PEOPLE)} people; two consented, one withdrew; "
        f"nothing is told of {today:%Y-%m} before it is over"
    )


def _same(journey: Journey, asked: list[dict[str, Any]]) -> list[Any] | None:
    """The ideas, when all who ask get the same; indexes that come to rest may tell one of them more."""
    answers = [occupations.ask(journey, "recommend", each, "ideas") for each in asked]
    ideas: list[Any] = answers[0]["ideas"]
    return ideas if all(answer == answers[0] for answer in answers) else None


def holder_again(journey: Journey, person: str) -> tuple[Caller, str]:
    """Somebody whose portfolio is open already."""
    learner = journey.person("learner", person)
    return learner, f"holders/{learner.subject}"


STEP = Step("cliche-free", "Suggestions know no gender, and their reach is counted", ("P15",), show)
