"""What everything is: the kinds of things that are kept of a holder, and how each is read.

A table with rows of holders is named here, or is in UNTOLD with why: a test holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Table
from waymark.portfolio.v1.access_log_pb2 import ListAccessRecordsRequest
from waymark.portfolio.v1.attestation_pb2 import ListAttestationRequestsRequest
from waymark.portfolio.v1.break_glass_pb2 import ListBreakGlassAccessesRequest
from waymark.portfolio.v1.contact_record_pb2 import ListContactRecordsRequest
from waymark.portfolio.v1.credential_pb2 import ListCredentialsRequest
from waymark.portfolio.v1.cv_pb2 import ListCvsRequest
from waymark.portfolio.v1.document_import_pb2 import ListDocumentImportsRequest
from waymark.portfolio.v1.entry_pb2 import ListEntriesRequest
from waymark.portfolio.v1.evidence_pb2 import ListEvidenceRequest
from waymark.portfolio.v1.goal_pb2 import ListGoalsRequest
from waymark.portfolio.v1.group_membership_pb2 import ListGroupMembershipsRequest
from waymark.portfolio.v1.guidance_case_pb2 import ListTierMovesRequest
from waymark.portfolio.v1.guidance_note_pb2 import ListGuidanceNotesRequest
from waymark.portfolio.v1.handover_pb2 import ListHandoversRequest
from waymark.portfolio.v1.idea_exposure_pb2 import ListExposureConsentsRequest
from waymark.portfolio.v1.issued_credential_pb2 import ListIssuedCredentialsRequest
from waymark.portfolio.v1.journal_entry_pb2 import ListJournalEntriesRequest
from waymark.portfolio.v1.kept_content_pb2 import ListKeptContentsRequest
from waymark.portfolio.v1.legal_hold_pb2 import ListLegalHoldsRequest
from waymark.portfolio.v1.mandate_pb2 import ListMandatesRequest
from waymark.portfolio.v1.mentoring_match_pb2 import ListMentoringMatchesRequest
from waymark.portfolio.v1.on_behalf_pb2 import ListOnBehalfRecordsRequest
from waymark.portfolio.v1.page_collection_pb2 import ListPageCollectionsRequest
from waymark.portfolio.v1.page_comment_pb2 import ListPageCommentsRequest, ListPageInvitationsRequest
from waymark.portfolio.v1.page_pb2 import ListPagesRequest
from waymark.portfolio.v1.page_submission_pb2 import ListPageSubmissionsRequest
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest
from waymark.portfolio.v1.plan_pb2 import ListPlansRequest
from waymark.portfolio.v1.questionnaire_pb2 import ListQuestionnairesRequest
from waymark.portfolio.v1.remainder_pb2 import ListRemaindersRequest
from waymark.portfolio.v1.rights_request_pb2 import ListRightsRequestsRequest
from waymark.portfolio.v1.share_link_pb2 import ListShareLinksRequest
from waymark.portfolio.v1.skill_claim_pb2 import ListSkillClaimsRequest
from waymark.portfolio.v1.validation_pb2 import ListValidationCasesRequest

from services.portfolio.export.rows import (
    Rows,
    answers,
    case,
    every,
    formers,
    handed_in,
    of_holder,
    of_holder_and_vault,
    revisions,
    shared_notes,
    snapshots,
    the_holder,
    words,
)
from services.portfolio.store import (
    access_records,
    break_glass,
    credential_tables,
    guidance_tables,
    handovers,
    instrument_tables,
    issued_credentials,
    kept_contents,
    mandates,
    on_behalf_records,
    page_tables,
    pathways,
    planning_tables,
    rights_requests,
    rights_tables,
    share_links,
    tables,
)
from services.portfolio.store.attestation_requests import REQUESTS
from services.portfolio.store.credentials import CREDENTIALS
from services.portfolio.store.cvs import CVS
from services.portfolio.store.document_imports import IMPORTS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.group_memberships import MEMBERSHIPS
from services.portfolio.store.guidance_cases import TIER_MOVES
from services.portfolio.store.guidance_words import CONTACT_RECORDS, GUIDANCE_NOTES
from services.portfolio.store.idea_exposures import CONSENTS
from services.portfolio.store.legal_holds import LEGAL_HOLDS
from services.portfolio.store.mentoring_matches import MATCHES
from services.portfolio.store.page_comments import COMMENTS, INVITATIONS
from services.portfolio.store.page_submissions import SUBMISSIONS
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS
from services.portfolio.store.questionnaires import QUESTIONNAIRES
from services.portfolio.store.remainders import REMAINDERS
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.validations import CASES


class Part(NamedTuple):
    """One kind of thing: the name of its files, by which `words` say what people call it, how it is read, of
    which tables."""

    name: str
    rows: Rows
    tables: tuple[Table, ...]


PARTS: tuple[Part, ...] = (
    Part("holder", the_holder, (tables.holders,)),
    Part(
        "entries",
        every(ListEntriesRequest, ENTRIES.page),
        (tables.entries,),
    ),
    Part("entry-revisions", revisions, (tables.entry_revisions,)),
    Part("skill-claims", every(ListSkillClaimsRequest, SKILL_CLAIMS.page), (tables.skill_claims,)),
    Part(
        "attestation-requests",
        every(ListAttestationRequestsRequest, REQUESTS.page),
        (tables.attestation_requests,),
    ),
    Part("cvs", every(ListCvsRequest, CVS.page), (tables.cvs,)),
    Part(
        "document-imports",
        every(ListDocumentImportsRequest, IMPORTS.page),
        (tables.document_imports,),
    ),
    Part("remainders", every(ListRemaindersRequest, REMAINDERS.page), (tables.remainders,)),
    Part(
        "evidence",
        every(ListEvidenceRequest, EVIDENCE.page),
        (tables.evidence, tables.evidence_posters),
    ),
    Part(
        "credentials",
        every(ListCredentialsRequest, CREDENTIALS.page),
        (credential_tables.credentials, credential_tables.credential_files),
    ),
    Part(
        "issued-credentials",
        every(ListIssuedCredentialsRequest, of_holder(issued_credentials.of_holder)),
        (credential_tables.issued_credentials,),
    ),
    Part(
        "pathways",
        every(ListPathwaysRequest, pathways.listed),
        (tables.pathways, tables.pathway_steps, tables.pathway_spells),
    ),
    Part("pathway-words", words, (guidance_tables.pathway_words,)),
    Part(
        "validation-cases",
        every(ListValidationCasesRequest, CASES.page),
        (guidance_tables.validation_cases,),
    ),
    Part(
        "validation-snapshots",
        snapshots,
        (guidance_tables.validation_snapshots,),
    ),
    Part("journal-entries", every(ListJournalEntriesRequest, JOURNAL.page), (JOURNAL.table,)),
    Part("goals", every(ListGoalsRequest, GOALS.page), (GOALS.table,)),
    Part("plans", every(ListPlansRequest, PLANS.page), (PLANS.table,)),
    Part("before-last-change", formers, ()),
    Part(
        "questionnaires",
        every(ListQuestionnairesRequest, QUESTIONNAIRES.page),
        (QUESTIONNAIRES.table,),
    ),
    Part(
        "questionnaire-parts",
        answers,
        (instrument_tables.questionnaire_parts,),
    ),
    Part("pages", every(ListPagesRequest, PAGES.page), (PAGES.table,)),
    Part(
        "page-collections",
        every(ListPageCollectionsRequest, PAGE_COLLECTIONS.page),
        (PAGE_COLLECTIONS.table,),
    ),
    Part(
        "page-invitations",
        every(ListPageInvitationsRequest, INVITATIONS.page),
        (INVITATIONS.table,),
    ),
    Part(
        "page-comments",
        every(ListPageCommentsRequest, COMMENTS.page),
        (COMMENTS.table,),
    ),
    Part(
        "page-submissions",
        every(ListPageSubmissionsRequest, SUBMISSIONS.page),
        (SUBMISSIONS.table,),
    ),
    Part("submitted-pages", handed_in, (page_tables.submitted_pages,)),
    Part(
        "mentoring-matches",
        every(ListMentoringMatchesRequest, MATCHES.page),
        (MATCHES.table,),
    ),
    Part(
        "group-memberships",
        every(ListGroupMembershipsRequest, MEMBERSHIPS.page),
        (MEMBERSHIPS.table,),
    ),
    Part(
        "exposure-consents",
        every(ListExposureConsentsRequest, CONSENTS.page),
        (CONSENTS.table,),
    ),
    Part("guidance-case", case, (guidance_tables.guidance_cases,)),
    Part(
        "tier-moves",
        every(ListTierMovesRequest, TIER_MOVES.page),
        (TIER_MOVES.table,),
    ),
    Part(
        "contact-records",
        every(ListContactRecordsRequest, CONTACT_RECORDS.page),
        (CONTACT_RECORDS.table,),
    ),
    Part(
        "guidance-notes",
        every(ListGuidanceNotesRequest, shared_notes),
        (GUIDANCE_NOTES.table,),
    ),
    Part(
        "on-behalf-records",
        every(ListOnBehalfRecordsRequest, of_holder(on_behalf_records.listed)),
        (guidance_tables.on_behalf_records,),
    ),
    Part(
        "mandates",
        every(ListMandatesRequest, of_holder(mandates.listed)),
        (tables.mandates,),
    ),
    Part(
        "handovers",
        every(ListHandoversRequest, of_holder(handovers.listed)),
        (guidance_tables.handovers,),
    ),
    Part("share-links", every(ListShareLinksRequest, share_links.listed), (tables.share_links,)),
    Part(
        "rights-requests",
        every(ListRightsRequestsRequest, of_holder_and_vault(rights_requests.listed)),
        (rights_tables.rights_requests,),
    ),
    Part(
        "legal-holds",
        every(ListLegalHoldsRequest, LEGAL_HOLDS.page),
        (rights_tables.legal_holds,),
    ),
    Part(
        "kept-contents",
        every(ListKeptContentsRequest, kept_contents.listed),
        (rights_tables.kept_contents,),
    ),
    Part(
        "break-glass-accesses",
        every(ListBreakGlassAccessesRequest, of_holder_and_vault(break_glass.listed)),
        (rights_tables.break_glass_accesses,),
    ),
    Part(
        "access-records",
        every(ListAccessRecordsRequest, of_holder(access_records.listed)),
        (tables.access_records,),
    ),
)
UNTOLD: Mapping[Table, str] = {
    tables.holder_keys: "the key itself, which opens nothing anywhere else",
    planning_tables.reminders: "when to tell of goals and tasks, which say so themselves",
    rights_tables.people_seen: "who looked today, which the access records tell",
    tables.step_redemptions: "how a step came to its state, which the pathway tells",
}
