"""What things said before they were changed while a legal hold was in force; the database keeps it itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Row
from waymark.portfolio.v1.kept_content_pb2 import KeptContent, ListKeptContentsRequest

from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store import keeping
from services.portfolio.store.collection import Paged, page_of
from services.portfolio.store.columns import metadata
from services.portfolio.store.planning import FORMER
from services.portfolio.store.rights_tables import kept_contents
from services.portfolio.store.vault import Vault


class Kind(NamedTuple):
    """What the rows of a table are: the field of KeptContent, and the name below the holder's."""

    field: str
    name: str = ""


KINDS: Mapping[str, Kind] = {
    "attestation_requests": Kind("attestation_request", "/attestationRequests/{id}"),
    "break_glass_accesses": Kind("break_glass_access", "/breakGlassAccesses/{id}"),
    "credentials": Kind("credential", "/credentials/{id}"),
    "cvs": Kind("cv", "/cvs/{id}"),
    "evidence": Kind("evidence", "/evidence/{id}"),
    "exposure_consents": Kind("exposure_consent", "/exposureConsents/{id}"),
    "goals": Kind("goal", "/goals/{id}"),
    "group_memberships": Kind("group_membership", "/groupMemberships/{id}"),
    "guidance_cases": Kind("guidance_case", "/guidanceCase"),
    "holders": Kind("holder"),
    "journal_entries": Kind("journal_entry", "/journalEntries/{id}"),
    "legal_holds": Kind("legal_hold", "/legalHolds/{id}"),
    "mentoring_matches": Kind("mentoring_match", "/mentoringMatches/{id}"),
    "page_collections": Kind("page_collection", "/pageCollections/{id}"),
    "page_comments": Kind("page_comment", "/pageComments/{id}"),
    "page_submissions": Kind("page_submission", "/pageSubmissions/{id}"),
    "pages": Kind("page", "/pages/{id}"),
    "pathway_spells": Kind("pathway_spell", "/pathways/{parent}/spells/{id}"),
    "pathway_steps": Kind("pathway_step", "/pathways/{parent}/steps/{id}"),
    "pathways": Kind("pathway", "/pathways/{id}"),
    "plans": Kind("plan", "/plans/{id}"),
    "questionnaire_parts": Kind("questionnaire_part", "/questionnaires/{parent}/parts/{id}"),
    "questionnaires": Kind("questionnaire", "/questionnaires/{id}"),
    "rights_requests": Kind("rights_request", "/rightsRequests/{id}"),
    "skill_claims": Kind("skill_claim", "/skillClaims/{id}"),
    "validation_cases": Kind("validation_case", "/validationCases/{id}"),
}


def listed(
    tx: Transaction, signer: PageTokenSigner, vault: Vault, request: ListKeptContentsRequest
) -> Paged[KeptContent]:
    """Returns a page of what was kept of a holder, the newest first."""
    found = page_of(tx, signer, kept_contents, vault.holder, request)
    return Paged([_shown(vault, row) for row in found.rows], found.next_page_token)


def purge(tx: Transaction, *, limit: int = 500) -> int:
    """Removes up to `limit` things that no hold keeps any more; returns how many."""
    return keeping.purge(tx, kept_contents, limit=limit)


def _shown(vault: Vault, row: Row[Any]) -> KeptContent:
    kind = KINDS[row.kind]
    # A part of a questionnaire has the questionnaire's id before its own, what stood there for an undo a word
    # behind it.
    own = row.row_id.removeprefix(f"{row.parent_id}.").removesuffix(FORMER)
    resource = names.holder(vault.holder) + kind.name.format(parent=row.parent_id, id=own)
    kept = KeptContent(name=names.child(vault.holder, "keptContents", str(row.id)), resource=resource)
    kept.keep_time.FromDatetime(row.kept_at)
    content: Any = getattr(kept, kind.field)
    content.CopyFrom(vault.open(metadata.tables[row.kind], row.row_id, row.sealed, type(content)))
    return kept
