"""What everything is: the kinds of things that are kept of a holder, and how each is read.

A table with rows of holders is named here, or is in UNTOLD with why: a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from google.protobuf.message import Message
from sqlalchemy import Table
from waymark.portfolio.v1.access_log_pb2 import ListAccessRecordsRequest
from waymark.portfolio.v1.attestation_pb2 import ListAttestationRequestsRequest
from waymark.portfolio.v1.break_glass_pb2 import ListBreakGlassAccessesRequest
from waymark.portfolio.v1.contact_record_pb2 import ListContactRecordsRequest
from waymark.portfolio.v1.credential_pb2 import ListCredentialsRequest
from waymark.portfolio.v1.cv_pb2 import ListCvsRequest
from waymark.portfolio.v1.entry_pb2 import ListEntriesRequest
from waymark.portfolio.v1.entry_revision_pb2 import ListEntryRevisionsRequest
from waymark.portfolio.v1.evidence_pb2 import ListEvidenceRequest
from waymark.portfolio.v1.goal_pb2 import ListGoalsRequest
from waymark.portfolio.v1.group_membership_pb2 import ListGroupMembershipsRequest
from waymark.portfolio.v1.guidance_case_pb2 import ListTierMovesRequest
from waymark.portfolio.v1.guidance_note_pb2 import ListGuidanceNotesRequest
from waymark.portfolio.v1.handover_pb2 import ListHandoversRequest
from waymark.portfolio.v1.idea_exposure_pb2 import ListExposureConsentsRequest
from waymark.portfolio.v1.issued_credential_pb2 import ListIssuedCredentialsRequest
from waymark.portfolio.v1.journal_entry_pb2 import ListJournalEntriesRequest
from waymark.portfolio.v1.legal_hold_pb2 import ListLegalHoldsRequest
from waymark.portfolio.v1.mandate_pb2 import ListMandatesRequest
from waymark.portfolio.v1.mentoring_match_pb2 import ListMentoringMatchesRequest
from waymark.portfolio.v1.on_behalf_pb2 import ListOnBehalfRecordsRequest
from waymark.portfolio.v1.page_collection_pb2 import ListPageCollectionsRequest
from waymark.portfolio.v1.page_comment_pb2 import ListPageCommentsRequest, ListPageInvitationsRequest
from waymark.portfolio.v1.page_pb2 import ListPagesRequest
from waymark.portfolio.v1.page_submission_pb2 import ListPageSubmissionsRequest, SubmittedPages
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest, ListPathwayWordsRequest
from waymark.portfolio.v1.plan_pb2 import ListPlansRequest
from waymark.portfolio.v1.questionnaire_pb2 import ListQuestionnairesRequest
from waymark.portfolio.v1.rights_request_pb2 import ListRightsRequestsRequest
from waymark.portfolio.v1.share_link_pb2 import ListShareLinksRequest
from waymark.portfolio.v1.skill_claim_pb2 import ListSkillClaimsRequest
from waymark.portfolio.v1.validation_pb2 import ListValidationCasesRequest, ValidationSnapshot

from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.guidance import Reader as HolderOrCounsellor
from services.portfolio.export.reader import Listed, Reader
from services.portfolio.store import (
    access_records,
    break_glass,
    entry_revisions,
    guidance_cases,
    guidance_tables,
    handovers,
    holders,
    instrument_tables,
    issued_credentials,
    mandates,
    on_behalf_records,
    page_submissions,
    page_tables,
    pathway_words,
    pathways,
    planning_tables,
    questionnaire_parts,
    rights_requests,
    rights_tables,
    share_links,
    tables,
    validations,
)
from services.portfolio.store.attestation_requests import REQUESTS
from services.portfolio.store.collection import Paged
from services.portfolio.store.credentials import CREDENTIALS
from services.portfolio.store.cvs import CVS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.group_memberships import MEMBERSHIPS
from services.portfolio.store.guidance_cases import TIER_MOVES
from services.portfolio.store.guidance_words import CONTACT_RECORDS, GUIDANCE_NOTES, notes_seen_by
from services.portfolio.store.idea_exposures import CONSENTS
from services.portfolio.store.legal_holds import LEGAL_HOLDS
from services.portfolio.store.mentoring_matches import MATCHES
from services.portfolio.store.page_comments import COMMENTS, INVITATIONS
from services.portfolio.store.page_submissions import SUBMISSIONS
from services.portfolio.store.pages import PAGE_COLLECTIONS, PAGES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS, Kept
from services.portfolio.store.questionnaires import QUESTIONNAIRES
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.validations import CASES
from services.portfolio.store.vault import Vault

Rows = Callable[[Reader], Iterator[Message]]


class Part(NamedTuple):
    """One kind of thing: the name of its files, what people call it, how it is read, of which tables."""

    name: str
    title: str
    rows: Rows
    tables: tuple[Table, ...]


def _all(request: Callable[..., Message], listed: Listed[Any]) -> Rows:
    """Reads all of a list."""
    return lambda reader: reader.pages(request, listed)


def _of_holder(listed: Callable[..., Paged[Any]]) -> Listed[Any]:
    """Gives a list that asks for the holder the shape of those that ask for an open vault."""

    def asked(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
        return listed(tx, signer, vault.holder, request)

    return asked


def _of_holder_and_vault(listed: Callable[..., Paged[Any]]) -> Listed[Any]:
    """The same for lists that outlive the vault."""

    def asked(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
        return listed(tx, signer, vault.holder, vault, request)

    return asked


def _holder(reader: Reader) -> Iterator[Message]:
    yield reader.look(holders.get)


def _revisions(reader: Reader) -> Iterator[Message]:
    for entry in reader.pages(ListEntriesRequest, ENTRIES.page):
        if entry.update_time != entry.create_time:  # one that never changed has none
            yield from _under(reader, ListEntryRevisionsRequest, entry_revisions.listed, entry.name)


def _words(reader: Reader) -> Iterator[Message]:
    for pathway in reader.pages(ListPathwaysRequest, pathways.listed):
        yield from _under(reader, ListPathwayWordsRequest, pathway_words.listed, pathway.name)


def _under(
    reader: Reader, request: Callable[..., Message], listed: Callable[..., Paged[Any]], parent: str
) -> Iterator[Message]:
    """Reads a list below a resource of the holder."""

    def below(tx: Transaction, signer: PageTokenSigner, vault: Vault, wanted: Any) -> Paged[Any]:
        return listed(tx, signer, vault, names.last(parent), wanted)

    return reader.pages(request, below)


def _snapshots(reader: Reader) -> Iterator[Message]:
    for case in reader.pages(ListValidationCasesRequest, CASES.page):
        if case.snapshot_sha256:
            yield reader.look(partial(_snapshot, names.last(case.name)))


def _snapshot(case_id: str, tx: Transaction, vault: Vault) -> ValidationSnapshot:
    return validations.frozen(tx, vault, case_id)


def _formers(reader: Reader) -> Iterator[Message]:
    kept: tuple[tuple[Callable[..., Message], Kept[Any]], ...] = (
        (ListJournalEntriesRequest, JOURNAL),
        (ListGoalsRequest, GOALS),
        (ListPlansRequest, PLANS),
    )
    for request, things in kept:
        for thing in reader.pages(request, things.page):
            if thing.update_time != thing.create_time:
                yield from reader.look(partial(_former, things, thing.name))


def _former(things: Kept[Any], name: str, tx: Transaction, vault: Vault) -> list[Message]:
    try:
        former = things.former(tx, vault, names.last(name))
    except Refusal:  # only put into the trash or another place
        return []
    former.name = name
    return [former]


def _handed_in(reader: Reader) -> Iterator[Message]:
    for submission in reader.pages(ListPageSubmissionsRequest, SUBMISSIONS.page):
        yield reader.look(partial(_frozen, names.last(submission.name)))


def _frozen(submission_id: str, tx: Transaction, vault: Vault) -> SubmittedPages:
    return page_submissions.frozen(tx, vault, submission_id)


def _answers(reader: Reader) -> Iterator[Message]:
    for questionnaire in reader.pages(ListQuestionnairesRequest, QUESTIONNAIRES.page):
        yield from reader.look(partial(_parts, names.last(questionnaire.name)))


def _parts(questionnaire_id: str, tx: Transaction, vault: Vault) -> list[Message]:
    parts = questionnaire_parts.states(tx, vault.holder, [questionnaire_id])[questionnaire_id]
    return [questionnaire_parts.get(tx, vault, questionnaire_id, names.last(part.name)) for part in parts]


def _case(reader: Reader) -> Iterator[Message]:
    yield reader.look(guidance_cases.read)


def _shared_notes(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
    seen = notes_seen_by(HolderOrCounsellor(is_holder=True, leads=False, organisation=""))
    return GUIDANCE_NOTES.page(tx, signer, vault, request, *seen)


PARTS: tuple[Part, ...] = (
    Part("holder", "You", _holder, (tables.holders,)),
    Part(
        "entries",
        "Work, learning and other entries",
        _all(ListEntriesRequest, ENTRIES.page),
        (tables.entries,),
    ),
    Part("entry-revisions", "What entries said before", _revisions, (tables.entry_revisions,)),
    Part("skill-claims", "Skills", _all(ListSkillClaimsRequest, SKILL_CLAIMS.page), (tables.skill_claims,)),
    Part(
        "attestation-requests",
        "Links for employers to attest skills",
        _all(ListAttestationRequestsRequest, REQUESTS.page),
        (tables.attestation_requests,),
    ),
    Part("cvs", "Versions of your CV, with letters", _all(ListCvsRequest, CVS.page), (tables.cvs,)),
    Part(
        "evidence",
        "Files",
        _all(ListEvidenceRequest, EVIDENCE.page),
        (tables.evidence, tables.evidence_posters),
    ),
    Part(
        "credentials",
        "Credentials in your wallet",
        _all(ListCredentialsRequest, CREDENTIALS.page),
        (tables.credentials, tables.credential_files),
    ),
    Part(
        "issued-credentials",
        "What awarding bodies issued to you",
        _all(ListIssuedCredentialsRequest, _of_holder(issued_credentials.of_holder)),
        (tables.issued_credentials,),
    ),
    Part(
        "pathways",
        "Pathways, with steps and spells",
        _all(ListPathwaysRequest, pathways.listed),
        (tables.pathways, tables.pathway_steps, tables.pathway_spells),
    ),
    Part("pathway-words", "Who proposed and agreed to what", _words, (guidance_tables.pathway_words,)),
    Part(
        "validation-cases",
        "Validation of what you learnt",
        _all(ListValidationCasesRequest, CASES.page),
        (guidance_tables.validation_cases,),
    ),
    Part(
        "validation-snapshots",
        "What your cases were handed in with",
        _snapshots,
        (guidance_tables.validation_snapshots,),
    ),
    Part("journal-entries", "Your journal", _all(ListJournalEntriesRequest, JOURNAL.page), (JOURNAL.table,)),
    Part("goals", "Goals", _all(ListGoalsRequest, GOALS.page), (GOALS.table,)),
    Part("plans", "Plans with tasks", _all(ListPlansRequest, PLANS.page), (PLANS.table,)),
    Part("before-last-change", "What journal, goals and plans said before their last change", _formers, ()),
    Part(
        "questionnaires",
        "Questionnaires and what they came to",
        _all(ListQuestionnairesRequest, QUESTIONNAIRES.page),
        (QUESTIONNAIRES.table,),
    ),
    Part(
        "questionnaire-parts",
        "What you and others answered",
        _answers,
        (instrument_tables.questionnaire_parts,),
    ),
    Part("pages", "Pages", _all(ListPagesRequest, PAGES.page), (PAGES.table,)),
    Part(
        "page-collections",
        "Collections of pages",
        _all(ListPageCollectionsRequest, PAGE_COLLECTIONS.page),
        (PAGE_COLLECTIONS.table,),
    ),
    Part(
        "page-invitations",
        "Links to comment on pages",
        _all(ListPageInvitationsRequest, INVITATIONS.page),
        (INVITATIONS.table,),
    ),
    Part(
        "page-comments",
        "What others said to pages",
        _all(ListPageCommentsRequest, COMMENTS.page),
        (COMMENTS.table,),
    ),
    Part(
        "page-submissions",
        "Pages you handed in",
        _all(ListPageSubmissionsRequest, SUBMISSIONS.page),
        (SUBMISSIONS.table,),
    ),
    Part("submitted-pages", "Pages as they were handed in", _handed_in, (page_tables.submitted_pages,)),
    Part(
        "mentoring-matches",
        "Mentors",
        _all(ListMentoringMatchesRequest, MATCHES.page),
        (MATCHES.table,),
    ),
    Part(
        "group-memberships",
        "Group programmes",
        _all(ListGroupMembershipsRequest, MEMBERSHIPS.page),
        (MEMBERSHIPS.table,),
    ),
    Part(
        "exposure-consents",
        "Consents to being counted by gender",
        _all(ListExposureConsentsRequest, CONSENTS.page),
        (CONSENTS.table,),
    ),
    Part("guidance-case", "Your case of guidance", _case, (guidance_tables.guidance_cases,)),
    Part(
        "tier-moves",
        "How much help you were to have",
        _all(ListTierMovesRequest, TIER_MOVES.page),
        (TIER_MOVES.table,),
    ),
    Part(
        "contact-records",
        "When you were met",
        _all(ListContactRecordsRequest, CONTACT_RECORDS.page),
        (CONTACT_RECORDS.table,),
    ),
    Part(
        "guidance-notes",
        "Notes of counsellors that are shared with you",
        _all(ListGuidanceNotesRequest, _shared_notes),
        (GUIDANCE_NOTES.table,),
    ),
    Part(
        "on-behalf-records",
        "What counsellors wrote on your behalf",
        _all(ListOnBehalfRecordsRequest, _of_holder(on_behalf_records.listed)),
        (guidance_tables.on_behalf_records,),
    ),
    Part(
        "mandates",
        "Counsellors whom you let look",
        _all(ListMandatesRequest, _of_holder(mandates.listed)),
        (tables.mandates,),
    ),
    Part(
        "handovers",
        "Offers to hand a mandate over",
        _all(ListHandoversRequest, _of_holder(handovers.listed)),
        (guidance_tables.handovers,),
    ),
    Part(
        "share-links", "Secret links", _all(ListShareLinksRequest, share_links.listed), (tables.share_links,)
    ),
    Part(
        "rights-requests",
        "What you asked the office for by right",
        _all(ListRightsRequestsRequest, _of_holder_and_vault(rights_requests.listed)),
        (rights_tables.rights_requests,),
    ),
    Part(
        "legal-holds",
        "Why the law asks for something to be kept",
        _all(ListLegalHoldsRequest, LEGAL_HOLDS.page),
        (rights_tables.legal_holds,),
    ),
    Part(
        "break-glass-accesses",
        "Looks without your leave",
        _all(ListBreakGlassAccessesRequest, _of_holder_and_vault(break_glass.listed)),
        (rights_tables.break_glass_accesses,),
    ),
    Part(
        "access-records",
        "Who looked",
        _all(ListAccessRecordsRequest, _of_holder(access_records.listed)),
        (tables.access_records,),
    ),
)
UNTOLD: Mapping[Table, str] = {
    tables.holder_keys: "the key itself, which opens nothing anywhere else",
    planning_tables.reminders: "when to tell of goals and tasks, which say so themselves",
    rights_tables.people_seen: "who looked today, which the access records tell",
    tables.step_redemptions: "how a step came to its state, which the pathway tells",
}
