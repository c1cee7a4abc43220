"""DocumentImportService."""

from __future__ import annotations

from typing import Any

from waymark.portfolio.v1 import document_import_pb2 as pb
from waymark.portfolio.v1 import document_import_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mark
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.erasing import File, delete_files
from services.portfolio.store.document_imports import IMPORTS
from services.portfolio.store.vault import Vault, open_vault
from services.portfolio.taking_back import take_back


class DocumentImportApi(document_import_pb2_grpc.DocumentImportServiceServicer):
    """What documents brought, and the way back."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def ListDocumentImports(
        self, tx: Transaction, request: pb.ListDocumentImportsRequest
    ) -> pb.ListDocumentImportsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = IMPORTS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        for each in page.messages:  # one may have brought thousands of things
            each.ClearField("things")
            each.ClearField("holder")
        return pb.ListDocumentImportsResponse(
            document_imports=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def GetDocumentImport(self, tx: Transaction, request: pb.GetDocumentImportRequest) -> pb.DocumentImport:
        return IMPORTS.get(tx, *self._place(tx, request.name))

    @mark  # bytes go after the transaction: they could not come back with it
    def UndoDocumentImport(self, request: pb.UndoDocumentImportRequest, call: Any) -> pb.DocumentImport:
        files: list[File] = []

        @portfolio_call
        def undone(
            self: DocumentImportApi, tx: Transaction, request: pb.UndoDocumentImportRequest
        ) -> pb.DocumentImport:
            made, files[:] = take_back(tx, *self._place(tx, request.name))
            if request.validate_only:
                made.ClearField("undo_time")
            return made

        answer = undone(self, request, call)
        if not request.validate_only:
            delete_files(self.app, files)
        return answer

    def _place(self, tx: Transaction, name: str) -> tuple[Vault, str]:
        holder, row_id = names.parse(name, "holders", IMPORTS.segment)
        return open_vault(tx, self.app.keys, holder), row_id
