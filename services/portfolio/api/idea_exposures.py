"""IdeaExposureService."""

from __future__ import annotations

from datetime import date

from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import idea_exposure_pb2 as pb
from waymark.portfolio.v1 import idea_exposure_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import query
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import exposure, names
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import idea_exposures
from services.portfolio.store.exposure_tables import idea_exposures as counts
from services.portfolio.store.idea_exposures import CONSENTS
from services.portfolio.store.vault import open_vault


class IdeaExposureApi(idea_exposure_pb2_grpc.IdeaExposureServiceServicer):
    """Whom which occupations were suggested to, by gender, of those who let it be counted."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def GiveExposureConsent(
        self, tx: Transaction, request: pb.GiveExposureConsentRequest
    ) -> pb.ExposureConsent:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        consent = without_outputs(request.exposure_consent)
        _check(consent)
        if idea_exposures.in_force(tx, vault):
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
        before = idea_exposures.counted(tx, vault)
        try:
            made = CONSENTS.add(tx, vault, consent, counted=b"")
        except IntegrityError:  # a twin was faster
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
        idea_exposures.put_counted(tx, vault, names.last(made.name), before)
        return made

    @portfolio_call
    def WithdrawExposureConsent(
        self, tx: Transaction, request: pb.WithdrawExposureConsentRequest
    ) -> pb.ExposureConsent:
        holder, consent_id = names.parse(request.name, "holders", "exposureConsents")
        vault = open_vault(tx, self.app.keys, holder)
        consent = CONSENTS.get(tx, vault, consent_id, lock=True)
        if consent.HasField("withdraw_time"):
            raise wrong_state("WITHDRAWN", "IN_FORCE")
        return CONSENTS.replace(tx, vault, consent_id, consent, withdrawn_at=tx.now)

    @portfolio_call
    def ListExposureConsents(
        self, tx: Transaction, request: pb.ListExposureConsentsRequest
    ) -> pb.ListExposureConsentsResponse:
        (holder,) = names.parse(request.parent, "holders")
        found = CONSENTS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListExposureConsentsResponse(
            exposure_consents=found.messages, next_page_token=found.next_page_token
        )

    @portfolio_call
    def RecordShownIdeas(
        self, tx: Transaction, request: pb.RecordShownIdeasRequest
    ) -> pb.RecordShownIdeasResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        consent = idea_exposures.in_force(tx, vault)
        if consent is not None:
            before = idea_exposures.counted(tx, vault)
            after, fresh = exposure.count(before, tx.today, request.isco_codes)
            if fresh:
                idea_exposures.put_counted(tx, vault, names.last(consent.name), after)
                idea_exposures.add(tx, after.month, consent.gender, fresh)
        return pb.RecordShownIdeasResponse()

    @query
    def ListIdeaExposures(
        self, tx: Transaction, request: pb.ListIdeaExposuresRequest
    ) -> pb.ListIdeaExposuresResponse:
        month = date.fromisoformat(f"{request.month}-01")
        if month >= tx.today.replace(day=1):
            refuse([Violation("month", "must be over")])
        found = page(
            tx,
            self.app.signer,
            idea_exposures.listing(month),
            order_by=[counts.c.isco_code, counts.c.gender],
            request=request,
            filters={"month": month},
        )
        answer = pb.ListIdeaExposuresResponse(next_page_token=found.next_page_token)
        for row in found.rows:
            people = exposure.told(row.people)
            answer.idea_exposures.add(
                isco_code=row.isco_code, gender=row.gender, people=people or 0, suppressed=people is None
            )
        return answer


def _check(consent: pb.ExposureConsent) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for what the contract's own rules cannot say."""
    violations = []
    if not consent.gender:
        violations.append(Violation("exposure_consent.gender", "must be one of the three"))
    if consent.terms != exposure.TERMS:
        text = f"must be those in force, {exposure.TERMS}: people consent to nothing else"
        violations.append(Violation("exposure_consent.terms", text))
    refuse(violations)
