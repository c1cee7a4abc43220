"""Commands of guidance, of what is written on somebody's behalf, and of journal, goals and plans."""

from __future__ import annotations

import re
import secrets

import pytest

from tests.support.terminal import Person

pytestmark = [pytest.mark.timeout(400)]
OFFICE = "organisations/office"


def counsellor_of(learner: Person, *options: str) -> Person:
    """A counsellor with a mandate of the learner."""
    name = f"counsellor:{secrets.token_hex(4)}"
    learner.prints("mandate", "create", name, OFFICE, *options)
    return Person(learner.stack, "--as", name, "--org", OFFICE)


def test_a_case_is_guided_from_a_caseload(learner: Person) -> None:
    holder = learner.gets("holder", "show")["name"]
    counsellor = counsellor_of(learner)
    asked = learner.gets("guidance", "ask-human", "--channel", "home-visit")
    assert (asked["tier"], asked["preferredChannel"]) == (
        "SUPPORT_TIER_STAFF_ASSISTED",
        "CONTACT_CHANNEL_HOME_VISIT",
    )
    (due,) = counsellor.gets("guidance", "caseload")
    assert (due["holder"], due["humanAskTime"]) == (holder, asked["humanAskTime"])
    down = ("guidance", "move", holder, "self-help", "--reason", "Finds the way")
    assert counsellor.fails(*down) == (4, "HUMAN_ASKED")
    said = ("--summary", "Wants to weld", "--needs", "training", "--needs", "language", "--next-in", "14")
    counsellor.prints("guidance", "contact", holder, "phone", *said)
    counsellor.prints("guidance", "contact", holder, "video", "--met", "language")
    assert "needs                    training\n" in learner.prints("guidance", "show")
    assert "self help" in counsellor.prints(*down)
    assert "Wants to weld" in learner.prints("guidance", "contacts")
    assert "Finds the way" in learner.prints("guidance", "moves")


def test_notes_are_read_by_whom_they_are_for(learner: Person) -> None:
    holder = learner.gets("holder", "show")["name"]
    counsellor, partner = counsellor_of(learner), counsellor_of(learner, "--purpose", "case")
    counsellor.prints("guidance", "note", holder, "Bring the diploma")
    counsellor.prints("guidance", "note", holder, "Is tired", "--professional")
    assert "Is tired" not in learner.prints("guidance", "notes")
    assert [each["text"] for each in learner.gets("guidance", "disclose")] == [
        "Is tired",
        "Bring the diploma",
    ]
    assert "professional" in counsellor.prints("guidance", "notes", holder)
    assert len(partner.gets("guidance", "notes", holder)) == 2  # of the same organisation
    assert partner.fails("entry", "list", holder) == (5, "NOT_FOUND")


def test_a_counsellor_writes_on_behalf_of_who_permits_it(learner: Person) -> None:
    holder = learner.gets("holder", "show")["name"]
    adding = ("entry", "create", "work", "Dockhand", "--for", holder)
    assert counsellor_of(learner).fails(*adding) == (5, "NOT_FOUND")
    helper = counsellor_of(learner, "--on-behalf")
    entry = helper.gets(*adding)["name"]
    goal = helper.gets("goal", "create", "Work near home", "--for", holder)["name"]
    assert [each["resource"] for each in learner.gets("on-behalf")] == [goal, entry]
    assert "CreateEntry" in helper.prints("on-behalf", holder)


def test_goals_are_put_in_order_undone_and_taken_from_the_trash(learner: Person) -> None:
    due = ("--due", "2099-06-30", "--zone", "Europe/Brussels", "--remind", "7", "--at", "07:30")
    weld = learner.gets("goal", "create", "Weld", "--kind", "career", *due)
    dutch = learner.gets("goal", "create", "Speak Dutch", "--kind", "learning")["name"]
    assert (weld["deadline"]["timeZone"], weld["deadline"]["remindDaysBefore"]) == ("Europe/Brussels", [7])
    learner.prints("goal", "arrange", dutch, weld["name"])
    assert [each["name"] for each in learner.gets("goal", "list")] == [dutch, weld["name"]]
    assert "reached" in learner.prints("goal", "update", dutch, "--state", "reached")
    assert "open" in learner.prints("goal", "undo", dutch)
    assert learner.gets("goal", "delete", dutch)["purgeTime"]
    assert [each["name"] for each in learner.gets("goal", "list")] == [weld["name"]]
    assert len(learner.gets("goal", "list", "--trash")) == 2
    assert "07:30" in learner.prints("goal", "show", weld["name"])
    assert learner.prints("goal", "list", "--due") == "nothing is due\n"
    learner.gets("goal", "update", weld["name"], "--due", "2026-01-31")
    assert "Weld" in learner.prints("goal", "list", "--due")
    assert "Speak Dutch" in learner.prints("goal", "restore", dutch)
    assert not learner.gets("goal", "show", dutch).get("purgeTime")
    assert learner.run("goal", "create", "x", "--remind", "1").returncode == 2  # of which day?


