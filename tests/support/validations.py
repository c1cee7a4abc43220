"""Validation cases on a running portfolio service: somebody with a case, and an awarding body."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from waymark.portfolio.v1 import credential_issuer_pb2 as issuers
from waymark.portfolio.v1 import validation_pb2 as pb

from tests.support.portfolio import Caller, Portfolio, entry, pathway

NOT_SHOWN, PARTLY, SHOWN = 1, 2, 3


def opened_case(
    portfolio: Portfolio, person: Caller, organisation: str = ""
) -> tuple[pb.ValidationCase, str]:
    """Opens a case for a new pathway; returns it and the awarding body."""
    organisation = organisation or f"organisations/{uuid.uuid4()}"
    wanted = issuers.CredentialIssuer(organisation=organisation, display_name="Quay School")
    manager = portfolio.staff("catalogue_manager")
    body = manager.CreateCredentialIssuer(issuers.CreateCredentialIssuerRequest(credential_issuer=wanted))
    case = pb.ValidationCase(pathway=pathway(person).name, awarding_body=body.name, nqf_level="VKS 4")
    request = pb.CreateValidationCaseRequest(parent=person.holder, validation_case=case)
    return person.CreateValidationCase(request), body.name


@dataclass
class Given:
    """Somebody, their counsellor, people of an awarding body, and a case of two elements."""

    person: Caller
    counsellor: Caller
    assessor: Caller
    second: Caller
    head: Caller
    body: str
    name: str

    def assigned(self, assessor: Caller, **fields: Any) -> pb.ValidationCase:
        """The head names an assessor."""
        request = pb.AssignAssessorRequest(name=self.name, assessor=assessor.subject, **fields)
        answer: pb.ValidationCase = self.head.AssignAssessor(request)
        return answer

    def deciding(self, arc: int, gas: int, **fields: Any) -> pb.DecideValidationCaseRequest:
        """A request that rates both elements."""
        ratings = [
            pb.ElementAssessment(element="arc", rating=arc),  # type: ignore[arg-type]
            pb.ElementAssessment(element="gas", rating=gas, note="a torch was never lit"),  # type: ignore[arg-type]
        ]
        return pb.DecideValidationCaseRequest(name=self.name, assessments=ratings, **fields)

    def concluded(self, arc: int, gas: int) -> pb.ValidationCase:
        """The assessor is named and decides, and the head says so."""
        self.assigned(self.assessor)
        self.assessor.DecideValidationCase(self.deciding(arc, gas))
        request = pb.ConcludeValidationCaseRequest(name=self.name)
        answer: pb.ValidationCase = self.head.ConcludeValidationCase(request)
        return answer


def identified(portfolio: Portfolio) -> Given:
    """A case whose elements are named."""
    person, organisation = portfolio.person(given_name="Ada"), f"organisations/{uuid.uuid4()}"
    counsellor = portfolio.mandated(person)
    case, body = opened_case(portfolio, person, organisation)
    assessor, second, head = (portfolio.staff("provider", organisation) for _ in range(3))
    elements = [
        pb.ValidationElement(id="arc", title="Arc welding", credit_points=6, skill_uris=["http://a/arc"]),
        pb.ValidationElement(id="gas", title="Gas welding", credit_points=4),
    ]
    counsellor.IdentifyElements(pb.IdentifyElementsRequest(name=case.name, elements=elements))
    return Given(person, counsellor, assessor, second, head, body, case.name)


def submitted(portfolio: Portfolio, **named: list[str]) -> Given:
    """A case that was handed in, its elements shown by an entry and by what else is `named`."""
    given = identified(portfolio)
    named = {"entries": [entry(given.person, "Shipyard").name]} | named
    documents = [
        pb.ElementDocument(element=element, rating=SHOWN, note="six years", **named)  # type: ignore[arg-type]
        for element in ("arc", "gas")
    ]
    given.person.DocumentElements(pb.DocumentElementsRequest(name=given.name, documents=documents))
    given.person.SubmitValidationCase(pb.SubmitValidationCaseRequest(name=given.name))
    return given
