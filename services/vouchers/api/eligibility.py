"""EligibilityService."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from waymark.vouchers.v1 import eligibility_pb2 as pb
from waymark.vouchers.v1 import eligibility_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import clause, fact_of, missing_fact
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.domain.builtin import CLAUSE_OF_CODE
from services.vouchers.domain.facts import Fact, check_all
from services.vouchers.domain.money import money
from services.vouchers.domain.outcomes import Result
from services.vouchers.letters import words
from services.vouchers.store import programmes
from services.vouchers.store.tables import programmes as programme_table

OURS = frozenset(CLAUSE_OF_CODE.values())  # clauses that no programme writes
SIZE = 20  # programmes looked at for one answer, unless more are asked for


class EligibilityApi(eligibility_pb2_grpc.EligibilityServiceServicer):
    """Answers whether a learner may have a voucher, and why."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def CheckEligibility(
        self, tx: Transaction, request: pb.CheckEligibilityRequest
    ) -> pb.CheckEligibilityResponse:
        declared = _declared(tx, request)
        found = assess(self.app, tx, request.learner, request.programme, request.session, declared)
        return _message(found, request.language_codes)

    @query
    def CheckProgrammes(
        self, tx: Transaction, request: pb.CheckProgrammesRequest
    ) -> pb.CheckProgrammesResponse:
        declared = _declared(tx, request)
        found = page(
            tx,
            self.app.signer,
            programmes.listed(tx.today, sandbox=False),
            order_by=[programme_table.c.created_at, programme_table.c.id],
            request=request,
            filters={"learner": request.learner, "session": request.session},
            default=SIZE,
        )
        answer = pb.CheckProgrammesResponse(next_page_token=found.next_page_token)
        for row in found.rows:
            if row.active_number is not None:
                name = f"programmes/{row.id}"
                outcome = assess(self.app, tx, request.learner, name, request.session, declared)
                message = _message(outcome, request.language_codes)
                answer.checks.add(programme=name, display_names=row.display_names, outcome=message)
        return answer


def _declared(tx: Transaction, request: Any) -> list[Fact]:
    today = tx.today
    declared = [
        fact_of(fact, f"declared_facts[{index}]", today, declared=True)
        for index, fact in enumerate(request.declared_facts)
    ]
    check_all(declared, "declared_facts")
    return declared


def _message(found: Assessment, languages: Iterable[str]) -> pb.CheckEligibilityResponse:
    decision = found.decision
    message = pb.CheckEligibilityResponse(
        eligible=decision.eligible,
        automatic=decision.automatic,
        clauses=[_clause(result, found.today, languages) for result in decision.results],
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


def _clause(result: Result, today: date, languages: Iterable[str]) -> pb.ClauseOutcome:
    """Returns a clause with the text of one that is ours in the languages asked for, as letters have it."""
    message = clause(result, today)
    if result.clause not in OURS:
        return message
    for language in {code.partition("-")[0].lower() for code in languages}.intersection(words.LANGUAGES):
        if text := words.condition(result.clause, language):
            message.texts[language] = message.texts.get(language) or text
    return message
