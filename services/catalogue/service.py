"""What the catalogue hands to the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from waymark.catalogue.v1 import (
    agreement_pb2_grpc,
    agreement_review_pb2_grpc,
    api_access_pb2_grpc,
    api_product_pb2_grpc,
    appeal_pb2_grpc,
    assessment_pb2_grpc,
    contact_details_pb2_grpc,
    course_change_pb2_grpc,
    course_complaint_pb2_grpc,
    course_completeness_pb2_grpc,
    course_export_pb2_grpc,
    course_feedback_pb2_grpc,
    course_link_pb2_grpc,
    course_pb2_grpc,
    course_push_pb2_grpc,
    course_snapshot_pb2_grpc,
    exposure_pb2_grpc,
    feed_run_pb2_grpc,
    market_change_pb2_grpc,
    observation_pb2_grpc,
    occupation_pb2_grpc,
    organisation_pb2_grpc,
    partner_application_pb2_grpc,
    place_pb2_grpc,
    quality_hold_pb2_grpc,
    search_pb2_grpc,
    shortage_answer_pb2_grpc,
    shortage_list_pb2_grpc,
    shortage_match_pb2_grpc,
    skill_gap_pb2_grpc,
    source_pb2_grpc,
    tag_review_pb2_grpc,
    taxonomy_change_pb2_grpc,
    taxonomy_pb2_grpc,
    upload_pb2_grpc,
)
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.vouchers.v1.events_pb2 import (
    ProgrammeActivated,
    ProgrammeMoneyChanged,
    RedemptionAccepted,
    RedemptionReserved,
)

from services.catalogue import taxonomy_changing
from services.catalogue.api.accreditations import announce_begun, announce_run_out, ask_for_reviews
from services.catalogue.api.agreement_reviews import AgreementReviewApi
from services.catalogue.api.agreements import AgreementApi, ask_for_agreement_reviews, end_those_over
from services.catalogue.api.api_access import ApiAccessApi
from services.catalogue.api.api_products import ApiProductApi
from services.catalogue.api.appeals import AppealApi
from services.catalogue.api.assessments import AssessmentApi
from services.catalogue.api.completeness import CourseCompletenessApi
from services.catalogue.api.contact_details import ContactDetailsApi
from services.catalogue.api.course_changes import CourseChangeApi
from services.catalogue.api.course_complaints import CourseComplaintApi
from services.catalogue.api.course_exports import CourseExportApi
from services.catalogue.api.course_feedback import CourseFeedbackApi
from services.catalogue.api.course_links import CourseLinkApi
from services.catalogue.api.course_pushes import CoursePushApi
from services.catalogue.api.course_snapshots import CourseSnapshotApi
from services.catalogue.api.courses import CourseApi
from services.catalogue.api.exposures import ExposureApi
from services.catalogue.api.feed_runs import FeedRunApi
from services.catalogue.api.market_changes import MarketChangeApi
from services.catalogue.api.observations import ObservationApi
from services.catalogue.api.occupations import OccupationApi
from services.catalogue.api.organisations import OrganisationApi
from services.catalogue.api.partner_applications import PartnerApplicationApi
from services.catalogue.api.places import PlaceApi
from services.catalogue.api.quality_holds import QualityHoldApi, tell_followers
from services.catalogue.api.relationships import RELATIONSHIPS
from services.catalogue.api.search import SearchApi
from services.catalogue.api.shortage_answers import ShortageAnswerApi
from services.catalogue.api.shortage_lists import ShortageListApi
from services.catalogue.api.shortage_matches import ShortageMatchApi
from services.catalogue.api.shortage_signing import sign_unsigned
from services.catalogue.api.skill_gaps import SkillGapApi
from services.catalogue.api.sources import SourceApi
from services.catalogue.api.tag_reviews import TagReviewApi
from services.catalogue.api.taxonomies import TaxonomyApi
from services.catalogue.api.taxonomy_changes import TaxonomyChangeApi
from services.catalogue.api.uploads import UploadApi
from services.catalogue.app import CatalogueApp
from services.catalogue.checking import check_uploads
from services.catalogue.closing import move_courses
from services.catalogue.course_embedding import embed_courses
from services.catalogue.deriving import follow_changes
from services.catalogue.exports.snapshots import make_waiting
from services.catalogue.feeding.pushes import break_off_abandoned
from services.catalogue.feeding.retention import let_go
from services.catalogue.imports import observations
from services.catalogue.imports.worker import count_held
from services.catalogue.metering import settle_counts
from services.catalogue.reactions.bookings import count_booking
from services.catalogue.reactions.completions import note_completion
from services.catalogue.reactions.erasures import forget_subject
from services.catalogue.reactions.programmes import keep_money, keep_terms
from services.catalogue.search import exposure
from services.catalogue.search.follower import follow
from services.catalogue.search.label_follower import follow_labels
from services.catalogue.shortage_book import pack_unpacked
from services.catalogue.skill_tagging import count_views, tag_courses
from services.catalogue.telling import tell_anew
from services.platform.app import App
from services.platform.operations.runner import Work, run_due
from services.platform.service import Job, ServiceDefinition, Servicer

SERVICERS: Sequence[Servicer] = (
    (upload_pb2_grpc.add_UploadServiceServicer_to_server, UploadApi),
    (taxonomy_pb2_grpc.add_TaxonomyServiceServicer_to_server, TaxonomyApi),
    (place_pb2_grpc.add_PlaceServiceServicer_to_server, PlaceApi),
    (taxonomy_change_pb2_grpc.add_TaxonomyChangeServiceServicer_to_server, TaxonomyChangeApi),
    (organisation_pb2_grpc.add_OrganisationServiceServicer_to_server, OrganisationApi),
    (agreement_pb2_grpc.add_AgreementServiceServicer_to_server, AgreementApi),
    (agreement_review_pb2_grpc.add_AgreementReviewServiceServicer_to_server, AgreementReviewApi),
    (contact_details_pb2_grpc.add_ContactDetailsServiceServicer_to_server, ContactDetailsApi),
    (partner_application_pb2_grpc.add_PartnerApplicationServiceServicer_to_server, PartnerApplicationApi),
    (shortage_list_pb2_grpc.add_ShortageListServiceServicer_to_server, ShortageListApi),
    (shortage_answer_pb2_grpc.add_ShortageAnswerServiceServicer_to_server, ShortageAnswerApi),
    (shortage_match_pb2_grpc.add_ShortageMatchServiceServicer_to_server, ShortageMatchApi),
    (source_pb2_grpc.add_SourceServiceServicer_to_server, SourceApi),
    (feed_run_pb2_grpc.add_FeedRunServiceServicer_to_server, FeedRunApi),
    (course_pb2_grpc.add_CourseServiceServicer_to_server, CourseApi),
    (course_push_pb2_grpc.add_CoursePushServiceServicer_to_server, CoursePushApi),
    (course_complaint_pb2_grpc.add_CourseComplaintServiceServicer_to_server, CourseComplaintApi),
    (course_feedback_pb2_grpc.add_CourseFeedbackServiceServicer_to_server, CourseFeedbackApi),
    (quality_hold_pb2_grpc.add_QualityHoldServiceServicer_to_server, QualityHoldApi),
    (appeal_pb2_grpc.add_AppealServiceServicer_to_server, AppealApi),
    (course_export_pb2_grpc.add_CourseExportServiceServicer_to_server, CourseExportApi),
    (course_completeness_pb2_grpc.add_CourseCompletenessServiceServicer_to_server, CourseCompletenessApi),
    (course_link_pb2_grpc.add_CourseLinkServiceServicer_to_server, CourseLinkApi),
    (tag_review_pb2_grpc.add_TagReviewServiceServicer_to_server, TagReviewApi),
    (course_snapshot_pb2_grpc.add_CourseSnapshotServiceServicer_to_server, CourseSnapshotApi),
    (course_change_pb2_grpc.add_CourseChangeServiceServicer_to_server, CourseChangeApi),
    (search_pb2_grpc.add_SearchServiceServicer_to_server, SearchApi),
    (skill_gap_pb2_grpc.add_SkillGapServiceServicer_to_server, SkillGapApi),
    (exposure_pb2_grpc.add_ExposureServiceServicer_to_server, ExposureApi),
    (observation_pb2_grpc.add_ObservationServiceServicer_to_server, ObservationApi),
    (assessment_pb2_grpc.add_AssessmentServiceServicer_to_server, AssessmentApi),
    (occupation_pb2_grpc.add_OccupationServiceServicer_to_server, OccupationApi),
    (market_change_pb2_grpc.add_MarketChangeServiceServicer_to_server, MarketChangeApi),
    (api_product_pb2_grpc.add_ApiProductServiceServicer_to_server, ApiProductApi),
    (api_access_pb2_grpc.add_ApiAccessServiceServicer_to_server, ApiAccessApi),
)


WORK: Mapping[str, Work] = {
    observations.KIND: observations.take_in,
    observations.UNDO: observations.undo,
    taxonomy_changing.REPORT: taxonomy_changing.report,
    taxonomy_changing.APPLY: taxonomy_changing.apply,
    taxonomy_changing.UNDO: taxonomy_changing.undo,
}


def work_on(app: App) -> None:
    """Goes on with long-running work."""
    run_due(app, WORK)


def pull_feeds(app: CatalogueApp) -> None:
    """Starts to fetch what is due; threads of its own wait for partners."""
    app.puller.round()


def import_feeds(app: CatalogueApp) -> None:
    """Starts to take in what waits; threads of its own do it."""
    app.importer.look()


def by_meaning(app: CatalogueApp) -> bool:
    """True where courses are searched by meaning too."""
    return bool(app.settings.embeddings_url)


def report_on_feeds(app: CatalogueApp) -> None:
    """Starts to send what partners are to be told."""
    app.reporter.round()


DEFINITION = ServiceDefinition(
    name="catalogue",
    app=CatalogueApp,
    servicers=SERVICERS,
    relationships=RELATIONSHIPS,
    reactions={
        RedemptionReserved: count_booking,
        RedemptionAccepted: note_completion,
        ProgrammeActivated: keep_terms,
        ProgrammeMoneyChanged: keep_money,
        SubjectErased: forget_subject,
    },
    jobs=[
        Job("feed-runs", timedelta(seconds=1), import_feeds, everywhere=True),
        Job("uploads-to-check", timedelta(seconds=1), check_uploads, long=True),
        Job("feed-runs-held", timedelta(minutes=1), count_held),
        Job("derived-of-courses", timedelta(seconds=1), follow_changes),
        Job("skills-of-courses", timedelta(seconds=1), tag_courses),
        Job("vectors-of-courses", timedelta(seconds=5), embed_courses, long=True, wanted=by_meaning),
        Job("holds-to-tell", timedelta(seconds=1), tell_followers),
        Job("courses-of-closed", timedelta(seconds=5), move_courses),
        Job("courses-told-anew", timedelta(seconds=5), tell_anew),
        Job("views-of-skills", timedelta(hours=1), count_views),
        Job("course-snapshots", timedelta(seconds=1), make_waiting),
        Job("feed-pulls", timedelta(seconds=2), pull_feeds),
        Job("pushes-broken-off", timedelta(minutes=10), break_off_abandoned),
        Job("old-feeds", timedelta(hours=1), let_go),
        Job("feed-reports", timedelta(seconds=2), report_on_feeds),
        Job("operations", timedelta(seconds=1), work_on),
        Job("shortage-signatures", timedelta(minutes=5), sign_unsigned),
        Job("shortage-packs", timedelta(minutes=5), pack_unpacked),
        Job("accreditations-begun", timedelta(minutes=10), announce_begun),
        Job("accreditations-run-out", timedelta(minutes=10), announce_run_out),
        Job("accreditation-reviews", timedelta(hours=1), ask_for_reviews),
        Job("agreements-over", timedelta(minutes=10), end_those_over),
        Job("agreement-reviews", timedelta(hours=1), ask_for_agreement_reviews),
    ],
    background=[follow, follow_labels, exposure.keep, settle_counts],
    admits=lambda app: app.meter.admit,
)