def test_a_plan_is_worked_off_task_by_task(learner: Person) -> None:
    plan = learner.gets("plan", "create", "To the yard")["name"]
    (learn,) = learner.gets("plan", "task", plan, "Learn")["tasks"]
    learner.prints("plan", "task", plan, "Ask", "--due", "2099-01-01", "--before", learn["id"])
    assert [each["title"] for each in learner.gets("plan", "tasks", plan)] == ["Ask", "Learn"]
    learner.prints("plan", "done", plan, learn["id"])
    assert [each["state"] for each in learner.gets("plan", "tasks", plan)] == ["STATE_OPEN", "STATE_DONE"]
    assert learner.run("plan", "done", plan, "none").returncode == 5
    learner.prints("plan", "undo", plan)
    assert "Ask" in learner.prints("plan", "show", plan)
    assert "To the yard" in learner.prints("plan", "list")
    assert [each["name"] for each in learner.gets("plan", "list")] == [plan]
    assert learner.gets("plan", "list", "--due") == []
    learner.gets("plan", "task", plan, "Call back", "--due", "2026-01-31")
    assert [each["name"] for each in learner.gets("plan", "list", "--due")] == [plan]


def test_plans_are_changed_put_in_order_and_taken_from_the_trash(learner: Person) -> None:
    goal = learner.gets("goal", "create", "Weld")["name"]
    first = learner.gets("plan", "create", "To the yard", "--text", "By tram")
    second = learner.gets("plan", "create", "To school")["name"]
    changed = ("plan", "update", first["name"], "--title", "To the dock", "--goal", goal)
    shown = learner.gets(*changed, "--etag", first["etag"])
    assert (shown["title"], shown["goal"], shown["description"]) == ("To the dock", goal, "By tram")
    assert learner.fails(*changed, "--etag", first["etag"]) == (4, "ETAG_STALE")
    for wanted in ([second, first["name"]], [first["name"], second]):
        learner.prints("plan", "arrange", *wanted)
        assert [each["name"] for each in learner.gets("plan", "list")] == wanted
    assert "in the trash until" in learner.prints("plan", "delete", second)
    assert [each["name"] for each in learner.gets("plan", "list")] == [first["name"]]
    assert "To school" in learner.prints("plan", "list", "--trash")
    learner.prints("plan", "restore", second)
    assert second in [each["name"] for each in learner.gets("plan", "list")]


def test_a_journal_is_the_writers_own(learner: Person) -> None:
    entry = learner.gets("journal", "write", "First day", "--tag", "yard", "--day", "2026-09-01")["name"]
    learner.prints("journal", "update", entry, "--text", "The first day")
    assert learner.gets("journal", "undo", entry)["text"] == "First day"
    assert "2026-09-01" in learner.prints("journal", "list")
    counsellor = counsellor_of(learner)
    assert counsellor.fails("journal", "show", entry) == (4, "PERMISSION_DENIED")
    learner.prints("journal", "delete", entry)
    assert learner.prints("journal", "list") == "none yet\n"
    learner.prints("journal", "restore", entry)
    assert "First day" in learner.prints("journal", "show", entry)
    assert [each["name"] for each in learner.gets("journal", "list")] == [entry]


def test_a_mandate_is_handed_over_by_the_word_of_the_person(learner: Person) -> None:
    holder = learner.gets("holder", "show")["name"]
    assert learner.prints("consent", "list") == "nobody but you may see or do anything\n"
    counsellor, heir = counsellor_of(learner), f"counsellor:{secrets.token_hex(4)}"
    (given,) = learner.gets("mandate", "list")
    offering = ("handover", "offer", given["name"], heir, "organisations/next-office")
    declined = counsellor.gets(*offering)["name"]
    assert "declined" in learner.prints("handover", "decline", declined)
    assert learner.fails("handover", "accept", declined) == (4, "WRONG_STATE")
    taking = Person(learner.stack, "--as", heir, "--org", "organisations/next-office")
    offered = counsellor.gets(*offering)["name"]
    assert [each["name"] for each in learner.gets("handover", "list")] == [offered, declined]
    assert taking.fails("holder", "show", holder) == (5, "NOT_FOUND")
    accepted = learner.gets("handover", "accept", offered)
    assert "Noor" in taking.prints("holder", "show", holder)
    assert counsellor.fails("holder", "show", holder) == (5, "NOT_FOUND")
    (open_now,) = learner.gets("consent", "list", "--in-force")
    assert (open_now["permission"], open_now["kind"]) == (accepted["newMandate"], "KIND_MANDATE")
    assert [each["inForce"] for each in learner.gets("consent", "list")] == [True, False]
    shown = learner.prints("consent", "list")
    for line in ("of +organisations/next-office", f"permission +{given['name']}", "in force +no"):
        assert re.search(f"^{line}$", shown, re.MULTILINE)
    assert offered in learner.prints("handover", "list")  # whole, to be accepted by
