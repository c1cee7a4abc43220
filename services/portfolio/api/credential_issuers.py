"""CredentialIssuerService."""

from __future__ import annotations

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import credential_issuer_pb2 as pb
from waymark.portfolio.v1 import credential_issuer_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.portfolio import published
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store import issuers


class CredentialIssuerApi(credential_issuer_pb2_grpc.CredentialIssuerServiceServicer):
    """Who issues credentials here, and whose from elsewhere are trusted."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateCredentialIssuer(
        self, tx: Transaction, request: pb.CreateCredentialIssuerRequest
    ) -> pb.CredentialIssuer:
        issuer_id = issuers.create(tx, self.app.keys, request.credential_issuer)
        return issuers.shown(tx, self.app.origin, issuer_id)

    @query
    def GetCredentialIssuer(
        self, tx: Transaction, request: pb.GetCredentialIssuerRequest
    ) -> pb.CredentialIssuer:
        return issuers.shown(tx, self.app.origin, *names.parse(request.name, "credentialIssuers"))

    @query
    def ListCredentialIssuers(
        self, tx: Transaction, request: pb.ListCredentialIssuersRequest
    ) -> pb.ListCredentialIssuersResponse:
        page = issuers.listed(tx, self.app.signer, self.app.origin, request)
        return pb.ListCredentialIssuersResponse(
            credential_issuers=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def RotateCredentialIssuerKey(
        self, tx: Transaction, request: pb.RotateCredentialIssuerKeyRequest
    ) -> pb.CredentialIssuer:
        (issuer_id,) = names.parse(request.name, "credentialIssuers")
        issuers.get(tx, self.app.origin, issuer_id, lock=True)
        issuers.rotate(tx, self.app.keys, issuer_id)
        return issuers.shown(tx, self.app.origin, issuer_id)

    @query
    def GetDidDocument(self, tx: Transaction, request: pb.GetDidDocumentRequest) -> HttpBody:
        (issuer_id,) = names.parse(request.name, "credentialIssuers")
        document = published.did_document(self.app, tx, issuer_id)
        return HttpBody(content_type="application/did+json", data=document)

    @mutation
    def CreateTrustedIssuer(
        self, tx: Transaction, request: pb.CreateTrustedIssuerRequest
    ) -> pb.TrustedIssuer:
        return issuers.trust(tx, request.trusted_issuer)

    @query
    def ListTrustedIssuers(
        self, tx: Transaction, request: pb.ListTrustedIssuersRequest
    ) -> pb.ListTrustedIssuersResponse:
        page = issuers.trusted(tx, self.app.signer, request)
        return pb.ListTrustedIssuersResponse(
            trusted_issuers=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def DeleteTrustedIssuer(self, tx: Transaction, request: pb.DeleteTrustedIssuerRequest) -> Empty:
        issuers.distrust(tx, *names.parse(request.name, "trustedIssuers"))
        return Empty()
