"""What a portfolio process holds beside the platform's: the key ring and the secrets of share links."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from waymark.portfolio.v1 import (
    attestation_pb2,
    credential_issuer_pb2,
    framework_pb2,
    group_programme_pb2,
    instrument_pb2,
    issued_credential_pb2,
    mentor_pb2,
    page_comment_pb2,
    questionnaire_pb2,
    rights_request_pb2,
)
from waymark.portfolio.v1.holder_pb2 import EraseHolderRequest

from services.platform.app import App
from services.platform.objects.clamd import Clamd
from services.portfolio import published
from services.portfolio.access import OF_THE_DESK, log_access
from services.portfolio.documents import Documents, over
from services.portfolio.domain.keys import HolderKey, WrappedKey
from services.portfolio.domain.secrets import LinkSecrets
from services.portfolio.key_service import key_ring
from services.portfolio.requests import holder_of
from services.portfolio.store.vault import open_at_desk, open_vault

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from services.platform.db.transaction import Transaction
    from services.platform.settings import Settings

MASTER = "portfolio-master.key"
# Requests of people who need no portfolio: what they are answered is kept under the master key.
OF_OTHERS = (
    attestation_pb2.GiveAttestationRequest,
    credential_issuer_pb2.CreateCredentialIssuerRequest,
    credential_issuer_pb2.CreateTrustedIssuerRequest,
    credential_issuer_pb2.DeleteTrustedIssuerRequest,
    credential_issuer_pb2.RotateCredentialIssuerKeyRequest,
    group_programme_pb2.CompleteGroupProgrammeRequest,
    group_programme_pb2.CreateGroupProgrammeRequest,
    framework_pb2.CreateFrameworkVersionRequest,
    framework_pb2.ImportFrameworkVersionRequest,
    framework_pb2.PublishFrameworkVersionRequest,
    framework_pb2.UpdateFrameworkVersionRequest,
    instrument_pb2.CreateInstrumentVersionRequest,
    instrument_pb2.PublishInstrumentVersionRequest,
    instrument_pb2.UpdateInstrumentVersionRequest,
    issued_credential_pb2.IssueCredentialRequest,
    issued_credential_pb2.ReinstateIssuedCredentialRequest,
    issued_credential_pb2.RevokeIssuedCredentialRequest,
    issued_credential_pb2.SuspendIssuedCredentialRequest,
    mentor_pb2.CreateMentorRequest,
    mentor_pb2.RetireMentorRequest,
    mentor_pb2.UpdateMentorRequest,
    page_comment_pb2.GivePageCommentRequest,
    questionnaire_pb2.GiveQuestionnairePartRequest,
    # Answered without what was written, as the key may be erased by it.
    rights_request_pb2.DeliverRightsRequestRequest,
)


class PortfolioApp(App):
    """One per process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.keys = key_ring(settings, MASTER)
        # Of a key of its own: rotating the master key must not make every link a dead one.
        self.links = LinkSecrets(settings.secret("portfolio-links.key", size=32))
        self.scanner = Clamd(settings.clamav) if settings.clamav else None
        # Where people reach the edge: in the names of what is issued here, and so never to be changed.
        self.origin = settings.s3_public_endpoint.rstrip("/") or "http://localhost"
        self.documents = Documents(over(settings.reach), partial(published.own, self))

    def seal_answer(self, tx: Transaction, request: Message, answer: bytes) -> bytes:
        """Keeps answers under the key of the holder they are about: they say what the portfolio says."""
        if isinstance(request, EraseHolderRequest):
            return answer  # numbers of somebody who has no key any more
        if isinstance(request, OF_OTHERS):
            key_id, sealed = self.keys.seal(request.DESCRIPTOR.full_name, answer)
            return key_id.encode() + b":" + sealed
        return self._answer_key(tx, request).seal("request_ids", request.DESCRIPTOR.full_name, answer)

    def open_answer(self, tx: Transaction, request: Message, kept: bytes) -> bytes:
        """Opens a kept answer, which is a look like any other: logged, and under a mandate still in force.

        Raises Refusal(NOT_FOUND) once the mandate has ended or the holder's key is erased.
        """
        if isinstance(request, EraseHolderRequest):
            return kept
        if isinstance(request, OF_OTHERS):
            key_id, _, sealed = kept.partition(b":")
            return self.keys.open(request.DESCRIPTOR.full_name, WrappedKey(key_id.decode(), sealed))
        log_access(tx, request, self.settings.daily_people)
        return self._answer_key(tx, request).open("request_ids", request.DESCRIPTOR.full_name, kept)

    def _answer_key(self, tx: Transaction, request: Message) -> HolderKey:
        opened = open_at_desk if isinstance(request, OF_THE_DESK) else open_vault
        return opened(tx, self.keys, holder_of(request) or tx.principal.subject).key
