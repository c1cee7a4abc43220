"""The portfolio service as the platform runs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from waymark.catalogue.v1.events_pb2 import CourseChanged
from waymark.portfolio.v1 import (
    access_log_pb2_grpc,
    attestation_pb2_grpc,
    break_glass_pb2_grpc,
    consent_receipt_pb2_grpc,
    contact_record_pb2_grpc,
    credential_issuer_pb2_grpc,
    credential_pb2_grpc,
    cv_pb2_grpc,
    document_import_pb2_grpc,
    document_pb2_grpc,
    entry_pb2_grpc,
    entry_revision_pb2_grpc,
    evidence_pb2_grpc,
    framework_pb2_grpc,
    goal_pb2_grpc,
    group_membership_pb2_grpc,
    group_programme_pb2_grpc,
    guidance_case_pb2_grpc,
    guidance_note_pb2_grpc,
    handover_pb2_grpc,
    holder_pb2_grpc,
    idea_exposure_pb2_grpc,
    instrument_pb2_grpc,
    issued_credential_pb2_grpc,
    journal_entry_pb2_grpc,
    kept_content_pb2_grpc,
    legal_hold_pb2_grpc,
    mandate_pb2_grpc,
    mentor_pb2_grpc,
    mentoring_match_pb2_grpc,
    on_behalf_pb2_grpc,
    page_collection_pb2_grpc,
    page_comment_pb2_grpc,
    page_pb2_grpc,
    page_submission_pb2_grpc,
    pathway_pb2_grpc,
    plan_pb2_grpc,
    questionnaire_pb2_grpc,
    remainder_pb2_grpc,
    rights_request_pb2_grpc,
    share_link_pb2_grpc,
    skill_claim_pb2_grpc,
    skill_profile_pb2_grpc,
    validation_pb2_grpc,
)

from services.platform.service import Job, ServiceDefinition, Servicer
from services.portfolio import checking, incoming, jobs, previewing, requests, scanning
from services.portfolio.api.access_log import AccessLogApi
from services.portfolio.api.attestations import AttestationApi
from services.portfolio.api.break_glass import BreakGlassApi
from services.portfolio.api.consent_receipts import ConsentReceiptApi
from services.portfolio.api.contact_records import ContactRecordApi
from services.portfolio.api.credential_issuers import CredentialIssuerApi
from services.portfolio.api.credentials import CredentialApi
from services.portfolio.api.cvs import CvApi
from services.portfolio.api.document_imports import DocumentImportApi
from services.portfolio.api.documents import DocumentApi
from services.portfolio.api.entries import EntryApi
from services.portfolio.api.entry_revisions import EntryRevisionApi
from services.portfolio.api.evidence import EvidenceApi
from services.portfolio.api.frameworks import FrameworkApi
from services.portfolio.api.goals import GoalApi
from services.portfolio.api.group_memberships import GroupMembershipApi
from services.portfolio.api.group_programmes import GroupProgrammeApi
from services.portfolio.api.guidance_cases import GuidanceCaseApi
from services.portfolio.api.guidance_notes import GuidanceNoteApi
from services.portfolio.api.handovers import HandoverApi
from services.portfolio.api.holders import HolderApi
from services.portfolio.api.idea_exposures import IdeaExposureApi
from services.portfolio.api.instruments import InstrumentApi
from services.portfolio.api.issued_credentials import IssuedCredentialApi
from services.portfolio.api.journal_entries import JournalEntryApi
from services.portfolio.api.kept_contents import KeptContentApi
from services.portfolio.api.legal_holds import LegalHoldApi
from services.portfolio.api.mandates import MandateApi
from services.portfolio.api.mentoring import MentoringApi
from services.portfolio.api.mentors import MentorApi
from services.portfolio.api.on_behalf import OnBehalfApi
from services.portfolio.api.page_collections import PageCollectionApi
from services.portfolio.api.page_comments import PageCommentApi
from services.portfolio.api.page_submissions import PageSubmissionApi
from services.portfolio.api.pages import PageApi
from services.portfolio.api.pathways import PathwayApi
from services.portfolio.api.plans import PlanApi
from services.portfolio.api.questionnaires import QuestionnaireApi
from services.portfolio.api.remainders import RemainderApi
from services.portfolio.api.rights_requests import RightsRequestApi
from services.portfolio.api.share_links import ShareLinkApi
from services.portfolio.api.skill_claims import SkillClaimApi
from services.portfolio.api.skill_profiles import SkillProfileApi
from services.portfolio.api.validations import ValidationApi
from services.portfolio.app import PortfolioApp
from services.portfolio.reactions.courses import follow_course
from services.portfolio.reactions.redemptions import STAGES, follow_redemption, lock_all

SERVICERS: Sequence[Servicer] = (
    (access_log_pb2_grpc.add_AccessLogServiceServicer_to_server, AccessLogApi),
    (attestation_pb2_grpc.add_AttestationServiceServicer_to_server, AttestationApi),
    (consent_receipt_pb2_grpc.add_ConsentReceiptServiceServicer_to_server, ConsentReceiptApi),
    (contact_record_pb2_grpc.add_ContactRecordServiceServicer_to_server, ContactRecordApi),
    (break_glass_pb2_grpc.add_BreakGlassServiceServicer_to_server, BreakGlassApi),
    (credential_issuer_pb2_grpc.add_CredentialIssuerServiceServicer_to_server, CredentialIssuerApi),
    (credential_pb2_grpc.add_CredentialServiceServicer_to_server, CredentialApi),
    (cv_pb2_grpc.add_CvServiceServicer_to_server, CvApi),
    (document_import_pb2_grpc.add_DocumentImportServiceServicer_to_server, DocumentImportApi),
    (document_pb2_grpc.add_DocumentServiceServicer_to_server, DocumentApi),
    (entry_pb2_grpc.add_EntryServiceServicer_to_server, EntryApi),
    (entry_revision_pb2_grpc.add_EntryRevisionServiceServicer_to_server, EntryRevisionApi),
    (evidence_pb2_grpc.add_EvidenceServiceServicer_to_server, EvidenceApi),
    (group_membership_pb2_grpc.add_GroupMembershipServiceServicer_to_server, GroupMembershipApi),
    (group_programme_pb2_grpc.add_GroupProgrammeServiceServicer_to_server, GroupProgrammeApi),
    (framework_pb2_grpc.add_FrameworkServiceServicer_to_server, FrameworkApi),
    (goal_pb2_grpc.add_GoalServiceServicer_to_server, GoalApi),
    (guidance_case_pb2_grpc.add_GuidanceCaseServiceServicer_to_server, GuidanceCaseApi),
    (guidance_note_pb2_grpc.add_GuidanceNoteServiceServicer_to_server, GuidanceNoteApi),
    (handover_pb2_grpc.add_HandoverServiceServicer_to_server, HandoverApi),
    (holder_pb2_grpc.add_HolderServiceServicer_to_server, HolderApi),
    (idea_exposure_pb2_grpc.add_IdeaExposureServiceServicer_to_server, IdeaExposureApi),
    (instrument_pb2_grpc.add_InstrumentServiceServicer_to_server, InstrumentApi),
    (issued_credential_pb2_grpc.add_IssuedCredentialServiceServicer_to_server, IssuedCredentialApi),
    (journal_entry_pb2_grpc.add_JournalEntryServiceServicer_to_server, JournalEntryApi),
    (kept_content_pb2_grpc.add_KeptContentServiceServicer_to_server, KeptContentApi),
    (legal_hold_pb2_grpc.add_LegalHoldServiceServicer_to_server, LegalHoldApi),
    (mandate_pb2_grpc.add_MandateServiceServicer_to_server, MandateApi),
    (mentor_pb2_grpc.add_MentorServiceServicer_to_server, MentorApi),
    (mentoring_match_pb2_grpc.add_MentoringServiceServicer_to_server, MentoringApi),
    (page_collection_pb2_grpc.add_PageCollectionServiceServicer_to_server, PageCollectionApi),
    (page_comment_pb2_grpc.add_PageCommentServiceServicer_to_server, PageCommentApi),
    (page_pb2_grpc.add_PageServiceServicer_to_server, PageApi),
    (page_submission_pb2_grpc.add_PageSubmissionServiceServicer_to_server, PageSubmissionApi),
    (on_behalf_pb2_grpc.add_OnBehalfServiceServicer_to_server, OnBehalfApi),
    (pathway_pb2_grpc.add_PathwayServiceServicer_to_server, PathwayApi),
    (questionnaire_pb2_grpc.add_QuestionnaireServiceServicer_to_server, QuestionnaireApi),
    (plan_pb2_grpc.add_PlanServiceServicer_to_server, PlanApi),
    (remainder_pb2_grpc.add_RemainderServiceServicer_to_server, RemainderApi),
    (rights_request_pb2_grpc.add_RightsRequestServiceServicer_to_server, RightsRequestApi),
    (share_link_pb2_grpc.add_ShareLinkServiceServicer_to_server, ShareLinkApi),
    (skill_claim_pb2_grpc.add_SkillClaimServiceServicer_to_server, SkillClaimApi),
    (skill_profile_pb2_grpc.add_SkillProfileServiceServicer_to_server, SkillProfileApi),
    (validation_pb2_grpc.add_ValidationServiceServicer_to_server, ValidationApi),
)

DEFINITION = ServiceDefinition(
    name="portfolio",
    app=PortfolioApp,
    servicers=SERVICERS,
    relationships={
        "self": requests.is_self,
        "break_glass": requests.has_broken_glass,
        "group.leader": requests.leads_group,
        "group.staff": requests.runs_group,
        "issuer.staff": requests.is_staff,
        "mentor.self": requests.is_mentor,
        "mentor.staff": requests.offers_mentor,
        "mentoring.mentor": requests.is_mentor_of,
        "submission.recipient": requests.is_recipient,
        **{name: requests.by_mandate(purposes) for name, purposes in requests.MANDATES.items()},
        requests.ON_BEHALF: requests.by_mandate(requests.GUIDANCE, on_behalf=True),
        "validation.assessor": requests.is_assessor,
        "validation.awarding": requests.is_of_awarding_body,
    },
    reactions={CourseChanged: follow_course, **dict.fromkeys(STAGES, follow_redemption)},
    locks=lock_all,
    jobs=(
        Job("rewrap-holder-keys", timedelta(minutes=5), jobs.rewrap_holder_keys),
        Job("end-mentoring", timedelta(minutes=5), jobs.end_mentoring),
        Job("notice-stalled-pathways", timedelta(hours=1), jobs.notice_stalled_pathways),
        Job("check-evidence", timedelta(seconds=5), checking.check_the_rest, long=True),
        Job("scan-evidence", timedelta(minutes=1), scanning.scan_the_rest, long=True),
        Job("preview-evidence", timedelta(seconds=5), previewing.preview_the_rest, long=True),
        Job("look-at-told-courses", timedelta(seconds=5), jobs.look_at_told_courses, long=True),
        Job("tell-reminders", timedelta(minutes=1), jobs.tell_reminders),
        Job("empty-trash", timedelta(hours=1), jobs.empty_trash),
        Job("remind-of-rights-requests", timedelta(hours=1), jobs.remind_of_rights_requests),
        Job("forget-daily-looks", timedelta(hours=1), jobs.forget_daily_looks),
        Job("sweep-evidence", timedelta(hours=1), jobs.sweep_evidence),
        Job("sweep-documents", timedelta(hours=1), incoming.sweep),
    ),
)
