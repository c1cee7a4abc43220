"""Somebody who cannot use online services: the counsellor writes for them, and a record says so."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance

LEARNER = "Jozef"
OTHER, ELSEWHERE = "Sven", "organisations/next-office"


def show(journey: Journey) -> str:
    """REST: a counsellor with the permission adds and corrects an entry; one without it is refused; the
    person reads who wrote what."""
    people = guidance.gather(journey, LEARNER, purpose="GUIDANCE", on_behalf=True)
    job = {"kind": "ENTRY_KIND_WORK", "title": "Dockhand"}
    entry = guidance.add(people.counsellor, f"{people.holder}/entries", job)
    people.counsellor.rest("PATCH", f"/v1/{entry['name']}", {"place": "Antwerp"})
    aim = guidance.add(people.counsellor, f"{people.holder}/goals", {"title": "Work near home"})
    guidance.mandate(
        journey, people.learner, people.holder, "GUIDANCE", counsellor=OTHER, organisation=ELSEWHERE
    )
    with refused("NOT_FOUND"):
        guidance.add(journey.person("counsellor", OTHER, ELSEWHERE), f"{people.holder}/entries", job)
    read = people.learner.rest("GET", f"/v1/{entry['name']}")
    expect(read["title"] == "Dockhand" and read["place"] == "Antwerp", f"the person reads {read}")
    records = people.learner.rest("GET", f"/v1/{people.holder}/onBehalfRecords")["onBehalfRecords"]
    done = [(each["action"], each["resource"]) for each in reversed(records)]
    wanted = [("CreateEntry", entry["name"]), ("UpdateEntry", entry["name"]), ("CreateGoal", aim["name"])]
    expect(done == wanted, f"recorded are {done}")
    who = {each["organisation"] for each in records}
    expect(who == {guidance.OFFICE}, f"recorded are {sorted(who)}")
    return f"{len(done)} writes on behalf of the person, each with a record; without the permission refused"


STEP = Step("on-behalf", "A counsellor writes for somebody, and it is recorded", ("P7", "P21"), show)
