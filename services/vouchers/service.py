"""The vouchers service as the platform runs it."""

from __future__ import annotations

from collections.abc import Sequence

from waymark.catalogue.v1 import events_pb2
from waymark.portfolio.v1.events_pb2 import SubjectErased
from waymark.vouchers.v1 import (
    alert_pb2_grpc,
    allocation_pb2_grpc,
    appeal_pb2_grpc,
    application_pb2_grpc,
    bank_account_pb2_grpc,
    bank_report_pb2_grpc,
    complaint_pb2_grpc,
    decision_letter_pb2_grpc,
    eligibility_pb2_grpc,
    employer_obligation_pb2_grpc,
    export_pb2_grpc,
    fund_return_pb2_grpc,
    funding_source_pb2_grpc,
    hold_pb2_grpc,
    inquiry_pb2_grpc,
    learner_fact_file_pb2_grpc,
    learner_fact_pb2_grpc,
    learner_result_pb2_grpc,
    ledger_pb2_grpc,
    levy_pb2_grpc,
    monitoring_rule_pb2_grpc,
    opening_pb2_grpc,
    operation_pb2_grpc,
    outcome_contract_pb2_grpc,
    payable_pb2_grpc,
    payment_share_pb2_grpc,
    payout_batch_pb2_grpc,
    programme_pb2_grpc,
    rebooking_pb2_grpc,
    receivable_pb2_grpc,
    redemption_pb2_grpc,
    report_pb2_grpc,
    sanction_pb2_grpc,
    sandbox_pb2_grpc,
    statement_pb2_grpc,
    target_pb2_grpc,
    voucher_pb2_grpc,
    waiting_list_pb2_grpc,
    webhook_pb2_grpc,
)

from services.platform.service import ServiceDefinition, Servicer
from services.vouchers.api.alerts import AlertApi
from services.vouchers.api.allocations import AllocationApi
from services.vouchers.api.appeals import AppealApi
from services.vouchers.api.applications import ApplicationApi
from services.vouchers.api.bank_accounts import BankAccountApi
from services.vouchers.api.bank_reports import BankReportApi
from services.vouchers.api.complaints import ComplaintApi
from services.vouchers.api.decision_letters import DecisionLetterApi
from services.vouchers.api.eligibility import EligibilityApi
from services.vouchers.api.employer_obligations import EmployerObligationApi
from services.vouchers.api.exports import ExportApi
from services.vouchers.api.fund_returns import FundReturnApi
from services.vouchers.api.funding_sources import FundingSourceApi
from services.vouchers.api.holds import HoldApi
from services.vouchers.api.inquiries import InquiryApi
from services.vouchers.api.learner_fact_files import LearnerFactFileApi
from services.vouchers.api.learner_facts import LearnerFactApi
from services.vouchers.api.learner_results import LearnerResultApi
from services.vouchers.api.ledger import LedgerApi
from services.vouchers.api.levies import LevyApi
from services.vouchers.api.monitoring_rules import MonitoringRuleApi
from services.vouchers.api.openings import OpeningApi
from services.vouchers.api.operations import OperationApi
from services.vouchers.api.outcome_contracts import OutcomeContractApi
from services.vouchers.api.payables import PayableApi
from services.vouchers.api.payment_shares import PaymentShareApi
from services.vouchers.api.payout_batches import PayoutBatchApi
from services.vouchers.api.programmes import ProgrammeApi
from services.vouchers.api.rebookings import RebookingApi
from services.vouchers.api.receivables import ReceivableApi
from services.vouchers.api.redemptions import RedemptionApi
from services.vouchers.api.reports import ReportApi
from services.vouchers.api.sanctions import SanctionApi
from services.vouchers.api.sandbox import SandboxApi
from services.vouchers.api.statements import StatementApi
from services.vouchers.api.targets import TargetApi
from services.vouchers.api.vouchers import VoucherApi
from services.vouchers.api.waiting_list import WaitingListApi
from services.vouchers.api.webhooks import WebhookApi
from services.vouchers.app import VouchersApp
from services.vouchers.jobs import JOBS
from services.vouchers.reactions.course_changed import course_changed
from services.vouchers.reactions.organisation_changed import organisation_changed
from services.vouchers.reactions.shortage_list_entries_published import shortage_list_entries_published
from services.vouchers.reactions.shortage_list_published import shortage_list_published
from services.vouchers.reactions.shortage_list_withdrawn import shortage_list_withdrawn
from services.vouchers.reactions.subject_erased import subject_erased
from services.vouchers.relationships import RELATIONSHIPS

