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
)

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.awarding import award
from services.portfolio.domain import names
from services.portfolio.domain.credentials import issuing
from services.portfolio.domain.dates import check_expiry, from_date
from services.portfolio.domain.states import wrong_state
from services.portfolio.store import access_records, attestation_requests, holders, issuers
from services.portfolio.store.attestation_requests import REQUESTS, Locked, State
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault, open_vault

LONGEST = timedelta(days=90)


class AttestationApi(attestation_pb2_grpc.AttestationServiceServicer):
    """Employers attest skills, by one-time links."""

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
            pb.AttestationRequest(label=wanted.label),
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
        )
        answer.expire_time.FromDatetime(link.expires_at)
        return answer

    @mutation
    def GiveAttestation(
        self, tx: Transaction, request: pb.GiveAttestationRequest
    ) -> pb.GiveAttestationResponse:
        link, vault = self._used(tx, request.token)
        claim = SKILL_CLAIMS.get(tx, vault, link.claim)
        _claim(tx, vault, claim, request.attestation)
        issuer = issuers.of_office(tx, self.app.keys, self.app.origin)
        signer = issuers.signer_of(tx, self.app.keys, issuer)
        comment = _comment(claim, request.attestation)
        credential, content = award(
            tx, vault, issuing.endorsement(issuer, link.claim, comment, tx.now), signer
        )
        found = REQUESTS.get(tx, vault, link.id)
        found.credential = credential
        REQUESTS.replace(tx, vault, link.id, found, state=State.STATE_GIVEN)
        _log(tx, link, "GiveAttestation")
        tx.publish(AttestationGiven(holder=names.holder(link.holder), attestation_request=link.name))
        return pb.GiveAttestationResponse(credential=content)

    def _used(self, tx: Transaction, token: str) -> tuple[Locked, Vault]:
        link = attestation_requests.lock(tx, self.app.links.token_hash(token))
        return link, open_vault(tx, self.app.keys, link.holder)


def _claim(tx: Transaction, vault: Vault, claim: SkillClaim, attestation: pb.Attestation) -> None:
    """Writes down that an employer says so; a concept is claimed once by each source."""
    attested = SkillClaim(
        concept_uri=claim.concept_uri,
        taxonomy_version=claim.taxonomy_version,
        label=dict(claim.label),
        level=attestation.level,
        assert_date=from_date(tx.now.date()),
    )
    source = SKILL_SOURCE_EMPLOYER
    concept = vault.key.blind("skill concept", claim.concept_uri)
    before = SKILL_CLAIMS.newest(tx, vault, 1, source=source, concept=concept)
    if before:
        SKILL_CLAIMS.replace(tx, vault, names.last(before[0].name), attested)
    else:
        SKILL_CLAIMS.add(tx, vault, attested, source=source, concept=concept)


def _comment(claim: SkillClaim, attestation: pb.Attestation) -> str:
    who = ", ".join(filter(None, (attestation.attester, attestation.position, attestation.employer)))
    level = SkillLevel.Name(attestation.level).removeprefix("SKILL_LEVEL_").lower()
    said = f": {attestation.comment}" if attestation.comment else ""
    return f"{who} attests {claim.concept_uri} at level {level}{said}"


def _log(tx: Transaction, link: Locked, action: str) -> None:
    resource = names.child(link.holder, "skillClaims", link.claim)
    access_records.write(tx, link.holder, action=action, resource=resource, grant=link.name)
