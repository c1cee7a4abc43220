"""The vouchers service as the platform runs it."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.catalogue.v1 import events_pb2
from waymark.vouchers.v1 import (
    application_pb2_grpc,
    bank_account_pb2_grpc,
    bank_report_pb2_grpc,
    eligibility_pb2_grpc,
    export_pb2_grpc,
    funding_source_pb2_grpc,
    hold_pb2_grpc,
    learner_fact_pb2_grpc,
    ledger_pb2_grpc,
    payment_share_pb2_grpc,
    payout_batch_pb2_grpc,
    programme_pb2_grpc,
    receivable_pb2_grpc,
    redemption_pb2_grpc,
    report_pb2_grpc,
    statement_pb2_grpc,
    voucher_pb2_grpc,
    webhook_pb2_grpc,
)

from services.platform.service import ServiceDefinition, Servicer
from services.vouchers.api.applications import ApplicationApi
from services.vouchers.api.bank_accounts import BankAccountApi
from services.vouchers.api.bank_reports import BankReportApi
from services.vouchers.api.eligibility import EligibilityApi
from services.vouchers.api.exports import ExportApi
from services.vouchers.api.funding_sources import FundingSourceApi
from services.vouchers.api.holds import HoldApi
from services.vouchers.api.learner_facts import LearnerFactApi
from services.vouchers.api.ledger import LedgerApi
from services.vouchers.api.payment_shares import PaymentShareApi
from services.vouchers.api.payout_batches import PayoutBatchApi
from services.vouchers.api.programmes import ProgrammeApi
from services.vouchers.api.receivables import ReceivableApi
from services.vouchers.api.redemptions import RedemptionApi
from services.vouchers.api.reports import ReportApi
from services.vouchers.api.statements import StatementApi
from services.vouchers.api.vouchers import VoucherApi
from services.vouchers.api.webhooks import WebhookApi
from services.vouchers.app import VouchersApp
from services.vouchers.jobs import JOBS
from services.vouchers.reactions.course_changed import course_changed
from services.vouchers.reactions.organisation_changed import organisation_changed
from services.vouchers.reactions.shortage_list_entries_published import shortage_list_entries_published
from services.vouchers.reactions.shortage_list_published import shortage_list_published
from services.vouchers.relationships import RELATIONSHIPS


def servicers(app: VouchersApp) -> Sequence[Servicer]:
    """Returns every servicer with the function that adds it to a server."""
    return (
        (funding_source_pb2_grpc.add_FundingSourceServiceServicer_to_server, FundingSourceApi(app)),
        (programme_pb2_grpc.add_ProgrammeServiceServicer_to_server, ProgrammeApi(app)),
        (learner_fact_pb2_grpc.add_LearnerFactServiceServicer_to_server, LearnerFactApi(app)),
        (eligibility_pb2_grpc.add_EligibilityServiceServicer_to_server, EligibilityApi(app)),
        (application_pb2_grpc.add_ApplicationServiceServicer_to_server, ApplicationApi(app)),
        (voucher_pb2_grpc.add_VoucherServiceServicer_to_server, VoucherApi(app)),
        (redemption_pb2_grpc.add_RedemptionServiceServicer_to_server, RedemptionApi(app)),
        (hold_pb2_grpc.add_HoldServiceServicer_to_server, HoldApi(app)),
        (bank_account_pb2_grpc.add_BankAccountServiceServicer_to_server, BankAccountApi(app)),
        (bank_report_pb2_grpc.add_BankReportServiceServicer_to_server, BankReportApi(app)),
        (payout_batch_pb2_grpc.add_PayoutBatchServiceServicer_to_server, PayoutBatchApi(app)),
        (receivable_pb2_grpc.add_ReceivableServiceServicer_to_server, ReceivableApi(app)),
        (ledger_pb2_grpc.add_LedgerServiceServicer_to_server, LedgerApi(app)),
        (statement_pb2_grpc.add_StatementServiceServicer_to_server, StatementApi(app)),
        (payment_share_pb2_grpc.add_PaymentShareServiceServicer_to_server, PaymentShareApi(app)),
        (export_pb2_grpc.add_ExportServiceServicer_to_server, ExportApi(app)),
        (webhook_pb2_grpc.add_WebhookServiceServicer_to_server, WebhookApi(app)),
        (report_pb2_grpc.add_ReportServiceServicer_to_server, ReportApi(app)),
    )


DEFINITION = ServiceDefinition(
    name="vouchers",
    app=VouchersApp,
    servicers=servicers,
    relationships=RELATIONSHIPS,
    reactions={
        events_pb2.OrganisationChanged: organisation_changed,
        events_pb2.CourseChanged: course_changed,
        events_pb2.ShortageListPublished: shortage_list_published,
        events_pb2.ShortageListEntriesPublished: shortage_list_entries_published,
    },
    jobs=JOBS,
)
