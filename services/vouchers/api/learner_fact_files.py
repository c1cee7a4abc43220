"""LearnerFactFileService: facts about many learners from a file."""

from __future__ import annotations

from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import learner_fact_file_pb2 as pb
from waymark.vouchers.v1 import learner_fact_file_pb2_grpc, learner_fact_pb2, operation_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations import store as operations
from services.platform.rpc.handlers import mark, mutation, query
from services.vouchers import importing_facts
from services.vouchers.api.convert import moment, set_ticket
from services.vouchers.api.operations import operation_message
from services.vouchers.app import VouchersApp
from services.vouchers.store import fact_files, names
from services.vouchers.store.operation_tables import learner_fact_findings


class LearnerFactFileApi(learner_fact_file_pb2_grpc.LearnerFactFileServiceServicer):
    """Takes files in and works through them."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateLearnerFactFile(
        self, tx: Transaction, request: pb.CreateLearnerFactFileRequest
    ) -> pb.LearnerFactFile:
        values = {
            "id": new_id(),
            "size_bytes": request.size_bytes,
            "sha256": request.sha256,
            "created_by": tx.principal.subject,
        }
        row = fact_files.add(tx, values)
        answer = pb.LearnerFactFile(
            name=f"learnerFactFiles/{row.id}",
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            create_time=moment(row.created_at),
        )
        set_ticket(answer, self.app.objects, fact_files.BUCKET, row.id, fact_files.CONTENT_TYPE)
        return answer

    @mark  # the bytes are compared before a transaction would wait for them
    def ImportLearnerFacts(
        self, request: pb.ImportLearnerFactsRequest, call: Any
    ) -> operation_pb2.VoucherOperation:
        file = self._brought(request, call)
        if not file.operation_id:
            told = (file.size_bytes, fact_files.CONTENT_TYPE, file.sha256)
            self.app.objects.verify(fact_files.BUCKET, file.id, *told)
        return self._import(request, call)

    @query
    def _brought(self, tx: Transaction, request: pb.ImportLearnerFactsRequest) -> Any:
        return fact_files.get(tx, names.uuid_in(request.name, "learnerFactFiles"))

    @mutation
    def _import(
        self, tx: Transaction, request: pb.ImportLearnerFactsRequest
    ) -> operation_pb2.VoucherOperation:
        file = names.uuid_in(request.name, "learnerFactFiles")
        return operation_message(importing_facts.start(tx, file, dry_run=request.dry_run))

    @query
    def ListLearnerFactFindings(
        self, tx: Transaction, request: pb.ListLearnerFactFindingsRequest
    ) -> pb.ListLearnerFactFindingsResponse:
        run = operations.get(tx, names.uuid_in(request.parent, "voucherOperations"))
        if run.kind != importing_facts.KIND:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        f = learner_fact_findings.c
        found = page(
            tx,
            self.app.signer,
            fact_files.findings(run.id),
            order_by=[f.line, f.place],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListLearnerFactFindingsResponse(
            findings=[
                learner_fact_pb2.LearnerFactFinding(
                    position=row.line, field=row.field, explanation=row.explanation
                )
                for row in found.rows
            ],
            next_page_token=found.next_page_token,
        )
