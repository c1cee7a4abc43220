"""What a person writes and plans: a journal for themselves, goals and a plan that the counsellor reads."""

from __future__ import annotations

from datetime import timedelta

from services.cli.amounts import json_date
from services.cli.client import Caller
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows import guidance, p18_cv
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.legal_day import legal_day

LEARNER, ELSEWHERE = "Hanne", "Imke"


def show(journey: Journey) -> str:
    """REST: a plan towards a goal is put in order, changed, taken back and out of the trash; the counsellor
    reads it, and the journal nobody does. Both move into another portfolio by Leap2A."""
    people = guidance.gather(journey, LEARNER, purpose="GUIDANCE")
    learner, counsellor = people.learner, people.counsellor
    day = json_date(legal_day() + timedelta(days=60))
    deadline = {"date": day, "timeZone": "Europe/Brussels", "remindDaysBefore": [7, 0], "remindTime": "08:30"}
    aims = [
        guidance.add(learner, f"{people.holder}/goals", {"title": title, "deadline": deadline})["name"]
        for title in ("Weld for a living", "Speak Dutch at work")
    ]
    guidance.post(learner, f"{people.holder}/goals:arrange", {"names": aims[::-1]})
    tasks = [{"title": "Ask at the yard", "deadline": deadline}, {"title": "Choose a course"}]
    plan = {"title": "To the yard by summer", "goal": aims[0], "tasks": tasks}
    made = guidance.add(learner, f"{people.holder}/plans", plan)
    learner.rest("PATCH", f"/v1/{made['name']}", {"tasks": made["tasks"][::-1]})
    learner.rest("DELETE", f"/v1/{made['name']}")
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{made['name']}")
    guidance.post(learner, f"{made['name']}:undelete", {})
    undone = guidance.post(learner, f"{made['name']}:undo", {})
    expect(undone["tasks"] == made["tasks"], "undo did not bring the order of the tasks back")
    read = counsellor.rest("GET", f"/v1/{people.holder}/goals")["goals"]
    expect([each["name"] for each in read] == aims[::-1], "the counsellor reads goals in another order")
    entry = guidance.add(learner, f"{people.holder}/journalEntries", {"text": "Afraid of heights, went up"})
    with refused("PERMISSION_DENIED"):
        counsellor.rest("GET", f"/v1/{entry['name']}")
    move(journey, learner, people.holder)
    return (
        f"{len(aims)} goals in order, {len(tasks)} tasks with reminders; the journal stays "
        "the learner's own, and moves with the plan"
    )


def move(journey: Journey, learner: Caller, name: str) -> None:
    """Takes the journal and the plan into another portfolio, where they come in once."""
    copy = p18_cv.export(learner, name, "LEAP2A", journal_and_plans=True)
    other, there = holder(journey, ELSEWHERE)
    first, again = (p18_cv.bring(other, there, "LEAP2A", copy) for _ in range(2))
    brought = first.get("journalEntries"), first.get("planTitles")
    expect(brought == (1, ["To the yard by summer"]), f"brought in {brought}")
    expect(not again.get("journalEntries") and not again.get("planTitles"), "came in twice")


STEP = Step("plans", "Journal, goals and plans, with undo and a trash", ("P4",), show)
