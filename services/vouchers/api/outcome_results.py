"""OutcomeContractService: participants, what comes of them, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import outcome_contract_pb2 as pb

from services.platform.db.etags import check_etag
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query
from services.vouchers import repaying
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.app import VouchersApp
from services.vouchers.domain.expressions import compile_condition
from services.vouchers.domain.outcome_contracts import (
    WHOLE,
    ContractState,
    ReportState,
    known_of,
    share,
)
from services.vouchers.domain.states import need
from services.vouchers.repaying import repayment_of, terms_of
from services.vouchers.store import names, outcomes
from services.vouchers.store.outcome_tables import outcome_participants


class ResultMethods:
    """The part of OutcomeContractService about people and results."""

    app: VouchersApp

    @mutation
    def EnrolParticipants(
        self, tx: Transaction, request: pb.EnrolParticipantsRequest
    ) -> pb.EnrolParticipantsResponse:
        row = _lock_active(tx, request.parent)
        rows, known = outcomes.enrol(tx, row.id, list(request.learners))
        return pb.EnrolParticipantsResponse(participants=_participants(tx, rows), known_count=known)

    @mutation
    def RemoveParticipants(
        self, tx: Transaction, request: pb.RemoveParticipantsRequest
    ) -> pb.RemoveParticipantsResponse:
        row = _lock_active(tx, request.parent)
        proposals = outcomes.removable(tx, _ids(tx, row, request.participants))
        mine = ("", tx.principal.subject)
        seconded = [who for who, by in proposals.items() if by not in mine]
        new = [who for who, by in proposals.items() if by in mine]
        outcomes.remove(tx, seconded)
        outcomes.propose_removal(tx, new)
        return pb.RemoveParticipantsResponse(removed_count=len(seconded), proposed_count=len(new))

    @query
    def ListParticipants(
        self, tx: Transaction, request: pb.ListParticipantsRequest
    ) -> pb.ListParticipantsResponse:
        contract = outcomes.get(tx, names.last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            outcomes.participants_of(contract),
            order_by=[outcome_participants.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListParticipantsResponse(
            participants=_participants(tx, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def ReportOutcomes(self, tx: Transaction, request: pb.ReportOutcomesRequest) -> pb.OutcomesResponse:
        row = _lock_active(tx, request.parent)
        happened = date_of(request.date, "date")
        if not row.start_date <= happened <= tx.today:
            said = f"must be from {row.start_date}, when the contract starts, to today"
            raise invalid("date", said)
        people = _ids(tx, row, request.participants)
        reports = outcomes.reports_of(tx, people, request.outcome)
        refuted = ReportState.REFUTED
        known = {who for (who, _), report in reports.items() if report.state != refuted}
        new = [who for who in people if who not in known]
        outcomes.report(tx, new, request.outcome, happened, request.evidence_reference)
        return pb.OutcomesResponse(applied_count=len(new), known_count=len(known))

    @mutation
    def DecideOutcomes(self, tx: Transaction, request: pb.DecideOutcomesRequest) -> pb.OutcomesResponse:
        row = _lock_active(tx, request.parent)
        people = _ids(tx, row, request.participants)
        reports = outcomes.reports_of(tx, people, request.outcome)
        state = ReportState.REFUTED if request.refute else ReportState.VERIFIED
        new, proposed, kept = list[str](), list[str](), list[str]()
        for who in people:
            report = reports.get((who, request.outcome))
            if report is not None and report.state == state:
                kept.append(who)
            elif report is not None and request.refute and not _corrects(tx, report):
                proposed.append(who)
            else:
                _need_reported(tx, report, f"{request.parent}/participants/{who}")
                new.append(who)
        outcomes.decide(tx, new, request.outcome, state)
        if state is ReportState.VERIFIED:
            outcomes.propose_correction(tx, kept, request.outcome, "")
        outcomes.propose_correction(tx, proposed, request.outcome, tx.principal.subject)
        return pb.OutcomesResponse(
            applied_count=len(new), known_count=len(kept), proposed_count=len(proposed)
        )

    @query
    def GetTargetMix(self, tx: Transaction, request: pb.GetTargetMixRequest) -> pb.TargetMix:
        row = outcomes.get(tx, names.last(request.name))
        today = tx.today
        people = [known_of(facts, today) for facts in outcomes.facts_of_participants(tx, row.id)]
        shares = []
        for target in terms_of(row).mix_targets:
            found = share(compile_condition(target.expression), people)
            message = pb.MixShare(code=target.code, min_percent=target.min_percent, suppressed=found is None)
            if found is not None:
                message.members, message.unknown = found.members, found.unknown
                message.share_basis_points = found.members * WHOLE // max(1, len(people))
                enough = found.members * 100 >= target.min_percent * len(people)
                message.met = bool(people) and enough
            shares.append(message)
        return pb.TargetMix(outcome_contract=request.name, participants=len(people), shares=shares)

    @query
    def GetRepayment(self, tx: Transaction, request: pb.GetRepaymentRequest) -> pb.Repayment:
        return repayment_of(tx, outcomes.get(tx, names.last(request.name)))

    @mutation
    def ProposeRepayment(self, tx: Transaction, request: pb.ProposeRepaymentRequest) -> pb.Repayment:
        row = _lock_active(tx, request.name)
        if tx.today < row.repay_date:
            metadata = {"due": row.repay_date.isoformat()}
            raise Refusal(reason_pb2.REASON_REPAYMENT_NOT_DUE, metadata=metadata)
        values = {"state": int(ContractState.REPAYMENT_PROPOSED), "proposed_by": tx.principal.subject}
        return repayment_of(tx, outcomes.change(tx, row.id, values))

    @mutation
    def ApproveRepayment(self, tx: Transaction, request: pb.ApproveRepaymentRequest) -> pb.Repayment:
        row = outcomes.lock(tx, names.last(request.name))
        need(ContractState(row.state), (ContractState.REPAYMENT_PROPOSED,))
        if row.proposed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        check_etag(request.etag, row.version)
        return repaying.approve(tx, row)

    @mutation
    def RejectRepayment(self, tx: Transaction, request: pb.RejectRepaymentRequest) -> pb.Repayment:
        row = outcomes.lock(tx, names.last(request.name))
        need(ContractState(row.state), (ContractState.REPAYMENT_PROPOSED,))
        check_etag(request.etag, row.version)
        values = {"state": int(ContractState.ACTIVE), "proposed_by": ""}
        return repayment_of(tx, outcomes.change(tx, row.id, values))


def _lock_active(tx: Transaction, name: str) -> Row[Any]:
    row = outcomes.lock(tx, names.last(name))
    need(ContractState(row.state), (ContractState.ACTIVE,))
    return row


def _ids(tx: Transaction, contract: Row[Any], participants: Sequence[str]) -> list[str]:
    """Returns the ids in names of participants, all of this contract; raises Refusal(NOT_FOUND)."""
    found = [names.uuid_in(name, "participants") for name in participants]
    if any(name.split("/")[1] != contract.id for name in participants):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    outcomes.check_participants(tx, contract.id, found)
    return found


def _corrects(tx: Transaction, report: Row[Any]) -> bool:
    """True unless the report was verified and nobody else has found it wrong before: that takes two."""
    mine = ("", tx.principal.subject)
    return not (report.state == ReportState.VERIFIED and report.correction_by in mine)


def _need_reported(tx: Transaction, report: Row[Any] | None, participant: str) -> None:
    """Raises Refusal: OUTCOME_NOT_REPORTED without a report that may be decided on, SAME_PERSON for who
    reported it."""
    if report is None or report.state == ReportState.REFUTED:
        raise Refusal(reason_pb2.REASON_OUTCOME_NOT_REPORTED, metadata={"participant": participant})
    if report.reported_by == tx.principal.subject:
        raise Refusal(reason_pb2.REASON_SAME_PERSON)


def _participants(tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.Participant]:
    reports = outcomes.reports_of(tx, [str(row.id) for row in rows])
    found: dict[str, list[pb.OutcomeReport]] = {}
    for (participant, outcome), report in reports.items():
        message = pb.OutcomeReport(
            outcome=pb.ParticipantOutcome.ValueType(outcome),
            state=report.state,
            date=day(report.occurred_on),
            evidence_reference=report.evidence_reference,
            correction_proposed=report.state == ReportState.VERIFIED and bool(report.correction_by),
        )
        found.setdefault(participant, []).append(message)
    return [
        pb.Participant(
            name=f"outcomeContracts/{row.contract_id}/participants/{row.id}",
            learner=row.learner,
            reports=found.get(str(row.id), []),
            create_time=moment(row.created_at),
            removal_proposed=bool(row.removal_by),
        )
        for row in rows
    ]
