"""ValidationService: what the holder does with a case. The awarding body's part is in a file of its own."""

from __future__ import annotations

from typing import Any

from waymark.portfolio.v1 import validation_pb2 as pb
from waymark.portfolio.v1 import validation_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_own
from services.portfolio.api.validation_assessing import AssessingApi
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.pathways import LIVE
from services.portfolio.domain.validation import undocumented
from services.portfolio.store import issuers, pathways, validations
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE, hold
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.validations import CASES, COLLECTIONS
from services.portfolio.store.vault import open_vault
from services.portfolio.validating import print_of, snapshot_of

_REFERENCES: dict[str, Collection[Any]] = {
    "entries": ENTRIES,
    "skill_claims": SKILL_CLAIMS,
    "evidence": EVIDENCE,
}


class ValidationApi(AssessingApi, validation_pb2_grpc.ValidationServiceServicer):
    """Validation of what holders learnt outside of school."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateValidationCase(
        self, tx: Transaction, request: pb.CreateValidationCaseRequest
    ) -> pb.ValidationCase:
        (holder,) = names.parse(request.parent, "holders")
        wanted, vault = request.validation_case, open_vault(tx, self.app.keys, holder)
        owner, pathway_id = names.parse(wanted.pathway, "holders", "pathways")
        pathway = pathways.load(tx, vault, pathway_id)
        pathway.standing.require(LIVE)
        (issuer_id,) = names.parse(wanted.awarding_body, "credentialIssuers")
        violations = []
        if owner != holder:
            violations.append(Violation("validation_case.pathway", "is not in this portfolio"))
        if not pathway.message.target.qualification_uri:
            violations.append(Violation("validation_case.pathway", "must lead to a qualification"))
        if not issuers.organisation_of(tx.connection, issuer_id):
            violations.append(Violation("validation_case.awarding_body", "is no awarding body with staff"))
        refuse(violations)
        case = pb.ValidationCase(
            pathway=pathway.message.name,
            nqf_level=wanted.nqf_level,
            qualification=pathway.message.target,
        )
        made = validations.add(tx, vault, issuer_id, case)
        self.tell(tx, made)
        return made

    @portfolio_call
    def GetValidationCase(self, tx: Transaction, request: pb.GetValidationCaseRequest) -> pb.ValidationCase:
        holder, case_id = names.parse(request.name, *COLLECTIONS)
        return CASES.get(tx, open_vault(tx, self.app.keys, holder), case_id)

    @portfolio_call
    def ListValidationCases(
        self, tx: Transaction, request: pb.ListValidationCasesRequest
    ) -> pb.ListValidationCasesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = CASES.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListValidationCasesResponse(
            validation_cases=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def IdentifyElements(self, tx: Transaction, request: pb.IdentifyElementsRequest) -> pb.ValidationCase:
        found = self.find(tx, request)
        standing = found.standing.identify()
        ids = [element.id for element in request.elements]
        refuse(
            [
                Violation(f"elements[{index}].id", "is used twice")
                for index, element_id in enumerate(ids)
                if element_id in ids[:index]
            ]
        )
        del found.case.elements[:]
        for element in request.elements:
            found.case.elements.add(
                id=element.id,
                title=element.title,
                skill_uris=element.skill_uris,
                credit_points=element.credit_points,
            )
        return self.moved(tx, found, standing)

    @portfolio_call
    def DocumentElements(self, tx: Transaction, request: pb.DocumentElementsRequest) -> pb.ValidationCase:
        found = self.find(tx, request)
        standing = found.standing.document()
        elements = {element.id: element for element in found.case.elements}
        for index, document in enumerate(request.documents):
            if document.element not in elements:
                refuse([Violation(f"documents[{index}].element", "is no element of this case")])
            elements[document.element].document.CopyFrom(document)
        for field, collection in _REFERENCES.items():
            named = {
                f"documents[{index}].{field}": getattr(document, field)
                for index, document in enumerate(request.documents)
            }
            check_own(tx, found.vault.holder, collection, named)
        return self.moved(tx, found, standing)

    @portfolio_call
    def SubmitValidationCase(
        self, tx: Transaction, request: pb.SubmitValidationCaseRequest
    ) -> pb.ValidationCase:
        found = self.find(tx, request)
        snapshot = snapshot_of(tx, found.vault, found.case)
        hold(tx, found.vault, snapshot.evidence)
        parts: list[Any] = [*snapshot.entries, *snapshot.skill_claims, *snapshot.evidence]
        there = {part.name for part in parts}
        standing = found.standing.submit(undocumented(found.case.elements, there))
        validations.freeze(tx, found.vault, names.last(request.name), snapshot)
        found.case.snapshot_sha256 = print_of(snapshot)
        return self.moved(tx, found, standing)

    @portfolio_call
    def WithdrawValidationCase(
        self, tx: Transaction, request: pb.WithdrawValidationCaseRequest
    ) -> pb.ValidationCase:
        found = self.find(tx, request)
        return self.moved(tx, found, found.standing.withdraw())

    @portfolio_call
    def AppealValidationCase(
        self, tx: Transaction, request: pb.AppealValidationCaseRequest
    ) -> pb.ValidationCase:
        found = self.find(tx, request)
        standing = found.standing.appeal(tx.now)
        found.case.appeal_grounds = request.grounds
        return self.moved(tx, found, standing)
