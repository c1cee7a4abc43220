"""How much one portfolio holds, by kind: each limit stops what it is of."""

from __future__ import annotations

import pytest

from services.portfolio.domain import quotas
from tests.support.owned import Owned
from tests.support.portfolio import Portfolio, refused

ADDS = {
    "entries": "CreateEntry",
    "skill_claims": "CreateSkillClaim",
    "evidence": "CreateEvidence",
    "credentials": "ImportCredential",
    "cvs": "CreateCv",
    "attestation_requests": "CreateAttestationRequest",
    "mandates": "CreateMandate",
    "handovers": "CreateHandover",
    "share_links": "CreateShareLink",
    "pathways": "CreatePathway",
    "pathway_steps": "AddStep",
    "pathway_spells": "AddSpell",
    "pathway_revisions": "UpdateStep",
    "validation_cases": "CreateValidationCase",
    "exposure_consents": "GiveExposureConsent",
    "mentoring_matches": "CreateMentoringMatch",
    "group_memberships": "CreateGroupMembership",
    "pages": "CreatePage",
    "page_collections": "CreatePageCollection",
    "page_invitations": "CreatePageInvitation",
    "page_comments": "GivePageComment",
    "page_submissions": "CreatePageSubmission",
    "questionnaires": "CreateQuestionnaire",
    "contact_records": "CreateContactRecord",
    "guidance_notes": "CreateGuidanceNote",
    "tier_moves": "MoveSupportTier",
    "journal_entries": "CreateJournalEntry",
    "goals": "CreateGoal",
    "plans": "CreatePlan",
    "rights_requests": "CreateRightsRequest",
    "legal_holds": "CreateLegalHold",
    "break_glass_accesses": "CreateBreakGlassAccess",
}
BY_COUNSELLORS = {
    "CreateHandover",
    "CreateContactRecord",
    "CreateGuidanceNote",
    "MoveSupportTier",
    "CreateBreakGlassAccess",
}
FULL = 1  # what there is of everything already, but of these
NONE = {"evidence", "exposure_consents"}


def test_each_limit_stops_what_it_is_of(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ADDS.keys() == quotas.LIMITS.keys()
    owned = Owned(portfolio)
    desk = portfolio.staff("caseworker")
    for what, rpc in ADDS.items():
        caller = (
            owned.counsellor if rpc in BY_COUNSELLORS else desk if rpc == "CreateLegalHold" else owned.person
        )
        with monkeypatch.context() as patch:
            patch.setitem(quotas.LIMITS, what, 0 if what in NONE else FULL)
            info = refused(getattr(caller, rpc), owned.requests[rpc])
        assert (info.reason, info.metadata.get("what")) == ("QUOTA_EXCEEDED", what), rpc
        if what != "evidence":  # needs an object store to go through
            getattr(caller, rpc)(owned.requests[rpc])  # control
