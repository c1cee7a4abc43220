"""What the catalogue hands to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from waymark.catalogue.v1 import (
    agreement_pb2_grpc,
    agreement_review_pb2_grpc,
    api_access_pb2_grpc,
    api_product_pb2_grpc,
    assessment_pb2_grpc,
    contact_details_pb2_grpc,
    course_complaint_pb2_grpc,
    course_export_pb2_grpc,
    course_pb2_grpc,
    feed_run_pb2_grpc,
    market_change_pb2_grpc,
    observation_pb2_grpc,
    occupation_pb2_grpc,
    organisation_pb2_grpc,
    partner_application_pb2_grpc,
    search_pb2_grpc,
    shortage_list_pb2_grpc,
    source_pb2_grpc,
    taxonomy_pb2_grpc,
    upload_pb2_grpc,
)
from waymark.vouchers.v1.events_pb2 import RedemptionReserved

from services.catalogue.api.accreditations import announce_begun, announce_run_out, ask_for_reviews
from services.catalogue.api.agreement_reviews import AgreementReviewApi
from services.catalogue.api.agreements import AgreementApi, ask_for_agreement_reviews, end_those_over
from services.catalogue.api.api_access import ApiAccessApi
from services.catalogue.api.api_products import ApiProductApi
from services.catalogue.api.assessments import AssessmentApi
from services.catalogue.api.contact_details import ContactDetailsApi
from services.catalogue.api.course_complaints import CourseComplaintApi
from services.catalogue.api.course_exports import CourseExportApi
from services.catalogue.api.courses import CourseApi
from services.catalogue.api.feed_runs import FeedRunApi
from services.catalogue.api.market_changes import MarketChangeApi
from services.catalogue.api.observations import ObservationApi
from services.catalogue.api.occupations import OccupationApi
from services.catalogue.api.organisations import OrganisationApi
from services.catalogue.api.partner_applications import PartnerApplicationApi
from services.catalogue.api.relationships import RELATIONSHIPS
from services.catalogue.api.search import SearchApi
from services.catalogue.api.shortage_lists import ShortageListApi
from services.catalogue.api.sources import SourceApi
from services.catalogue.api.taxonomies import TaxonomyApi
from services.catalogue.api.uploads import UploadApi
from services.catalogue.app import CatalogueApp
from services.catalogue.imports import observations
from services.catalogue.imports.worker import run_waiting
from services.catalogue.metering import settle_counts
from services.catalogue.reactions.bookings import count_booking
from services.catalogue.search.follower import follow
from services.platform.app import App
from services.platform.operations.runner import run_due
from services.platform.service import Job, ServiceDefinition, Servicer

SERVICERS: Sequence[Servicer] = (
    (upload_pb2_grpc.add_UploadServiceServicer_to_server, UploadApi),
    (taxonomy_pb2_grpc.add_TaxonomyServiceServicer_to_server, TaxonomyApi),
    (organisation_pb2_grpc.add_OrganisationServiceServicer_to_server, OrganisationApi),
    (agreement_pb2_grpc.add_AgreementServiceServicer_to_server, AgreementApi),
    (agreement_review_pb2_grpc.add_AgreementReviewServiceServicer_to_server, AgreementReviewApi),
    (contact_details_pb2_grpc.add_ContactDetailsServiceServicer_to_server, ContactDetailsApi),
    (partner_application_pb2_grpc.add_PartnerApplicationServiceServicer_to_server, PartnerApplicationApi),
    (shortage_list_pb2_grpc.add_ShortageListServiceServicer_to_server, ShortageListApi),
    (source_pb2_grpc.add_SourceServiceServicer_to_server, SourceApi),
    (feed_run_pb2_grpc.add_FeedRunServiceServicer_to_server, FeedRunApi),
    (course_pb2_grpc.add_CourseServiceServicer_to_server, CourseApi),
    (course_complaint_pb2_grpc.add_CourseComplaintServiceServicer_to_server, CourseComplaintApi),
    (course_export_pb2_grpc.add_CourseExportServiceServicer_to_server, CourseExportApi),
    (search_pb2_grpc.add_SearchServiceServicer_to_server, SearchApi),
    (observation_pb2_grpc.add_ObservationServiceServicer_to_server, ObservationApi),
    (assessment_pb2_grpc.add_AssessmentServiceServicer_to_server, AssessmentApi),
    (occupation_pb2_grpc.add_OccupationServiceServicer_to_server, OccupationApi),
    (market_change_pb2_grpc.add_MarketChangeServiceServicer_to_server, MarketChangeApi),
    (api_product_pb2_grpc.add_ApiProductServiceServicer_to_server, ApiProductApi),
    (api_access_pb2_grpc.add_ApiAccessServiceServicer_to_server, ApiAccessApi),
)


def work_on(app: App) -> None:
    """Goes on with long-running work."""
    run_due(app, {observations.KIND: observations.take_in})


DEFINITION = ServiceDefinition(
    name="catalogue",
    app=CatalogueApp,
    servicers=SERVICERS,
    relationships=RELATIONSHIPS,
    reactions={RedemptionReserved: count_booking},
    jobs=[
        Job("feed-runs", timedelta(seconds=1), run_waiting),
        Job("operations", timedelta(seconds=1), work_on),
        Job("accreditations-begun", timedelta(minutes=10), announce_begun),
        Job("accreditations-run-out", timedelta(minutes=10), announce_run_out),
        Job("accreditation-reviews", timedelta(hours=1), ask_for_reviews),
        Job("agreements-over", timedelta(minutes=10), end_those_over),
        Job("agreement-reviews", timedelta(hours=1), ask_for_agreement_reviews),
    ],
    background=[follow, settle_counts],
    admits=lambda app: app.meter.admit,
)
