"""SkillClaimService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import skill_claim_pb2 as pb
from waymark.portfolio.v1 import skill_claim_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_evidence
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, from_date, refuse, to_date
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import open_vault


class SkillClaimApi(skill_claim_pb2_grpc.SkillClaimServiceServicer):
    """Skills a person claims, on the concepts of a taxonomy."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateSkillClaim(self, tx: Transaction, request: pb.CreateSkillClaimRequest) -> pb.SkillClaim:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        claim = without_outputs(request.skill_claim)
        if not claim.HasField("assert_date"):
            claim.assert_date.CopyFrom(from_date(tx.today))
        _check(tx, holder, claim)
        source = pb.SKILL_SOURCE_SELF
        concept = vault.key.blind("skill concept", claim.concept_uri)
        if SKILL_CLAIMS.newest(tx, vault, 1, source=source, concept=concept):
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
        try:
            return SKILL_CLAIMS.add(tx, vault, claim, source=source, concept=concept)
        except IntegrityError:  # a twin was faster
            raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None

    @portfolio_call
    def GetSkillClaim(self, tx: Transaction, request: pb.GetSkillClaimRequest) -> pb.SkillClaim:
        holder, claim_id = names.parse(request.name, "holders", "skillClaims")
        return SKILL_CLAIMS.get(tx, open_vault(tx, self.app.keys, holder), claim_id)

    @portfolio_call
    def ListSkillClaims(
        self, tx: Transaction, request: pb.ListSkillClaimsRequest
    ) -> pb.ListSkillClaimsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = SKILL_CLAIMS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListSkillClaimsResponse(skill_claims=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdateSkillClaim(self, tx: Transaction, request: pb.UpdateSkillClaimRequest) -> pb.SkillClaim:
        holder, claim_id = names.parse(request.skill_claim.name, "holders", "skillClaims")
        vault = open_vault(tx, self.app.keys, holder)
        current = SKILL_CLAIMS.get(tx, vault, claim_id, etag=request.skill_claim.etag, lock=True)
        if current.source != pb.SKILL_SOURCE_SELF:
            raise Refusal(reason_pb2.REASON_SKILL_CLAIM_ATTESTED)
        claim = merged(current, request.skill_claim, request.update_mask, "skill_claim")
        _check(tx, holder, claim)
        return SKILL_CLAIMS.replace(tx, vault, claim_id, claim)

    @portfolio_call
    def DeleteSkillClaim(self, tx: Transaction, request: pb.DeleteSkillClaimRequest) -> Empty:
        holder, claim_id = names.parse(request.name, "holders", "skillClaims")
        SKILL_CLAIMS.remove(tx, holder, claim_id, request.etag)
        return Empty()


def _check(tx: Transaction, holder: str, claim: pb.SkillClaim) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for what the contract's own rules cannot say."""
    if not claim.concept_uri:
        refuse([Violation("skill_claim.concept_uri", "must name a concept")])
    for field in ("assert_date", "last_used_date"):
        day = getattr(claim, field)
        if claim.HasField(field):
            refuse(check_date(f"skill_claim.{field}", day))
            if to_date(day) > tx.today:
                refuse([Violation(f"skill_claim.{field}", "must not be in the future")])
    check_evidence(tx, holder, claim.evidence, "skill_claim.evidence")