SERVICERS: Sequence[Servicer] = (
    (funding_source_pb2_grpc.add_FundingSourceServiceServicer_to_server, FundingSourceApi),
    (programme_pb2_grpc.add_ProgrammeServiceServicer_to_server, ProgrammeApi),
    (allocation_pb2_grpc.add_AllocationServiceServicer_to_server, AllocationApi),
    (operation_pb2_grpc.add_VoucherOperationServiceServicer_to_server, OperationApi),
    (learner_fact_pb2_grpc.add_LearnerFactServiceServicer_to_server, LearnerFactApi),
    (learner_fact_file_pb2_grpc.add_LearnerFactFileServiceServicer_to_server, LearnerFactFileApi),
    (eligibility_pb2_grpc.add_EligibilityServiceServicer_to_server, EligibilityApi),
    (application_pb2_grpc.add_ApplicationServiceServicer_to_server, ApplicationApi),
    (appeal_pb2_grpc.add_AppealServiceServicer_to_server, AppealApi),
    (inquiry_pb2_grpc.add_InquiryServiceServicer_to_server, InquiryApi),
    (decision_letter_pb2_grpc.add_DecisionLetterServiceServicer_to_server, DecisionLetterApi),
    (voucher_pb2_grpc.add_VoucherServiceServicer_to_server, VoucherApi),
    (redemption_pb2_grpc.add_RedemptionServiceServicer_to_server, RedemptionApi),
    (hold_pb2_grpc.add_HoldServiceServicer_to_server, HoldApi),
    (bank_account_pb2_grpc.add_BankAccountServiceServicer_to_server, BankAccountApi),
    (bank_report_pb2_grpc.add_BankReportServiceServicer_to_server, BankReportApi),
    (payout_batch_pb2_grpc.add_PayoutBatchServiceServicer_to_server, PayoutBatchApi),
    (payable_pb2_grpc.add_PayableServiceServicer_to_server, PayableApi),
    (receivable_pb2_grpc.add_ReceivableServiceServicer_to_server, ReceivableApi),
    (ledger_pb2_grpc.add_LedgerServiceServicer_to_server, LedgerApi),
    (levy_pb2_grpc.add_LevyServiceServicer_to_server, LevyApi),
    (outcome_contract_pb2_grpc.add_OutcomeContractServiceServicer_to_server, OutcomeContractApi),
    (employer_obligation_pb2_grpc.add_EmployerObligationServiceServicer_to_server, EmployerObligationApi),
    (sandbox_pb2_grpc.add_SandboxServiceServicer_to_server, SandboxApi),
    (target_pb2_grpc.add_TargetServiceServicer_to_server, TargetApi),
    (statement_pb2_grpc.add_StatementServiceServicer_to_server, StatementApi),
    (payment_share_pb2_grpc.add_PaymentShareServiceServicer_to_server, PaymentShareApi),
    (export_pb2_grpc.add_ExportServiceServicer_to_server, ExportApi),
    (webhook_pb2_grpc.add_WebhookServiceServicer_to_server, WebhookApi),
    (report_pb2_grpc.add_ReportServiceServicer_to_server, ReportApi),
    (waiting_list_pb2_grpc.add_WaitingListServiceServicer_to_server, WaitingListApi),
    (opening_pb2_grpc.add_OpeningServiceServicer_to_server, OpeningApi),
    (monitoring_rule_pb2_grpc.add_MonitoringRuleServiceServicer_to_server, MonitoringRuleApi),
    (alert_pb2_grpc.add_AlertServiceServicer_to_server, AlertApi),
    (complaint_pb2_grpc.add_ComplaintServiceServicer_to_server, ComplaintApi),
    (sanction_pb2_grpc.add_SanctionServiceServicer_to_server, SanctionApi),
    (fund_return_pb2_grpc.add_FundReturnServiceServicer_to_server, FundReturnApi),
    (rebooking_pb2_grpc.add_RebookingServiceServicer_to_server, RebookingApi),
    (learner_result_pb2_grpc.add_LearnerResultServiceServicer_to_server, LearnerResultApi),
)

DEFINITION = ServiceDefinition(
    name="vouchers",
    app=VouchersApp,
    servicers=SERVICERS,
    relationships=RELATIONSHIPS,
    reactions={
        events_pb2.OrganisationChanged: organisation_changed,
        events_pb2.CourseChanged: course_changed,
        events_pb2.ShortageListPublished: shortage_list_published,
        events_pb2.ShortageListEntriesPublished: shortage_list_entries_published,
        events_pb2.ShortageListWithdrawn: shortage_list_withdrawn,
        SubjectErased: subject_erased,
    },
    jobs=JOBS,
)
