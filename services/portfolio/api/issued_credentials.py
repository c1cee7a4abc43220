"""IssuedCredentialService."""

from __future__ import annotations

from datetime import UTC

from google.api.httpbody_pb2 import HttpBody
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import issued_credential_pb2 as pb
from waymark.portfolio.v1 import issued_credential_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import without_outputs
from services.portfolio import published
from services.portfolio.app import PortfolioApp
from services.portfolio.awarding import issue, tell
from services.portfolio.domain import names
from services.portfolio.domain.credentials import issuing
from services.portfolio.domain.dates import refuse
from services.portfolio.store import access_records, issued_credentials, issuers, locking
from services.portfolio.store.vault import open_vault

State = pb.IssuedCredential.State
ACTIVE, SUSPENDED, REVOKED = State.STATE_ACTIVE, State.STATE_SUSPENDED, State.STATE_REVOKED
_COLLECTIONS = ("credentialIssuers", "issuedCredentials")


class IssuedCredentialApi(issued_credential_pb2_grpc.IssuedCredentialServiceServicer):
    """Credentials that awarding bodies issue here."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def IssueCredential(self, tx: Transaction, request: pb.IssueCredentialRequest) -> pb.IssuedCredential:
        (issuer_id,) = names.parse(request.parent, "credentialIssuers")
        wanted = without_outputs(request.issued_credential)
        (holder,) = names.parse(wanted.holder, "holders")
        _check_times(tx, wanted)
        locking.enter(tx, holder)
        vault = open_vault(tx, self.app.keys, holder)
        issuer = issuers.get(tx, self.app.origin, issuer_id)
        issued = issue(tx, vault, issuer, self.app.keys, wanted)
        access_records.write(
            tx, holder, action="IssueCredential", resource=issued.credential, grant=issuer.name
        )
        return issued

    @query
    def GetIssuedCredential(
        self, tx: Transaction, request: pb.GetIssuedCredentialRequest
    ) -> pb.IssuedCredential:
        return issued_credentials.get(tx, *names.parse(request.name, *_COLLECTIONS))

    @query
    def ListIssuedCredentials(
        self, tx: Transaction, request: pb.ListIssuedCredentialsRequest
    ) -> pb.ListIssuedCredentialsResponse:
        (issuer_id,) = names.parse(request.parent, "credentialIssuers")
        page = issued_credentials.listed(tx, self.app.signer, issuer_id, request)
        return pb.ListIssuedCredentialsResponse(
            issued_credentials=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def RevokeIssuedCredential(
        self, tx: Transaction, request: pb.RevokeIssuedCredentialRequest
    ) -> pb.IssuedCredential:
        return self._moved(tx, request.name, REVOKED, (ACTIVE, SUSPENDED))

    @mutation
    def SuspendIssuedCredential(
        self, tx: Transaction, request: pb.SuspendIssuedCredentialRequest
    ) -> pb.IssuedCredential:
        return self._moved(tx, request.name, SUSPENDED, (ACTIVE,))

    @mutation
    def ReinstateIssuedCredential(
        self, tx: Transaction, request: pb.ReinstateIssuedCredentialRequest
    ) -> pb.IssuedCredential:
        return self._moved(tx, request.name, ACTIVE, (SUSPENDED,))

    @query
    def GetVerificationPage(
        self, tx: Transaction, request: pb.GetVerificationPageRequest
    ) -> pb.VerificationPage:
        issuer_id, row_id = names.parse(request.name, *_COLLECTIONS)
        issued = issued_credentials.get(tx, issuer_id, row_id)
        issuer = issuers.get(tx, self.app.origin, issuer_id)
        begun = issued.valid_from.ToDatetime(UTC) <= tx.now
        over = issued.HasField("valid_until") and issued.valid_until.ToDatetime(UTC) <= tx.now
        page = pb.VerificationPage(
            name=issued.name,
            issuer_name=issuer.display_name,
            issuer_did=issuer.did,
            achievement=issued.achievement,
            state=issued.state,
            valid=issued.state == ACTIVE and begun and not over,
            valid_from=issued.valid_from,
            valid_until=issued.valid_until if issued.HasField("valid_until") else None,
        )
        page.check_time.FromDatetime(tx.now)
        return page

    @query
    def GetStatusList(self, tx: Transaction, request: pb.GetStatusListRequest) -> HttpBody:
        issuer_id, listed = names.parse(request.name, "credentialIssuers", "statusLists")
        number, _, purpose = listed.partition("-")
        if (
            not (number.isascii() and number.isdecimal() and len(number) < 9)
            or purpose not in issuing.PURPOSES
        ):
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        content = published.status_list(self.app, tx, issuer_id, int(number), purpose)
        return HttpBody(content_type="application/vc", data=content)

    def _moved(
        self, tx: Transaction, name: str, target: State.ValueType, origins: tuple[State.ValueType, ...]
    ) -> pb.IssuedCredential:
        issuer_id, row_id = names.parse(name, *_COLLECTIONS)
        issued, moved = issued_credentials.move(tx, issuer_id, row_id, target, origins)
        if moved:
            tell(tx, issued)
        return issued


def _check_times(tx: Transaction, wanted: pb.IssuedCredential) -> None:
    """Fills in from when it is valid; raises Refusal(INVALID_ARGUMENT) when it would end before that."""
    if not wanted.HasField("valid_from"):
        wanted.valid_from.FromDatetime(tx.now)
    until = wanted.valid_until.ToDatetime(UTC) if wanted.HasField("valid_until") else None
    if until and (until <= tx.now or until <= wanted.valid_from.ToDatetime(UTC)):
        refuse([Violation("issued_credential.valid_until", "must be after valid_from and in the future")])
