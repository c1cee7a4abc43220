"""AllocationService: vouchers for many people at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import allocation_pb2 as pb
from waymark.vouchers.v1 import allocation_pb2_grpc, operation_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations import store as operations
from services.platform.rpc.handlers import mark, mutation, query
from services.vouchers import allocating
from services.vouchers.api.convert import moment, set_ticket
from services.vouchers.api.operations import operation_message
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.store import allocations, names, programmes
from services.vouchers.store.operation_tables import allocation_rows


class AllocationApi(allocation_pb2_grpc.AllocationServiceServicer):
    """Takes files in and works through them."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateAllocation(self, tx: Transaction, request: pb.CreateAllocationRequest) -> pb.Allocation:
        values = {
            "id": new_id(),
            "programme_id": programmes.get(tx, names.last(request.programme)).id,
            "size_bytes": request.size_bytes,
            "sha256": request.sha256,
            "created_by": tx.principal.subject,
        }
        row = allocations.add(tx, values)
        answer = _message(row)
        set_ticket(answer, self.app.objects, allocations.BUCKET, row.id, allocations.CONTENT_TYPE)
        return answer

    @query
    def GetAllocation(self, tx: Transaction, request: pb.GetAllocationRequest) -> pb.Allocation:
        return _message(allocations.get(tx, names.uuid_in(request.name, "allocations")))

    @mark  # the bytes are compared before a transaction would wait for them
    def RunAllocation(self, request: pb.RunAllocationRequest, call: Any) -> operation_pb2.VoucherOperation:
        file = self._brought(request, call)
        told = (file.size_bytes, allocations.CONTENT_TYPE, file.sha256)
        self.app.objects.verify(allocations.BUCKET, file.id, *told)
        return self._run(request, call)

    @query
    def _brought(self, tx: Transaction, request: pb.RunAllocationRequest) -> Any:
        row = allocations.get(tx, names.uuid_in(request.name, "allocations"))
        allocating.programme_of(self.app, tx, row)
        return row

    @mutation
    def _run(self, tx: Transaction, request: pb.RunAllocationRequest) -> operation_pb2.VoucherOperation:
        row = allocations.get(tx, names.uuid_in(request.name, "allocations"))
        return operation_message(allocating.start(self.app, tx, row, dry_run=request.dry_run))

    @query
    def ListAllocationRows(
        self, tx: Transaction, request: pb.ListAllocationRowsRequest
    ) -> pb.ListAllocationRowsResponse:
        run = operations.get(tx, names.uuid_in(request.parent, "voucherOperations"))
        if run.kind != allocating.KIND:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        found = page(
            tx,
            self.app.signer,
            allocations.rows_of(run.id, request.outcome),
            order_by=[allocation_rows.c.line],
            request=request,
            filters={"parent": request.parent, "outcome": request.outcome},
        )
        currency = run.argument["currency"]
        return pb.ListAllocationRowsResponse(
            rows=[_row(row, currency) for row in found.rows], next_page_token=found.next_page_token
        )


def _message(row: Row[Any]) -> pb.Allocation:
    return pb.Allocation(
        name=f"allocations/{row.id}",
        programme=f"programmes/{row.programme_id}",
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        create_time=moment(row.created_at),
    )


def _row(row: Row[Any], currency: str) -> pb.AllocationRow:
    return pb.AllocationRow(
        line=row.line,
        learner=row.learner,
        outcome=pb.AllocationRow.Outcome.ValueType(row.outcome),
        reason_codes=row.reason_codes,
        explanation=row.explanation,
        missing_facts=row.missing,
        amount=money(row.cents, currency) if row.cents else None,
        voucher=f"vouchers/{row.voucher_id}" if row.voucher_id else "",
    )
