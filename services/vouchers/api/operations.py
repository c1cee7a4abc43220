"""VoucherOperationService: work in the background."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import application_pb2, operation_pb2_grpc
from waymark.vouchers.v1 import operation_pb2 as pb

from services.platform.db.etags import etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations import store
from services.platform.operations.table import operations
from services.platform.rpc.handlers import mutation, query
from services.vouchers import allocating, importing_facts, simulating
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.money import money
from services.vouchers.domain.simulation import Tally
from services.vouchers.store import names, simulations
from services.vouchers.store.operation_tables import simulation_changes


class OperationApi(operation_pb2_grpc.VoucherOperationServiceServicer):
    """Shows, stops and resumes work."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetVoucherOperation(
        self, tx: Transaction, request: pb.GetVoucherOperationRequest
    ) -> pb.VoucherOperation:
        return operation_message(store.get(tx, _id(request.name)))

    @query
    def ListVoucherOperations(
        self, tx: Transaction, request: pb.ListVoucherOperationsRequest
    ) -> pb.ListVoucherOperationsResponse:
        order = [operations.c.id.desc()]
        found = page(tx, self.app.signer, store.listed(""), order_by=order, request=request)
        return pb.ListVoucherOperationsResponse(
            operations=map(operation_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def CancelVoucherOperation(
        self, tx: Transaction, request: pb.CancelVoucherOperationRequest
    ) -> pb.VoucherOperation:
        return operation_message(store.cancel(tx, _id(request.name), request.etag))

    @mutation
    def ResumeVoucherOperation(
        self, tx: Transaction, request: pb.ResumeVoucherOperationRequest
    ) -> pb.VoucherOperation:
        return operation_message(store.resume(tx, _id(request.name), request.etag))

    @query
    def ListSimulationChanges(
        self, tx: Transaction, request: pb.ListSimulationChangesRequest
    ) -> pb.ListSimulationChangesResponse:
        row = store.get(tx, _id(request.parent))
        if row.kind != simulating.KIND:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        found = page(
            tx,
            self.app.signer,
            simulations.changes(row.id),
            order_by=[simulation_changes.c.application_id],
            request=request,
            filters={"parent": request.parent},
        )
        currency = row.argument["currency"]
        return pb.ListSimulationChangesResponse(
            changes=[_change(item, currency) for item in found.rows], next_page_token=found.next_page_token
        )


def operation_message(row: Row[Any]) -> pb.VoucherOperation:
    """Returns a row as message, with what is asked and found in the field of its kind."""
    message = pb.VoucherOperation(
        name=f"voucherOperations/{row.id}",
        state=row.state,
        done_count=row.done,
        total_count=row.total,
        reason=row.reason,
        explanation=row.explanation,
        etag=etag_of(row.version),
        create_time=moment(row.created_at),
        state_time=moment(row.state_at),
    )
    if row.kind == simulating.KIND:
        message.simulation.CopyFrom(_simulation(row))
    if row.kind == allocating.KIND:
        message.allocation.CopyFrom(_allocation(row))
    if row.kind == importing_facts.KIND:
        message.learner_fact_import.CopyFrom(_fact_import(row))
    return message


def _simulation(row: Row[Any]) -> pb.Simulation:
    asked, tally = row.argument, Tally.restore(row.result)
    currency = asked["currency"]
    return pb.Simulation(
        programme_version=f"programmes/{asked['programme']}/versions/{asked['number']}",
        unchanged_count=tally.unchanged,
        newly_granted_count=tally.newly_granted,
        newly_refused_count=tally.newly_refused,
        amount_changed_count=tally.amount_changed,
        to_queue_count=tally.to_queue,
        unreadable_count=tally.unreadable,
        granted_before=money(tally.granted_before, currency),
        granted_after=money(tally.granted_after, currency),
        learner_share_before=money(tally.share_before, currency),
        learner_share_after=money(tally.share_after, currency),
    )


def _allocation(row: Row[Any]) -> pb.AllocationRun:
    asked, found = row.argument, row.result
    return pb.AllocationRun(
        allocation=f"allocations/{asked['allocation']}",
        dry_run=asked["dry_run"],
        allocated_count=found.get("allocated", 0),
        refused_count=found.get("refused", 0),
        invalid_count=found.get("invalid", 0),
        amount=money(found.get("cents", 0), asked["currency"]),
    )


def _fact_import(row: Row[Any]) -> pb.LearnerFactImport:
    return pb.LearnerFactImport(
        file=f"learnerFactFiles/{row.argument['file']}",
        dry_run=row.argument["dry_run"],
        stored_count=row.result.get("stored", 0),
        invalid_count=row.result.get("invalid", 0),
    )


def _change(row: Row[Any], currency: str) -> pb.SimulationChange:
    return pb.SimulationChange(
        application=f"applications/{row.application_id}",
        before=application_pb2.Application.State.ValueType(row.before),
        after=application_pb2.Application.State.ValueType(row.after),
        amount_before=money(row.before_cents, currency),
        amount_after=money(row.after_cents, currency),
        reason_codes=row.reason_codes,
    )


def _id(name: str) -> str:
    return names.uuid_in(name, "voucherOperations")
