"""DocumentService. Documents are made and read, and files fetched, while no transaction is open."""

from __future__ import annotations

import io
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from google.api import httpbody_pb2
from google.protobuf.empty_pb2 import Empty
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import document_pb2_grpc
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark
from services.portfolio import documenting, incoming
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.bringing_in import bring_in
from services.portfolio.domain import names
from services.portfolio.formats.format import Cv, DocumentBrokenError, Read
from services.portfolio.formats.formats import FORMATS
from services.portfolio.store.evidence import BUCKET
from services.portfolio.store.vault import open_vault
from services.portfolio.unpacking import unpacked

CHUNK = 256 * 1024  # bytes of a message
GONE = (reason_pb2.REASON_UPLOAD_MISSING, reason_pb2.REASON_NOT_FOUND)


class DocumentApi(document_pb2_grpc.DocumentServiceServicer):
    """A portfolio as a document that a person takes along, and back."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mark
    def ExportDocument(self, request: pb.ExportDocumentRequest, call: Any) -> Iterator[httpbody_pb2.HttpBody]:
        format_ = FORMATS[request.format]
        for part in format_.write(self._cv(request, call), self._opened):
            for start in range(0, len(part), CHUNK):
                yield httpbody_pb2.HttpBody(
                    content_type=format_.content_type, data=part[start : start + CHUNK]
                )

    @mark
    def GetDocumentReport(self, request: pb.ExportDocumentRequest, call: Any) -> pb.GetDocumentReportResponse:
        cv = self._cv(request, call)
        return pb.GetDocumentReportResponse(not_carried=documenting.report(request, cv))

    @portfolio_call
    def UploadDocument(self, tx: Transaction, request: pb.UploadDocumentRequest) -> pb.DocumentTicket:
        (holder,) = names.parse(request.parent, "holders")
        return incoming.ticket(self.app, open_vault(tx, self.app.keys, holder), request.document)

    @mark
    def ImportDocument(self, request: pb.ImportDocumentRequest, call: Any) -> pb.ImportDocumentResponse:
        place = self._place(request, call)
        language = request.language_code or "en"
        read, content, gone = Read(), b"", None
        try:
            read, content = self._read(request, place, language)
        except Refusal as refusal:
            if refusal.reason not in GONE:
                raise
            gone = refusal  # maybe because this very request brought it in before

        @portfolio_call
        def added(
            self: DocumentApi, tx: Transaction, request: pb.ImportDocumentRequest
        ) -> pb.ImportDocumentResponse:
            if gone:
                raise gone
            (holder,) = names.parse(request.parent, "holders")
            vault = open_vault(tx, self.app.keys, holder)
            # A copy: a transaction that is run again must not find what the first run noted.
            return bring_in(tx, vault, deepcopy(read), files, request)

        with unpacked(self.app, request, read, content, call.remaining) as files:
            answer = added(self, request, call)
        if place and not request.validate_only:
            incoming.delete(self.app, place)
        return answer

    def _place(self, request: pb.ImportDocumentRequest, call: Any) -> str:
        """Asks leave for the caller, and returns where a document is that was uploaded; "" for none."""
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            if not request.HasField("upload"):
                return ""
            (holder,) = names.parse(request.parent, "holders")
            return incoming.key_of(open_vault(tx, self.app.keys, holder))

    def _read(self, request: pb.ImportDocumentRequest, place: str, language: str) -> tuple[Read, bytes]:
        """Returns what was read, and of which bytes."""
        try:
            content = self._content(request, place)
            return _read(request, content, language), content
        except DocumentBrokenError as error:
            if place:
                incoming.delete(self.app, place)
            raise Refusal(error.reason, metadata={"found": str(error)}) from error

    def _content(self, request: pb.ImportDocumentRequest, place: str) -> bytes:
        if not place:
            return request.content
        most = FORMATS[request.format].most_bytes
        if request.upload.size_bytes > most:
            raise DocumentBrokenError(f"more than {most} bytes")
        return incoming.content(self.app, place, request.upload)

    def _cv(self, request: pb.ExportDocumentRequest, call: Any) -> Cv:
        found: list[documenting.Material] = []

        @portfolio_call
        def gathered(self: DocumentApi, tx: Transaction, request: pb.ExportDocumentRequest) -> Empty:
            (holder,) = names.parse(request.name, "holders")
            found.append(documenting.gathered(tx, open_vault(tx, self.app.keys, holder), request))
            return Empty()

        gathered(self, request, call)
        return documenting.cv_of(found[-1], request, datetime.now(UTC))

    def _opened(self, evidence: Evidence) -> Iterator[bytes]:
        with self.app.objects.open(BUCKET, names.last(evidence.name), sha256=evidence.sha256) as stream:
            yield from stream


def _read(request: pb.ImportDocumentRequest, content: bytes, language: str) -> Read:
    found = FORMATS[request.format].read(io.BytesIO(content), language)
    for evidence in found.portfolio.evidence:
        said = request.files.get(found.places.get(evidence.name, ""), "")
        evidence.sha256 = evidence.sha256 or said
    return found
