"""BankReportService: what the bank says of payments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from waymark.vouchers.v1 import bank_report_pb2 as pb
from waymark.vouchers.v1 import bank_report_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.bank_results import take_in
from services.vouchers.domain.bank_files import read
from services.vouchers.domain.money import money
from services.vouchers.store import bank_reports, names
from services.vouchers.store.settlement_tables import bank_report_entries
from services.vouchers.store.settlement_tables import bank_reports as table


class BankReportApi(bank_report_pb2_grpc.BankReportServiceServicer):
    """Takes in what the bank says of payments."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def ImportBankReport(self, tx: Transaction, request: pb.ImportBankReportRequest) -> pb.BankReport:
        return _report(take_in(tx, read(request.content)))

    @query
    def GetBankReport(self, tx: Transaction, request: pb.GetBankReportRequest) -> pb.BankReport:
        return _report(bank_reports.get(tx, names.uuid_in(request.name, "bankReports")))

    @query
    def ListBankReports(
        self, tx: Transaction, request: pb.ListBankReportsRequest
    ) -> pb.ListBankReportsResponse:
        found = page(tx, self.app.signer, select(table), order_by=[table.c.id.desc()], request=request)
        return pb.ListBankReportsResponse(
            bank_reports=map(_report, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListBankReportEntries(
        self, tx: Transaction, request: pb.ListBankReportEntriesRequest
    ) -> pb.ListBankReportEntriesResponse:
        found = page(
            tx,
            self.app.signer,
            bank_reports.entries_of(names.uuid_in(request.parent, "bankReports"), request.outcome),
            order_by=[bank_report_entries.c.number],
            request=request,
            filters={"parent": request.parent, "outcome": int(request.outcome)},
        )
        return pb.ListBankReportEntriesResponse(
            entries=map(_entry, found.rows), next_page_token=found.next_page_token
        )


def _report(row: Row[Any]) -> pb.BankReport:
    return pb.BankReport(
        name=f"bankReports/{row.id}",
        format=row.format,
        message_id=row.message_id,
        page=row.page,
        bank_time=moment(row.bank_at),
        create_time=moment(row.created_at),
        sha256=row.sha256,
        entry_count=row.entry_count,
        applied_count=row.applied_count,
        open_count=row.open_count,
    )


def _entry(row: Row[Any]) -> pb.BankReportEntry:
    return pb.BankReportEntry(
        name=f"bankReports/{row.report_id}/entries/{row.number}",
        line=row.line,
        end_to_end_id=row.end_to_end_id,
        bank_reference=row.bank_reference,
        verdict=row.verdict,
        code=row.code,
        amount=None if row.amount_cents is None else money(row.amount_cents, row.currency),
        outcome=row.outcome,
        payout_batch=f"payoutBatches/{row.batch_id}" if row.batch_id else "",
        organisation=row.organisation,
        creditor_reference=row.creditor_reference,
        receivable=f"receivables/{row.receivable_id}" if row.receivable_id else "",
        excess=money(row.excess_cents, row.currency) if row.excess_cents else None,
    )
