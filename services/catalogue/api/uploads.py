"""UploadService."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import upload_pb2_grpc
from waymark.catalogue.v1.upload_pb2 import (
    CreateUploadRequest,
    FinalizeUploadRequest,
    GetUploadRequest,
    Upload,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, only_own
from services.catalogue.store import sources, uploads
from services.platform.app import App
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.objects.missing import add_missing_parts
from services.platform.rpc.handlers import mark, mutation, query


class UploadApi(upload_pb2_grpc.UploadServiceServicer):
    """Takes files in."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateUpload(self, tx: Transaction, request: CreateUploadRequest) -> Upload:
        own = only_own(tx.principal)
        upload = uploads.add(
            tx,
            size_bytes=request.size_bytes,
            content_type=request.content_type,
            sha256=request.sha256,
            organisation=own,
            largest=_largest(tx, last(request.source), own),
        )
        answer = _message(uploads.read(tx.connection, upload))
        if request.size_bytes > uploads.LARGEST:
            return answer
        ticket = self.app.objects.ticket(
            uploads.BUCKET,
            upload,
            size=request.size_bytes,
            content_type=request.content_type,
            sha256=request.sha256,
        )
        answer.upload_url = ticket.url
        answer.upload_headers.update(ticket.headers)
        answer.expire_time.FromDatetime(ticket.expire_time)
        return answer

    @mark  # the store is asked before a transaction would wait for it
    def GetUpload(self, request: GetUploadRequest, call: Any) -> Upload:
        row = self._brought(request, call)
        answer = _message(row)
        if answer.state == Upload.STATE_PENDING:
            add_missing_parts(answer, self.app.objects, uploads.BUCKET, row.id, row.size_bytes)
        return answer

    @mark  # the bytes are compared before a transaction would wait for them
    def FinalizeUpload(self, request: FinalizeUploadRequest, call: Any) -> Upload:
        row = self._brought(request, call)
        if not (row.ready or row.checking):
            self._check(row)
        return self._finalized(request, call)

    def _check(self, row: Any) -> None:
        """Compares the bytes, or says that they will be; what is noted stays when the caller's time is over,
        for its next try."""
        if row.size_bytes <= uploads.LARGEST:
            self.app.objects.verify(uploads.BUCKET, row.id, row.size_bytes, row.content_type, row.sha256)
            with transaction(self.app) as tx:
                uploads.mark_checked(tx, row.id)
            return
        if not self.app.objects.uploaded(uploads.BUCKET, row.id, row.size_bytes):
            raise Refusal(reason_pb2.REASON_UPLOAD_MISSING)
        with transaction(self.app) as tx:
            uploads.mark_checking(tx, row.id)

    @query
    def _brought(self, tx: Transaction, request: FinalizeUploadRequest | GetUploadRequest) -> Any:
        return uploads.read(tx.connection, last(request.name))

    @mutation
    def _finalized(self, tx: Transaction, request: FinalizeUploadRequest) -> Upload:
        return _message(uploads.read(tx.connection, last(request.name)))


def _largest(tx: Transaction, source: str, own: str) -> int:
    """Returns how many bytes a file for this source may have, 0 without one; raises Refusal NOT_FOUND, also
    where it is not of the caller's `own` organisation, if there is one, or WRONG_STATE where it is closed."""
    if not source:
        return 0
    row = sources.read_open(tx, source)
    if own and row.organisation_id != own:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no source {source}.")
    return int(row.max_feed_mib) << 20


def _message(row: Any) -> Upload:
    state = Upload.STATE_CHECKING if row.checking else Upload.STATE_PENDING
    return Upload(
        name=f"catalogueUploads/{row.id}",
        state=Upload.STATE_READY if row.ready else state,
        size_bytes=row.size_bytes,
        content_type=row.content_type,
        sha256=row.sha256,
        fault=row.fault,
    )
