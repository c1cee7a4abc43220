"""ValidationService: what an awarding body does with a case that was handed in to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import evidence_pb2
from waymark.portfolio.v1 import validation_pb2 as pb
from waymark.portfolio.v1.events_pb2 import ValidationCaseMoved

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark, query
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.evidence import download_of
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.validation import TO_ASSESS, Standing, label, outcome_of
from services.portfolio.scanning import require_served_now
from services.portfolio.store import mandates, validations
from services.portfolio.store.validations import CASES, COLLECTIONS
from services.portfolio.store.vault import Vault, open_vault
from services.portfolio.validating import take_effect


class Found(NamedTuple):
    """A locked case."""

    vault: Vault
    case: pb.ValidationCase
    standing: Standing


class AssessingApi:
    """Assessors, decisions, and what both parts of the service do alike."""

    app: PortfolioApp

    @portfolio_call
    def GetValidationSnapshot(
        self, tx: Transaction, request: pb.GetValidationSnapshotRequest
    ) -> pb.ValidationSnapshot:
        return self._snapshot(tx, request.name)

    @mark
    def GetSnapshotFile(self, request: pb.GetSnapshotFileRequest, call: Any) -> evidence_pb2.EvidenceDownload:
        return download_of(self.app, self._frozen_file(request, call))

    @query
    def ListSubmittedCases(
        self, tx: Transaction, request: pb.ListSubmittedCasesRequest
    ) -> pb.ListSubmittedCasesResponse:
        (issuer_id,) = names.parse(request.parent, "credentialIssuers")
        page = validations.handed_in(tx, self.app.signer, issuer_id, request)
        return pb.ListSubmittedCasesResponse(
            submitted_cases=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def AssignAssessor(self, tx: Transaction, request: pb.AssignAssessorRequest) -> pb.ValidationCase:
        found = self.find(tx, request)
        return self.moved(tx, found, found.standing.assign(request.assessor, _barred(tx, found)))

    @portfolio_call
    def DecideValidationCase(
        self, tx: Transaction, request: pb.DecideValidationCaseRequest
    ) -> pb.ValidationCase:
        found = self.find(tx, request)
        found.standing.require(TO_ASSESS)
        _rate(found.case, request)
        found.case.decision_note = request.note
        outcome = outcome_of(found.case.elements)
        standing = found.standing.decide(tx.principal.subject, outcome, _barred(tx, found))
        return self.moved(tx, found, standing)

    @portfolio_call
    def ConcludeValidationCase(
        self, tx: Transaction, request: pb.ConcludeValidationCaseRequest
    ) -> pb.ValidationCase:
        found = self.find(tx, request)
        standing = found.standing.conclude(tx.principal.subject, _barred(tx, found), tx.now)
        return self.moved(tx, found, standing)

    def find(self, tx: Transaction, request: Any) -> Found:
        """Locks the case that a request names; raises Refusal(NOT_FOUND, ETAG_STALE)."""
        holder, case_id = names.parse(request.name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        case = CASES.get(tx, vault, case_id, etag=request.etag, lock=True)
        return Found(vault, case, validations.standing_of(case))

    def moved(self, tx: Transaction, found: Found, standing: Standing) -> pb.ValidationCase:
        """Writes where a case now stands, lets an outcome that is now in force take effect, and tells."""
        found.case.outcome = standing.outcome
        if standing.in_force:
            take_effect(self.app, tx, found.vault, found.case)
        case = validations.save(tx, found.vault, found.case, standing)
        if standing.state != found.standing.state:
            self.tell(tx, case)
        return case

    def tell(self, tx: Transaction, case: pb.ValidationCase) -> None:
        """Tells where a case stands."""
        tx.publish(ValidationCaseMoved(validation_case=case.name, to_state=label(case.state)))

    def _snapshot(self, tx: Transaction, name: str) -> pb.ValidationSnapshot:
        """Returns what was frozen; to the assessor only while the case is to be assessed."""
        holder, case_id = names.parse(name, *COLLECTIONS)
        vault = open_vault(tx, self.app.keys, holder)
        case = CASES.get(tx, vault, case_id)
        if tx.principal.subject == case.assessor:
            validations.standing_of(case).require(TO_ASSESS)
        return validations.frozen(tx, vault, case_id)

    @portfolio_call
    def _frozen_file(self, tx: Transaction, request: pb.GetSnapshotFileRequest) -> evidence_pb2.Evidence:
        for file in self._snapshot(tx, request.name).evidence:
            if file.name == request.evidence:
                require_served_now(self.app, tx, file.name)
                return file
        raise Refusal(reason_pb2.REASON_NOT_FOUND)


def _barred(tx: Transaction, found: Found) -> frozenset[str]:
    """Who is too near to the holder to assess: the holder, and everybody who ever guided them."""
    return mandates.counsellors(tx, found.vault.holder) | {found.vault.holder}


def _rate(case: pb.ValidationCase, request: pb.DecideValidationCaseRequest) -> None:
    """Writes the ratings down; raises Refusal(INVALID_ARGUMENT) unless there is one for each element."""
    ratings = {each.element: each for each in request.assessments}
    elements = [element.id for element in case.elements]
    if len(ratings) != len(request.assessments) or set(ratings) != set(elements):
        refuse([Violation("assessments", f"must rate each of these once: {', '.join(elements)}")])
    for element in case.elements:
        if element.HasField("assessment"):
            element.former_assessment.CopyFrom(element.assessment)
        element.assessment.CopyFrom(ratings[element.id])
