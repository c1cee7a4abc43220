"""Sector councils attest what officers see."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows import officers
from services.cli.demo.data import OCCUPATION, PLACE
from services.cli.demo.journey import Journey, Step, expect, refused


def show(journey: Journey) -> str:
    """REST: a council for metal work attests a shortage of welders; it says nothing of nurses."""
    manager = journey.person(catalogue.ROLE, "Mila")
    council = catalogue.onboard(journey, manager, "metal-council", "Sector Council for Metal Work")
    manager.rest(
        "POST", f"/v1/{council}:appointSectorCouncil", {"iscoCodes": ["72"], "requestId": request_id()}
    )
    member = journey.person("provider", "Lotte", council)
    word = {"verdict": "VERDICT_AGREES", "explanation": "our members say the same"}
    welders = officers.enter(journey, OCCUPATION, PLACE, 4, "TOO_FEW_PEOPLE")
    with refused("WRONG_STATE"):  # nobody has verified it
        member.rest("POST", f"/v1/{welders}:attest", {**word, "requestId": request_id()})
    officers.verify(journey, welders)
    member.rest("POST", f"/v1/{welders}:attest", {**word, "requestId": request_id()})
    nurses = officers.enter(journey, "2221", PLACE, 3, "WORKING_CONDITIONS")
    officers.verify(journey, nurses)
    with refused("NOT_FOUND"):
        member.rest("POST", f"/v1/{nurses}:attest", {**word, "requestId": request_id()})
    shown = officers.rolled_up(journey, OCCUPATION, PLACE)["assessments"][0]
    expect(shown["name"] == welders, f"the answer rests on {shown['name']}")
    said = shown["attestations"][0]
    expect(said["organisation"] == council and said["verdict"] == "VERDICT_AGREES", "the word is not shown")
    return f"{council} agrees that {OCCUPATION} is short in {PLACE}; of 2221 it may not speak"


STEP = Step("sector-council", "A sector council attests a shortage", ("C6",), show)
