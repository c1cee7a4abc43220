"""Who calls the vouchers service in tests: its stubs, each with one person's token."""

from __future__ import annotations

import uuid
from typing import Any

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

from tests.support.servers import Served, token

STUBS: dict[str, Any] = {
    "sources": funding_source_pb2_grpc.FundingSourceServiceStub,
    "programmes": programme_pb2_grpc.ProgrammeServiceStub,
    "facts": learner_fact_pb2_grpc.LearnerFactServiceStub,
    "fact_files": learner_fact_file_pb2_grpc.LearnerFactFileServiceStub,
    "eligibility": eligibility_pb2_grpc.EligibilityServiceStub,
    "allocations": allocation_pb2_grpc.AllocationServiceStub,
    "applications": application_pb2_grpc.ApplicationServiceStub,
    "appeals": appeal_pb2_grpc.AppealServiceStub,
    "inquiries": inquiry_pb2_grpc.InquiryServiceStub,
    "letters": decision_letter_pb2_grpc.DecisionLetterServiceStub,
    "vouchers": voucher_pb2_grpc.VoucherServiceStub,
    "redemptions": redemption_pb2_grpc.RedemptionServiceStub,
    "holds": hold_pb2_grpc.HoldServiceStub,
    "accounts": bank_account_pb2_grpc.BankAccountServiceStub,
    "bank_reports": bank_report_pb2_grpc.BankReportServiceStub,
    "batches": payout_batch_pb2_grpc.PayoutBatchServiceStub,
    "operations": operation_pb2_grpc.VoucherOperationServiceStub,
    "payables": payable_pb2_grpc.PayableServiceStub,
    "receivables": receivable_pb2_grpc.ReceivableServiceStub,
    "ledger": ledger_pb2_grpc.LedgerServiceStub,
    "levies": levy_pb2_grpc.LevyServiceStub,
    "contracts": outcome_contract_pb2_grpc.OutcomeContractServiceStub,
    "obligations": employer_obligation_pb2_grpc.EmployerObligationServiceStub,
    "statements": statement_pb2_grpc.StatementServiceStub,
    "targets": target_pb2_grpc.TargetServiceStub,
    "payment_shares": payment_share_pb2_grpc.PaymentShareServiceStub,
    "exports": export_pb2_grpc.ExportServiceStub,
    "webhooks": webhook_pb2_grpc.WebhookServiceStub,
    "reports": report_pb2_grpc.ReportServiceStub,
    "waiting": waiting_list_pb2_grpc.WaitingListServiceStub,
    "openings": opening_pb2_grpc.OpeningServiceStub,
    "rules": monitoring_rule_pb2_grpc.MonitoringRuleServiceStub,
    "alerts": alert_pb2_grpc.AlertServiceStub,
    "complaints": complaint_pb2_grpc.ComplaintServiceStub,
    "sanctions": sanction_pb2_grpc.SanctionServiceStub,
    "fund_returns": fund_return_pb2_grpc.FundReturnServiceStub,
    "rebookings": rebooking_pb2_grpc.RebookingServiceStub,
    "sandbox": sandbox_pb2_grpc.SandboxServiceStub,
    "results": learner_result_pb2_grpc.LearnerResultServiceStub,
}


class Person:
    """A caller: stubs by name, each sending this person's token."""

    def __init__(self, served: Served, *roles: str, org: str = "", subject: str = "") -> None:
        self.subject = subject or str(uuid.uuid4())
        self.learner = f"learners/{self.subject}"
        self._served, self._token = served, token(*roles, subject=self.subject, org=org)

    def __getattr__(self, name: str) -> Any:
        if name not in STUBS:
            raise AttributeError(name)
        stub = self._served.stub(STUBS[name], self._token)
        self.__dict__[name] = stub
        return stub
