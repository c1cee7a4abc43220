"""EvidenceService. Nothing waits for the object store while a transaction is open."""

from __future__ import annotations

import mimetypes
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1 import evidence_pb2_grpc

from services.platform.db.transaction import Transaction, transaction
from services.platform.objects.missing import add_missing_parts
from services.platform.rpc.handlers import mark
from services.platform.rpc.masks import without_outputs
from services.portfolio import checking, unlinking
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.evidence_posters import PosterApi
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names, quotas
from services.portfolio.domain.scan_states import require_served
from services.portfolio.domain.states import word, wrong_state
from services.portfolio.erasing import File, delete_files
from services.portfolio.store.evidence import BUCKET, EVIDENCE, bytes_held
from services.portfolio.store.vault import open_vault

DOWNLOAD = timedelta(minutes=5)  # how long an address works
AT_ONCE = 500_000_000  # bytes of one PUT; more go in parts


class EvidenceApi(PosterApi, evidence_pb2_grpc.EvidenceServiceServicer):
    """Files that show something, by upload ticket."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateEvidence(self, tx: Transaction, request: pb.CreateEvidenceRequest) -> pb.CreateEvidenceResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        evidence = without_outputs(request.evidence)
        checking.require_room(tx, holder, evidence.size_bytes)
        made = EVIDENCE.add(
            tx, vault, evidence, state=pb.Evidence.STATE_AWAITING_UPLOAD, size_bytes=evidence.size_bytes
        )
        if made.size_bytes > AT_ONCE:
            return pb.CreateEvidenceResponse(evidence=made)
        ticket = self.app.objects.ticket(
            BUCKET,
            _key(made),
            size=made.size_bytes,
            content_type=made.content_type,
            sha256=made.sha256,
        )
        answer = pb.CreateEvidenceResponse(
            evidence=made, ticket=pb.EvidenceTicket(url=ticket.url, headers=ticket.headers)
        )
        answer.ticket.expire_time.FromDatetime(ticket.expire_time)
        return answer

    @mark
    def GetEvidenceUpload(self, request: pb.GetEvidenceUploadRequest, call: Any) -> pb.EvidenceUpload:
        evidence = self._awaiting(request, call)
        answer = pb.EvidenceUpload()
        add_missing_parts(answer, self.app.objects, BUCKET, _key(evidence), evidence.size_bytes)
        return answer

    @mark
    def FinalizeEvidence(self, request: pb.FinalizeEvidenceRequest, call: Any) -> pb.Evidence:
        evidence = self._known(request, call)
        checked = checking.Checked({})
        if evidence.state == pb.Evidence.STATE_AWAITING_UPLOAD:
            checked = checking.at_once(self.app, evidence, call.remaining())

        @portfolio_call
        def stored(self: EvidenceApi, tx: Transaction, request: pb.FinalizeEvidenceRequest) -> pb.Evidence:
            return self._noted(tx, request, checked)

        return stored(self, request, call)

    @portfolio_call
    def GetEvidence(self, tx: Transaction, request: pb.GetEvidenceRequest) -> pb.Evidence:
        return self._read(tx, request.name)

    @portfolio_call
    def ListEvidence(self, tx: Transaction, request: pb.ListEvidenceRequest) -> pb.ListEvidenceResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = EVIDENCE.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListEvidenceResponse(
            evidence=page.messages,
            next_page_token=page.next_page_token,
            used_bytes=bytes_held(tx, holder),
            max_bytes=quotas.EVIDENCE_BYTES,
        )

    @mark
    def GetEvidenceDownload(self, request: pb.GetEvidenceDownloadRequest, call: Any) -> pb.EvidenceDownload:
        return download_of(self.app, self._downloadable(request, call))

    @mark  # bytes go after the transaction: they could not come back with it
    def DeleteEvidence(self, request: pb.DeleteEvidenceRequest, call: Any) -> Empty:
        files: list[File] = []

        @portfolio_call
        def deleted(self: EvidenceApi, tx: Transaction, request: pb.DeleteEvidenceRequest) -> Empty:
            holder, evidence_id = names.parse(request.name, "holders", "evidence")
            vault = open_vault(tx, self.app.keys, holder)
            evidence = EVIDENCE.get(tx, vault, evidence_id, etag=request.etag, lock=True)
            unlinking.require_unneeded(tx, vault, evidence.name)
            EVIDENCE.remove(tx, holder, evidence_id)
            unlinking.unlink(tx, vault, {evidence.name})
            files[:] = [File(BUCKET, evidence_id, evidence.size_bytes)]
            return Empty()

        answer = deleted(self, request, call)
        delete_files(self.app, files)
        return answer

    def _known(self, request: Any, call: Any) -> pb.Evidence:
        """Reads what is known of a file, in a transaction of its own."""
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            return self._read(tx, request.name)

    @portfolio_call
    def _awaiting(self, tx: Transaction, request: pb.GetEvidenceUploadRequest) -> pb.Evidence:
        evidence = self._read(tx, request.name)
        require(evidence, pb.Evidence.STATE_AWAITING_UPLOAD)
        return evidence

    def _noted(
        self, tx: Transaction, request: pb.FinalizeEvidenceRequest, checked: checking.Checked
    ) -> pb.Evidence:
        """Notes what checking came to; once noted, the time stays."""
        holder, evidence_id = names.parse(request.name, "holders", "evidence")
        vault = open_vault(tx, self.app.keys, holder)
        evidence = EVIDENCE.get(tx, vault, evidence_id, lock=True)
        if evidence.state != pb.Evidence.STATE_AWAITING_UPLOAD:
            return evidence
        return checking.note(tx, vault, evidence, checked)

    @portfolio_call
    def _downloadable(self, tx: Transaction, request: pb.GetEvidenceDownloadRequest) -> pb.Evidence:
        evidence = self._read(tx, request.name)
        require(evidence, pb.Evidence.STATE_STORED)
        holder, _ = names.parse(request.name, "holders", "evidence")
        require_served(evidence, to_holder=tx.principal.subject == holder)
        return evidence

    def _read(self, tx: Transaction, name: str) -> pb.Evidence:
        holder, evidence_id = names.parse(name, "holders", "evidence")
        return EVIDENCE.get(tx, open_vault(tx, self.app.keys, holder), evidence_id)


def download_of(app: PortfolioApp, evidence: pb.Evidence) -> pb.EvidenceDownload:
    """Returns an address from which a stored file can be had for some minutes."""
    url = app.objects.download_url(
        BUCKET,
        _key(evidence),
        f"evidence-{_key(evidence)}{mimetypes.guess_extension(evidence.content_type) or ''}",
        evidence.content_type,
        DOWNLOAD,
        sha256=evidence.sha256,
    )
    return pb.EvidenceDownload(url=url, lifetime=Duration(seconds=DOWNLOAD.seconds))


def require(evidence: pb.Evidence, needed: pb.Evidence.State.ValueType) -> None:
    """Raises Refusal(WRONG_STATE) unless a file is in the state that a call needs."""
    if evidence.state != needed:
        state, wanted = (word(pb.Evidence.State, each) for each in (evidence.state, needed))
        raise wrong_state(state, wanted)


def _key(evidence: pb.Evidence) -> str:
    """Returns the object key: the id alone, which says nothing of anybody."""
    return names.last(evidence.name)
