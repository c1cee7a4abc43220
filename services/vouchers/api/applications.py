"""ApplicationService: automatic where verified facts decide every clause, else the queue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import application_pb2_grpc, events_pb2

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.application_messages import application_message
from services.vouchers.api.convert import fact_of
from services.vouchers.api.desk import DeskMethods
from services.vouchers.api.replays import ReplayMethods
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import assess
from services.vouchers.decisions import decision_values
from services.vouchers.desk import lock, need_decidable
from services.vouchers.domain.facts import check_all
from services.vouchers.domain.outcomes import Outcome
from services.vouchers.domain.states import ApplicationState
from services.vouchers.granting import decide_by_rules, issue, take_money
from services.vouchers.openings import certainly_refused, collect, collecting
from services.vouchers.store import applications, facts, inquiries, names
from services.vouchers.store.tables import applications as table

State = ApplicationState


class ApplicationApi(DeskMethods, ReplayMethods, application_pb2_grpc.ApplicationServiceServicer):
    """Takes and decides applications."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateApplication(self, tx: Transaction, request: pb.CreateApplicationRequest) -> pb.Application:
        wanted, today = request.application, tx.today
        declared = [
            fact_of(fact, f"declared_facts[{index}]", today, declared=True)
            for index, fact in enumerate(request.declared_facts)
        ]
        check_all(declared, "declared_facts")
        opening = collecting(tx, names.last(wanted.programme))
        facts.lock_learner(tx, wanted.learner)
        facts.put(tx, wanted.learner, declared)
        number = opening.number if opening else None
        found = assess(self.app, tx, wanted.learner, wanted.programme, wanted.session, number=number)
        if opening and not certainly_refused(found):
            return self._message(collect(tx, opening, decision_values(found, wanted.learner)))
        row, _ = decide_by_rules(tx, found, wanted.learner)
        if row.state != State.SUBMITTED:
            tell_decided(tx, row)
        return self._message(row)

    @query
    def GetApplication(self, tx: Transaction, request: pb.GetApplicationRequest) -> pb.Application:
        return self._message(applications.get(tx, names.uuid_in(request.name, "applications")))

    @query
    def ListApplications(
        self, tx: Transaction, request: pb.ListApplicationsRequest
    ) -> pb.ListApplicationsResponse:
        programme = names.last(request.programme)
        _check_filters(request)
        assignee = "" if request.unassigned else request.assignee or None
        found = page(
            tx,
            self.app.signer,
            applications.listed(
                request.learner, programme, request.state, assignee=assignee, queued=request.queued
            ),
            order_by=[table.c.id],
            request=request,
            filters={
                "learner": request.learner,
                "programme": programme,
                "state": request.state,
                "assignee": assignee,
                "queued": request.queued,
            },
        )
        return pb.ListApplicationsResponse(
            applications=map(self._message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideApplication(self, tx: Transaction, request: pb.DecideApplicationRequest) -> pb.Application:
        row = lock(tx, request.name)
        application = str(row.id)
        beside = need_decidable(tx, row, request.etag, State.SUBMITTED, tx.today)
        inquiries.withdraw_open(tx, application)
        note = self.app.notes.seal(f"applications/{application}", request.reason)
        said = {**beside, "sealed_note": note, "decided_by": tx.principal.subject, "decided_at": tx.now}
        if request.grant:
            row = grant_waiting(self.app, tx, row, said)
        else:
            codes = list(dict.fromkeys(request.reason_codes)) or ["CASEWORKER"]
            rules = self.app.rules(tx, row.programme_id, row.version_number)
            until = {"appeal_until": rules.appeal_until(tx.now)}
            values = {**said, **until, "state": int(State.REFUSED), "reason_codes": codes}
            row = applications.change(tx, application, values)
        tell_decided(tx, row)
        return self._message(row)

    def _message(self, row: Row[Any]) -> pb.Application:
        return application_message(row, self.app.notes)


def grant_waiting(app: VouchersApp, tx: Transaction, row: Row[Any], said: dict[str, Any]) -> Row[Any]:
    """Grants by the pinned version on what is known now; what is certain a caseworker cannot overrule.

    `said`: columns written beside those of the grant. Returns the new row. Raises Refusal: BUDGET_EXHAUSTED,
    INVALID_ARGUMENT naming the clauses that failed, PROGRAMME_NOT_ACTIVE, SESSION_UNKNOWN.
    """
    programme, applied = f"programmes/{row.programme_id}", row.applied_on
    found = assess(app, tx, row.learner, programme, row.session, number=row.version_number, applied=applied)
    results = found.decision.results
    failed = [r.reason_code for r in results if r.verified and r.outcome is Outcome.FAILED]
    if "BUDGET_EXHAUSTED" in failed:
        raise Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)
    if failed or found.decision.worth is None:
        text = f"clauses failed: {', '.join(failed)}" if failed else "facts that set the amount are missing"
        violation = Violation("grant", text)
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    pot = take_money(tx, found)
    voucher = new_id()
    values = {**decision_values(found, row.learner), **said, "voucher_id": voucher, "automatic": False}
    changed = applications.change(
        tx, str(row.id), {**values, "state": int(State.GRANTED), "reason_codes": []}
    )
    issue(tx, found, row.learner, str(row.id), voucher, pot)
    return changed


def tell_decided(tx: Transaction, row: Row[Any]) -> None:
    """Publishes what was decided, first or on appeal."""
    tx.publish(
        events_pb2.ApplicationDecided(
            application=f"applications/{row.id}",
            learner=row.learner,
            granted=row.state == State.GRANTED,
            reason_codes=row.reason_codes,
        )
    )


def _check_filters(request: pb.ListApplicationsRequest) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for filters that exclude each other."""
    pairs = (("unassigned", "assignee"), ("queued", "state"))
    clashes = [
        Violation(one, f"does not go with {other}")
        for one, other in pairs
        if getattr(request, one) and getattr(request, other)
    ]
    if clashes:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=clashes)
