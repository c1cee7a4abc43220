"""LearnerFactService."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import learner_fact_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.exchange import Received, exchange
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import fact_message, fact_of
from services.vouchers.app import VouchersApp
from services.vouchers.desk import never_ones_own
from services.vouchers.domain.facts import Fact, Told, check_all
from services.vouchers.relationships import is_learner
from services.vouchers.store import facts
from services.vouchers.store.tables import learner_facts

MOST_FINDINGS = 10  # of one message: it may be wrong in a thousand places


class LearnerFactApi(learner_fact_pb2_grpc.LearnerFactServiceServicer):
    """Keeps what eligibility is decided on."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def PushLearnerFacts(
        self, tx: Transaction, request: pb.PushLearnerFactsRequest
    ) -> pb.PushLearnerFactsResponse:
        never_ones_own(tx, request.parent)
        pushed = _facts_of(request.facts, tx.today)
        facts.put(tx, request.parent, pushed)
        rows = facts.stored(tx, request.parent, pushed)
        return pb.PushLearnerFactsResponse(facts=[_message(row, own=False) for row in rows])

    @exchange
    def StreamLearnerFacts(
        self,
        tx: Transaction,
        chunk: Sequence[Received],
        before: pb.StreamLearnerFactsResponse | None,
    ) -> pb.StreamLearnerFactsResponse:
        answer = pb.StreamLearnerFactsResponse()
        if before:
            answer.CopyFrom(before)
            answer.ClearField("findings")
        told = list[Told]()
        for message in chunk:
            answer.message_count = message.number
            try:
                sent = _sent(message, tx.today)
            except Refusal as refusal:
                answer.invalid_count += 1
                answer.findings.extend(_findings(message.number, refusal.violations))
            else:
                told += sent
                answer.stored_count += 1
                answer.fact_count += len(sent)
        facts.put_all(tx, told)
        return answer

    @query
    def ListLearnerFacts(
        self, tx: Transaction, request: pb.ListLearnerFactsRequest
    ) -> pb.ListLearnerFactsResponse:
        own = is_learner(tx.principal, request.parent)
        found = page(
            tx,
            self.app.signer,
            facts.of_learner(request.parent, own=own),
            order_by=[learner_facts.c.key, learner_facts.c.id],
            request=request,
            filters={"parent": request.parent, "own": own},
        )
        return pb.ListLearnerFactsResponse(
            facts=[_message(row, own=own) for row in found.rows], next_page_token=found.next_page_token
        )


def _facts_of(messages: Iterable[pb.LearnerFact], today: date) -> list[Fact]:
    """Returns facts sent about one learner; raises Refusal(INVALID_ARGUMENT) naming what is wrong in them."""
    found = [fact_of(fact, f"facts[{index}]", today, declared=False) for index, fact in enumerate(messages)]
    check_all(found, "facts")
    return found


def _sent(message: Received, today: date) -> list[Told]:
    """The same for a message of a stream, with its learner."""
    if message.violations:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=message.violations)
    learner = message.request.parent
    return [Told(learner, fact) for fact in _facts_of(message.request.facts, today)]


def _findings(number: int, violations: Iterable[Violation]) -> Iterator[pb.LearnerFactFinding]:
    for field, description in islice(violations, MOST_FINDINGS):
        yield pb.LearnerFactFinding(position=number, field=field, explanation=description)


def _message(row: Row[Any], *, own: bool) -> pb.LearnerFact:
    message = fact_message(facts.fact_of(row), f"{row.learner}/facts/{row.id}", row.created_at)
    message.told_by = "" if own else row.told_by
    return message
