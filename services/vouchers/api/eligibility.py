"""EligibilityService."""

from __future__ import annotations

from waymark.vouchers.v1 import eligibility_pb2 as pb
from waymark.vouchers.v1 import eligibility_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import clause, fact_of, missing_fact
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.domain.facts import check_all
from services.vouchers.domain.money import money


class EligibilityApi(eligibility_pb2_grpc.EligibilityServiceServicer):
    """Answers whether a learner may have a voucher, and why."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def CheckEligibility(
        self, tx: Transaction, request: pb.CheckEligibilityRequest
    ) -> pb.CheckEligibilityResponse:
        today = tx.now.date()
        declared = [
            fact_of(fact, f"declared_facts[{index}]", today, declared=True)
            for index, fact in enumerate(request.declared_facts)
        ]
        check_all(declared, "declared_facts")
        found = assess(self.app, tx, request.learner, request.programme, request.session, declared)
        return _message(found)


def _message(found: Assessment) -> pb.CheckEligibilityResponse:
    decision = found.decision
    message = pb.CheckEligibilityResponse(
        eligible=decision.eligible,
        automatic=decision.automatic,
        clauses=[clause(result, found.today) for result in decision.results],
        target_group=decision.group,
        programme_version=found.rules.name,
        shortage_list_version=found.shortage_version,
        shortage_entry=found.entry.name if found.entry else "",
        missing=[missing_fact(key) for key in decision.missing],
    )
    if decision.worth is not None:
        message.amount.CopyFrom(money(decision.worth.amount, found.rules.currency))
        message.learner_share.CopyFrom(money(decision.worth.share, found.rules.currency))
    return message
