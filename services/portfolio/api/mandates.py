"""MandateService."""

from __future__ import annotations

from datetime import timedelta

from waymark.portfolio.v1 import mandate_pb2 as pb
from waymark.portfolio.v1 import mandate_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_one
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.requests import opened_by
from services.portfolio.store import mandates
from services.portfolio.store.questionnaires import QUESTIONNAIRES
from services.portfolio.store.vault import open_vault

LONGEST = timedelta(days=731)


class MandateApi(mandate_pb2_grpc.MandateServiceServicer):
    """What counsellors may see and do, by the holder's word."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateMandate(self, tx: Transaction, request: pb.CreateMandateRequest) -> pb.Mandate:
        (holder,) = names.parse(request.parent, "holders")
        open_vault(tx, self.app.keys, holder)  # there is such a holder
        mandate = without_outputs(request.mandate)
        check_expiry("mandate.expire_time", mandate.expire_time, now=tx.now, longest=LONGEST)
        if mandate.counsellor == holder:
            refuse([Violation("mandate.counsellor", "must be somebody else than the holder")])
        if mandate.act_on_behalf and mandate.purpose != pb.MANDATE_PURPOSE_GUIDANCE:
            refuse([Violation("mandate.act_on_behalf", "goes with the purpose of guidance alone")])
        _check_questionnaire(tx, holder, mandate)
        _check_parts(mandate)
        _fill_basis(mandate)
        return mandates.create(tx, holder, mandate)

    @portfolio_call
    def ListMandates(self, tx: Transaction, request: pb.ListMandatesRequest) -> pb.ListMandatesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = mandates.listed(tx, self.app.signer, holder, request)
        return pb.ListMandatesResponse(mandates=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def RevokeMandate(self, tx: Transaction, request: pb.RevokeMandateRequest) -> pb.Mandate:
        return mandates.revoke(tx, *names.parse(request.name, "holders", "mandates"))


def _check_questionnaire(tx: Transaction, holder: str, mandate: pb.Mandate) -> None:
    """Raises Refusal(INVALID_ARGUMENT) unless a mandate for special categories, and no other, names a
    questionnaire of the holder's."""
    if mandate.purpose == pb.MANDATE_PURPOSE_SPECIAL_CATEGORY:
        check_one(tx, holder, QUESTIONNAIRES, "mandate.questionnaire", mandate.questionnaire)
    elif mandate.questionnaire:
        refuse([Violation("mandate.questionnaire", "goes with the purpose of special categories alone")])


def _check_parts(mandate: pb.Mandate) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for parts that the purpose does not open: nobody would see them."""
    opened = opened_by(mandate.purpose)
    closed = [
        Violation(f"mandate.parts[{index}]", "is not opened by this purpose")
        for index, part in enumerate(mandate.parts)
        if part not in opened
    ]
    refuse(closed)


def _fill_basis(mandate: pb.Mandate) -> None:
    """Fills in the legal basis where nothing is said; raises Refusal(INVALID_ARGUMENT) unless explicit
    consent goes with special categories, and with them alone."""
    special = mandate.purpose == pb.MANDATE_PURPOSE_SPECIAL_CATEGORY
    usual = pb.MANDATE_LEGAL_BASIS_EXPLICIT_CONSENT if special else pb.MANDATE_LEGAL_BASIS_CONSENT
    mandate.legal_basis = mandate.legal_basis or usual
    if special != (mandate.legal_basis == pb.MANDATE_LEGAL_BASIS_EXPLICIT_CONSENT):
        text = "must be explicit consent with the purpose of special categories, and with it only"
        refuse([Violation("mandate.legal_basis", text)])
