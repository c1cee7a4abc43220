"""UploadService."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import upload_pb2, upload_pb2_grpc
from waymark.catalogue.v1.upload_pb2 import CreateUploadRequest, FinalizeUploadRequest, Upload

from services.catalogue.api.messages import last, only_own
from services.catalogue.store import uploads
from services.platform.app import App
from services.platform.db.transaction import Transaction, transaction
from services.platform.rpc.handlers import mark, mutation, query


class UploadApi(upload_pb2_grpc.UploadServiceServicer):
    """Takes files in."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateUpload(self, tx: Transaction, request: CreateUploadRequest) -> Upload:
        upload = uploads.add(
            tx,
            size_bytes=request.size_bytes,
            content_type=request.content_type,
            sha256=request.sha256,
            organisation=only_own(tx.principal),
        )
        ticket = self.app.objects.ticket(
            uploads.BUCKET,
            upload,
            size=request.size_bytes,
            content_type=request.content_type,
            sha256=request.sha256,
        )
        answer = _message(uploads.read(tx.connection, upload))
        answer.upload_url = ticket.url
        answer.upload_headers.update(ticket.headers)
        answer.expire_time.FromDatetime(ticket.expire_time)
        return answer

    @mark  # the bytes are compared before a transaction would wait for them
    def FinalizeUpload(self, request: FinalizeUploadRequest, call: Any) -> Upload:
        row = self._brought(request, call)
        if not row.ready:
            self.app.objects.verify(uploads.BUCKET, str(row.id), row.size_bytes, row.content_type, row.sha256)
            with transaction(self.app) as tx:  # stays when the caller's time is over, for its next try
                uploads.mark_ready(tx, str(row.id))
        return self._finalized(request, call)

    @query
    def _brought(self, tx: Transaction, request: FinalizeUploadRequest) -> Any:
        return uploads.read(tx.connection, last(request.name))

    @mutation
    def _finalized(self, tx: Transaction, request: FinalizeUploadRequest) -> Upload:
        return _message(uploads.read(tx.connection, last(request.name)))


def _message(row: Any) -> Upload:
    state = upload_pb2.Upload.STATE_READY if row.ready else upload_pb2.Upload.STATE_PENDING
    return Upload(
        name=f"catalogueUploads/{row.id}",
        state=state,
        size_bytes=row.size_bytes,
        content_type=row.content_type,
        sha256=row.sha256,
    )
