"""ApplicationService: automatic where verified facts decide every clause, else the queue."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import application_pb2_grpc, eligibility_pb2, events_pb2

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import clause, fact_of, moment
from services.vouchers.api.replays import ReplayMethods
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment, assess
from services.vouchers.domain.facts import check_all, snapshot
from services.vouchers.domain.money import money
from services.vouchers.domain.notes import Notes
from services.vouchers.domain.offers import document
from services.vouchers.domain.outcomes import Outcome
from services.vouchers.domain.replay import pins
from services.vouchers.domain.states import ApplicationState, need
from services.vouchers.granting import issue, take_money
from services.vouchers.openings import certainly_refused, collect, collecting
from services.vouchers.store import applications, facts, names
from services.vouchers.store.tables import applications as table

State = ApplicationState


class ApplicationApi(ReplayMethods, application_pb2_grpc.ApplicationServiceServicer):
    """Takes and decides applications."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateApplication(self, tx: Transaction, request: pb.CreateApplicationRequest) -> pb.Application:
        wanted, today = request.application, tx.now.date()
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
        pot = None
        if found.decision.state[0] is State.GRANTED:
            try:
                pot = take_money(tx, found)
            except Refusal:  # somebody else took the last of it since the check above
                found = found.without_money()
        state, codes = found.decision.state
        values = decision_values(found, wanted.learner)
        decided = {"decided_at": None if state is State.SUBMITTED else tx.now}
        voucher = {"voucher_id": new_id()} if pot is not None else {}
        row = applications.add(
            tx, {**values, **decided, **voucher, "state": int(state), "reason_codes": codes}
        )
        if pot is not None:
            issue(tx, found, wanted.learner, str(row.id), voucher["voucher_id"], pot)
        if state is not State.SUBMITTED:
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
        found = page(
            tx,
            self.app.signer,
            applications.listed(request.learner, programme, request.state),
            order_by=[table.c.id],
            request=request,
            filters={"learner": request.learner, "programme": programme, "state": request.state},
        )
        return pb.ListApplicationsResponse(
            applications=map(self._message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideApplication(self, tx: Transaction, request: pb.DecideApplicationRequest) -> pb.Application:
        application = names.uuid_in(request.name, "applications")
        learner = applications.get(tx, application).learner
        if learner == f"learners/{tx.principal.subject}":
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        facts.lock_learner(tx, learner)
        row = applications.get(tx, application, locked=True)
        check_etag(request.etag, row.version)
        need(State(row.state), (State.SUBMITTED,))
        note = self.app.notes.seal(f"applications/{application}", request.reason)
        said = {"sealed_note": note, "decided_by": tx.principal.subject, "decided_at": tx.now}
        if request.grant:
            row = self._grant(tx, row, said)
        else:
            codes = list(dict.fromkeys(request.reason_codes)) or ["CASEWORKER"]
            row = applications.change(
                tx, application, {**said, "state": int(State.REFUSED), "reason_codes": codes}
            )
        tell_decided(tx, row)
        return self._message(row)

    def _grant(self, tx: Transaction, row: Row[Any], said: dict[str, Any]) -> Row[Any]:
        """Grants by the pinned version on what is known now; what is certain a caseworker cannot overrule."""
        programme = f"programmes/{row.programme_id}"
        found = assess(self.app, tx, row.learner, programme, row.session, number=row.version_number)
        results = found.decision.results
        failed = [r.reason_code for r in results if r.verified and r.outcome is Outcome.FAILED]
        if "BUDGET_EXHAUSTED" in failed:
            raise Refusal(reason_pb2.REASON_BUDGET_EXHAUSTED)
        if failed or found.decision.worth is None:
            text = (
                f"clauses failed: {', '.join(failed)}" if failed else "facts that set the amount are missing"
            )
            violation = Violation("grant", text)
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        pot = take_money(tx, found)
        voucher = new_id()
        values = {**decision_values(found, row.learner), **said, "voucher_id": voucher, "automatic": False}
        del values["id"]
        changed = applications.change(tx, str(row.id), {**values, "state": int(State.GRANTED)})
        issue(tx, found, row.learner, str(row.id), voucher, pot)
        return changed

    def _message(self, row: Row[Any]) -> pb.Application:
        return application_message(row, self.app.notes)


def decision_values(found: Assessment, learner: str) -> dict[str, Any]:
    """Returns the columns that a decision rests on: all that is needed to replay it."""
    decision = found.decision
    kept = snapshot(decision.facts)
    offer, history = document(found.offer), dict(vars(found.history))
    pinned = pins(found.rules, kept, offer, history, found.entry, found.today)
    return {
        "id": new_id(),
        "learner": learner,
        "programme_id": found.programme_id,
        "version_number": found.number,
        "session": found.offer.session,
        "course": found.offer.course,
        "organisation": found.offer.organisation,
        "shortage_version": found.shortage_version,
        "shortage_entry": found.entry.name if found.entry else "",
        "facts": kept,
        "fact_hash": pinned["facts"],
        "offer": offer,
        "history": history,
        "pins": pinned,
        "pot_held": found.pot_held,
        "decided_on": found.today,
        "clauses": [
            MessageToDict(clause(r, found.today), preserving_proto_field_name=True) for r in decision.results
        ],
        "automatic": decision.automatic,
        "amount_cents": decision.worth.amount if decision.worth else 0,
        "share_cents": decision.worth.share if decision.worth else 0,
        "face_cents": decision.worth.face if decision.worth else 0,
        "cover_percent": decision.cover,
        "currency": found.rules.currency,
        "target_group": decision.group,
    }


def tell_decided(tx: Transaction, row: Row[Any]) -> None:
    """Publishes that an application was decided."""
    tx.publish(
        events_pb2.ApplicationDecided(
            application=f"applications/{row.id}",
            learner=row.learner,
            granted=row.state == State.GRANTED,
            reason_codes=row.reason_codes,
        )
    )


def application_message(row: Row[Any], notes: Notes) -> pb.Application:
    """Returns a row as message."""
    name = f"applications/{row.id}"
    programme = f"programmes/{row.programme_id}"
    return pb.Application(
        name=name,
        learner=row.learner,
        programme=programme,
        session=row.session,
        state=row.state,
        programme_version=f"{programme}/versions/{row.version_number}",
        shortage_list_version=row.shortage_version,
        shortage_entry=row.shortage_entry,
        fact_hash=row.fact_hash,
        clauses=[ParseDict(item, eligibility_pb2.ClauseOutcome()) for item in row.clauses],
        reason_codes=row.reason_codes,
        decision_reason=notes.open(name, row.sealed_note),
        automatic=row.automatic,
        amount=money(row.amount_cents, row.currency),
        learner_share=money(row.share_cents, row.currency),
        target_group=row.target_group,
        voucher=f"vouchers/{row.voucher_id}" if row.voucher_id else "",
        create_time=moment(row.created_at),
        decide_time=moment(row.decided_at),
        etag=etag_of(row.version),
    )
