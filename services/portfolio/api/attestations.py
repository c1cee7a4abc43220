"""AttestationService."""

from __future__ import annotations

from datetime import UTC, timedelta

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import attestation_pb2 as pb
from waymark.portfolio.v1 import attestation_pb2_grpc
from waymark.portfolio.v1.events_pb2 import AttestationGiven
from waymark.portfolio.v1.skill_claim_pb2 import (
    SKILL_SOURCE_EMPLOYER,
    SKILL_SOURCE_SELF,
    SkillClaim,
    SkillLevel,
    SkillSource,
)

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.awarding import award
from services.portfolio.domain import names
from services.portfolio.domain.credentials import issuing
from services.portfolio.domain.dates import check_expiry, refuse
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import access_records, attestation_requests, holders, issuers
from services.portfolio.store.attestation_requests import REQUESTS, Locked, State
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault, open_vault
from services.portfolio.vouching import vouch

LONGEST = timedelta(days=90)


class AttestationApi(attestation_pb2_grpc.AttestationServiceServicer):
    """Employers and peers attest skills, by one-time links."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call(answer_stored=False)
    def CreateAttestationRequest(
        self, tx: Transaction, request: pb.CreateAttestationRequestRequest
    ) -> pb.CreateAttestationRequestResponse:
        (holder,) = names.parse(request.parent, "holders")
        wanted = without_outputs(request.attestation_request)
        owner, claim_id = names.parse(wanted.skill_claim, "holders", "skillClaims")
        check_expiry("attestation_request.expire_time", wanted.expire_time, now=tx.now, longest=LONGEST)
        vault = open_vault(tx, self.app.keys, holder)
        claim = SKILL_CLAIMS.get(tx, vault, claim_id)
        if owner != holder or claim.source != SKILL_SOURCE_SELF:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        token = self.app.links.new_token()
        made = REQUESTS.add(
            tx,
            vault,
            pb.AttestationRequest(label=wanted.label, source=wanted.source),
            token_hash=self.app.links.token_hash(token),
            skill_claim_id=claim_id,
            state=State.STATE_OPEN,
            expires_at=wanted.expire_time.ToDatetime(UTC),
        )
        return pb.CreateAttestationRequestResponse(attestation_request=made, token=token)

    @portfolio_call
    def ListAttestationRequests(
        self, tx: Transaction, request: pb.ListAttestationRequestsRequest
    ) -> pb.ListAttestationRequestsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = REQUESTS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListAttestationRequestsResponse(
            attestation_requests=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def WithdrawAttestationRequest(
        self, tx: Transaction, request: pb.WithdrawAttestationRequestRequest
    ) -> pb.AttestationRequest:
        holder, row_id = names.parse(request.name, "holders", "attestationRequests")
        vault = open_vault(tx, self.app.keys, holder)
        found = REQUESTS.get(tx, vault, row_id, lock=True)
        if found.state == State.STATE_GIVEN:
            raise wrong_state("GIVEN", "OPEN")
        return REQUESTS.replace(tx, vault, row_id, found, state=State.STATE_WITHDRAWN)

    @mutation
    def OpenAttestationRequest(
        self, tx: Transaction, request: pb.OpenAttestationRequestRequest
    ) -> pb.OpenAttestationRequestResponse:
        link, vault = self._used(tx, request.token)
        holder, claim = holders.get(tx, vault), SKILL_CLAIMS.get(tx, vault, link.claim)
        _log(tx, link, "OpenAttestationRequest")
        answer = pb.OpenAttestationRequestResponse(
            holder_name=f"{holder.given_name} {holder.family_name}".strip(),
            concept_uri=claim.concept_uri,
            label=dict(claim.label),
            level=claim.level,
            source=_source(REQUESTS.get(tx, vault, link.id)),
        )
        answer.expire_time.FromDatetime(link.expires_at)
        return answer

    @mutation
    def GiveAttestation(
        self, tx: Transaction, request: pb.GiveAttestationRequest
    ) -> pb.GiveAttestationResponse:
        link, vault = self._used(tx, request.token)
        claim, found = SKILL_CLAIMS.get(tx, vault, link.claim), REQUESTS.get(tx, vault, link.id)
        source, said = _source(found), request.attestation
        if source == SKILL_SOURCE_EMPLOYER and not said.employer:
            refuse([Violation("attestation.employer", "must name the employer that you attest for")])
        issuer = issuers.of_office(tx, self.app.keys, self.app.origin)
        signer = issuers.signer_of(tx, self.app.keys, issuer)
        words = issuing.endorsement(issuer, link.claim, _comment(claim, said), tx.now)
        found.credential, content = award(tx, vault, words, signer)
        vouch(tx, vault, source, claim.concept_uri, found.credential, said.level)
        REQUESTS.replace(tx, vault, link.id, found, state=State.STATE_GIVEN)
        _log(tx, link, "GiveAttestation")
        tx.publish(AttestationGiven(holder=names.holder(link.holder), attestation_request=link.name))
        return pb.GiveAttestationResponse(credential=content)

    def _used(self, tx: Transaction, token: str) -> tuple[Locked, Vault]:
        link = attestation_requests.lock(tx, self.app.links.token_hash(token))
        return link, open_vault(tx, self.app.keys, link.holder)


def _source(request: pb.AttestationRequest) -> SkillSource.ValueType:
    return request.source or SKILL_SOURCE_EMPLOYER


def _comment(claim: SkillClaim, attestation: pb.Attestation) -> str:
    who = ", ".join(filter(None, (attestation.attester, attestation.position, attestation.employer)))
    level = SkillLevel.Name(attestation.level).removeprefix("SKILL_LEVEL_").lower()
    said = f": {attestation.comment}" if attestation.comment else ""
    return f"{who} attests {claim.concept_uri} at level {level}{said}"


def _log(tx: Transaction, link: Locked, action: str) -> None:
    resource = names.child(link.holder, "skillClaims", link.claim)
    access_records.write(tx, link.holder, action=action, resource=resource, grant=link.name)
