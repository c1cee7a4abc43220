"""How much one portfolio holds, so that no list and no disk grows without end."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

LIMITS = {
    "entries": 2_000,
    "skill_claims": 2_000,
    "evidence": 1_000,
    "credentials": 1_000,
    "cvs": 100,
    "attestation_requests": 500,
    "mandates": 500,
    "handovers": 500,
    "share_links": 500,
    "exposure_consents": 100,
    "pathways": 50,
    "pathway_steps": 100,
    "pathway_spells": 100,
    "pathway_revisions": 1_000,
    "validation_cases": 100,
    "mentoring_matches": 200,
    "group_memberships": 200,
    "pages": 100,
    "page_collections": 100,
    "page_invitations": 500,
    "page_comments": 2_000,
    "page_submissions": 200,
    "questionnaires": 500,
    "contact_records": 5_000,
    "guidance_notes": 5_000,
    "tier_moves": 500,
    "journal_entries": 5_000,
    "goals": 500,
    "plans": 200,
    "rights_requests": 200,
    "legal_holds": 100,
    "break_glass_accesses": 1_000,
}
REMAINDERS = 2_000  # of one format; an import leaves no more
IMPORTS = 100  # that can be undone; older ones are forgotten
REVISIONS = 100  # of one entry; older ones are forgotten
EVIDENCE_BYTES = 5_000_000_000


def check(what: str, held: int, *, limit: int | None = None) -> None:
    """Raises Refusal(QUOTA_EXCEEDED) when a portfolio that holds `held` of `what` can take no more."""
    most = LIMITS[what] if limit is None else limit
    if held >= most:
        raise Refusal(reason_pb2.REASON_QUOTA_EXCEEDED, metadata={"what": what, "limit": str(most)})
