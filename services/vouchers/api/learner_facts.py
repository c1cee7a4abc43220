"""LearnerFactService."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import learner_fact_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import fact_message, fact_of
from services.vouchers.app import VouchersApp
from services.vouchers.domain.facts import check_all
from services.vouchers.store import facts
from services.vouchers.store.tables import learner_facts


class LearnerFactApi(learner_fact_pb2_grpc.LearnerFactServiceServicer):
    """Keeps what eligibility is decided on."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def PushLearnerFacts(
        self, tx: Transaction, request: pb.PushLearnerFactsRequest
    ) -> pb.PushLearnerFactsResponse:
        today = tx.now.date()
        pushed = [
            fact_of(fact, f"facts[{index}]", today, declared=False)
            for index, fact in enumerate(request.facts)
        ]
        check_all(pushed, "facts")
        facts.put(tx, request.parent, pushed)
        keys = {fact.key for fact in pushed}
        rows = tx.execute(facts.of_learner(request.parent).where(learner_facts.c.key.in_(keys)))
        return pb.PushLearnerFactsResponse(facts=map(_message, rows))

    @query
    def ListLearnerFacts(
        self, tx: Transaction, request: pb.ListLearnerFactsRequest
    ) -> pb.ListLearnerFactsResponse:
        found = page(
            tx,
            self.app.signer,
            facts.of_learner(request.parent),
            order_by=[learner_facts.c.key, learner_facts.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListLearnerFactsResponse(
            facts=map(_message, found.rows), next_page_token=found.next_page_token
        )


def _message(row: Row[Any]) -> pb.LearnerFact:
    return fact_message(facts.fact_of(row), f"{row.learner}/facts/{row.id}", row.created_at)
