"""CredentialService. Nothing waits for an issuer's address while a transaction is open."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

from google.protobuf.empty_pb2 import Empty
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import credential_pb2 as pb
from waymark.portfolio.v1 import credential_pb2_grpc
from waymark.portfolio.v1.events_pb2 import CredentialImported
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_CREDENTIAL

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mark
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.credentials import baking, reading, saying
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.states import word
from services.portfolio.store import credentials
from services.portfolio.store.credentials import CREDENTIALS
from services.portfolio.store.vault import Vault, open_vault
from services.portfolio.verifying import check_file
from services.portfolio.vouching import take_back, vouch


class CredentialApi(credential_pb2_grpc.CredentialServiceServicer):
    """The wallet of a holder, and the checking of credentials."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mark
    def ImportCredential(self, request: pb.ImportCredentialRequest, call: Any) -> pb.Credential:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
        read, checked = check_file(self.app, request.content)
        credential = pb.Credential(
            summary=checked.summary,
            verdict=checked.verdict,
            content_type=read.content_type,
            sha256=hashlib.sha256(request.content).hexdigest(),
        )

        @portfolio_call
        def added(self: CredentialApi, tx: Transaction, request: pb.ImportCredentialRequest) -> pb.Credential:
            (holder,) = names.parse(request.parent, "holders")
            vault = open_vault(tx, self.app.keys, holder)
            made = credentials.add(tx, vault, credential, {credentials.AS_IT_CAME: request.content})
            verdict = word(pb.Verdict.State, made.verdict.state)
            tx.publish(CredentialImported(holder=request.parent, credential=made.name, verdict=verdict))
            return made

        return added(self, request, call)

    @portfolio_call
    def GetCredential(self, tx: Transaction, request: pb.GetCredentialRequest) -> pb.Credential:
        vault, credential_id = self._named(tx, request.name)
        return CREDENTIALS.get(tx, vault, credential_id)

    @portfolio_call
    def ListCredentials(
        self, tx: Transaction, request: pb.ListCredentialsRequest
    ) -> pb.ListCredentialsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = CREDENTIALS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListCredentialsResponse(credentials=page.messages, next_page_token=page.next_page_token)

    @mark
    def CheckCredential(self, request: pb.CheckCredentialRequest, call: Any) -> pb.Credential:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            content = credentials.file_of(tx, *self._named(tx, request.name))
        _, checked = check_file(self.app, content)

        @portfolio_call
        def noted(self: CredentialApi, tx: Transaction, request: pb.CheckCredentialRequest) -> pb.Credential:
            vault, credential_id = self._named(tx, request.name)
            credential = CREDENTIALS.get(tx, vault, credential_id, lock=True)
            credential.verdict.CopyFrom(checked.verdict)
            credential.summary.CopyFrom(checked.summary)  # may be read better than when it came
            return CREDENTIALS.replace(tx, vault, credential_id, credential)

        return noted(self, request, call)

    @portfolio_call
    def ClaimCredentialSkills(
        self, tx: Transaction, request: pb.ClaimCredentialSkillsRequest
    ) -> pb.ClaimCredentialSkillsResponse:
        vault, credential_id = self._named(tx, request.name)
        credential = CREDENTIALS.get(tx, vault, credential_id, lock=True)
        said = credential.summary
        over = said.HasField("valid_until") and said.valid_until.ToDatetime(UTC) <= tx.now
        if credential.verdict.state != pb.Verdict.STATE_VALID or over:
            raise Refusal(reason_pb2.REASON_CREDENTIAL_NOT_VALID)
        unsaid = [place for place, uri in enumerate(request.skill_uris) if uri not in said.skill_uris]
        refuse(
            [Violation(f"skill_uris[{place}]", "must be one that the credential names") for place in unsaid]
        )
        claims = [
            vouch(tx, vault, SKILL_SOURCE_CREDENTIAL, uri, credential.name)
            for uri in dict.fromkeys(request.skill_uris)
        ]
        return pb.ClaimCredentialSkillsResponse(skill_claims=claims)

    @portfolio_call
    def DeleteCredential(self, tx: Transaction, request: pb.DeleteCredentialRequest) -> Empty:
        vault, credential_id = self._named(tx, request.name)
        credential = CREDENTIALS.get(tx, vault, credential_id)
        CREDENTIALS.remove(tx, vault.holder, credential_id, request.etag)
        said = credential.summary.skill_uris
        take_back(tx, vault, SKILL_SOURCE_CREDENTIAL, said, credential.name)
        return Empty()

    @portfolio_call
    def GetCredentialFile(self, tx: Transaction, request: pb.GetCredentialFileRequest) -> pb.CredentialFile:
        vault, credential_id = self._named(tx, request.name)
        content = credentials.file_of(tx, vault, credential_id, request.form)
        kind = reading.JWT
        if request.form == credentials.AS_IT_CAME:
            kind = CREDENTIALS.get(tx, vault, credential_id).content_type
        return _file(credential_id, content, kind)

    @portfolio_call
    def GetBakedCredential(self, tx: Transaction, request: pb.GetBakedCredentialRequest) -> pb.CredentialFile:
        vault, credential_id = self._named(tx, request.name)
        content = credentials.file_of(tx, vault, credential_id, request.form)
        try:
            baked, kind = baking.bake(request.image, reading.read(content).text)
        except baking.ImageUnfitError as error:
            raise Refusal(reason_pb2.REASON_CREDENTIAL_IMAGE_UNFIT) from error
        return _file(credential_id, baked, kind)

    @mark
    def VerifyCredential(self, request: pb.VerifyCredentialRequest, call: Any) -> pb.VerifyCredentialResponse:
        call.remaining()
        read, checked = check_file(self.app, request.content)
        return pb.VerifyCredentialResponse(
            summary=checked.summary,
            verdict=checked.verdict,
            statement=saying.statement_of(read.document),
            subject_id=saying.subject_of(read.document),
        )

    def _named(self, tx: Transaction, name: str) -> tuple[Vault, str]:
        holder, credential_id = names.parse(name, "holders", "credentials")
        return open_vault(tx, self.app.keys, holder), credential_id


def _file(credential_id: str, content: bytes, kind: str) -> pb.CredentialFile:
    name = f"credential-{credential_id}{reading.ENDINGS[kind]}"
    return pb.CredentialFile(content=content, content_type=kind, file_name=name)
