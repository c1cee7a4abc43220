"""Agreements for tests: two or three parties, drafted by one manager, put in force by the other."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import agreement_pb2 as pb
from waymark.catalogue.v1 import agreement_pb2_grpc

from tests.support.catalogue import MANAGER, SECOND, Catalogue


def calls(catalogue: Catalogue, access: str | None = None) -> Any:
    """Calls of AgreementService, as manager unless another token is given."""
    return catalogue.stub(agreement_pb2_grpc.AgreementServiceStub, access)


def given(*parties: str, **changes: Any) -> pb.Agreement:
    """An informal agreement, open-ended."""
    values: dict[str, Any] = {
        "display_names": {"en": "Agreement"},
        "parties": parties,
        "models": [pb.PARTNERSHIP_MODEL_AGILE, pb.PARTNERSHIP_MODEL_SUPPORTIVE],
        "form": pb.AGREEMENT_FORM_INFORMAL,
        "selection_procedure": pb.SELECTION_PROCEDURE_CO_OPTION,
        "owner": MANAGER,
        "monitor": SECOND,
        **changes,
    }
    return pb.Agreement(**values)


def drafted(catalogue: Catalogue, *parties: str, **changes: Any) -> Any:
    """Drafts an agreement."""
    request = pb.CreateAgreementRequest(agreement=given(*parties, **changes))
    return calls(catalogue).CreateAgreement(request)


def active(catalogue: Catalogue, *parties: str, **changes: Any) -> Any:
    """An agreement in force."""
    draft = drafted(catalogue, *parties, **changes)
    return calls(catalogue, catalogue.second).ActivateAgreement(pb.ActivateAgreementRequest(name=draft.name))
