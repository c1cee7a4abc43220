"""The case of guidance of a learner, with journal, goal and plan, on a running stack, to be asked for."""

from __future__ import annotations

from tests.support.traffic import Person


def fill(learner: Person, holder: str, counsellor: Person) -> None:
    """Writes, plans, asks for a human, and has the counsellor meet the learner, note it and write too."""
    learner.surely("CreateJournalEntry", parent=holder, journal_entry={"text": "x"})
    learner.surely("CreateGoal", parent=holder, goal={"title": "x"})
    learner.surely("CreatePlan", parent=holder, plan={"title": "x", "tasks": [{"title": "x"}]})
    case = learner.surely("AskForHuman", name=f"{holder}/guidanceCase").name
    contact = {"channel": "CONTACT_CHANNEL_PHONE", "summary": "x"}
    counsellor.surely("CreateContactRecord", parent=holder, contact_record=contact)
    note = {"visibility": "VISIBILITY_SHARED", "text": "x"}
    counsellor.surely("CreateGuidanceNote", parent=holder, guidance_note=note)
    job = {"kind": "ENTRY_KIND_WORK", "title": "x"}
    counsellor.surely("CreateEntry", parent=holder, entry=job)
    counsellor.surely("MoveSupportTier", name=case, tier="SUPPORT_TIER_INDIVIDUAL", reason="x")
