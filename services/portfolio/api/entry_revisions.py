"""EntryRevisionService."""

from __future__ import annotations

from waymark.portfolio.v1 import entry_pb2, entry_revision_pb2_grpc
from waymark.portfolio.v1 import entry_revision_pb2 as pb

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.entries import check
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.shelves import WithTrash
from services.portfolio.store import entry_revisions, evidence
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.vault import open_vault


class EntryRevisionApi(entry_revision_pb2_grpc.EntryRevisionServiceServicer):
    """What entries said before they were changed."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app
        self._kept = WithTrash(app, ENTRIES)

    @portfolio_call
    def ListEntryRevisions(
        self, tx: Transaction, request: pb.ListEntryRevisionsRequest
    ) -> pb.ListEntryRevisionsResponse:
        vault, entry_id = self._kept.place(tx, request.parent)
        self._kept.read(tx, vault, entry_id)  # there is such an entry
        page = entry_revisions.listed(tx, self.app.signer, vault, entry_id, request)
        return pb.ListEntryRevisionsResponse(
            entry_revisions=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def GetEntryRevision(self, tx: Transaction, request: pb.GetEntryRevisionRequest) -> pb.EntryRevision:
        holder, entry_id, revision = names.parse(request.name, "holders", "entries", "revisions")
        vault = open_vault(tx, self.app.keys, holder)
        self._kept.read(tx, vault, entry_id)
        return entry_revisions.get(tx, vault, entry_id, revision)

    @portfolio_call
    def RollbackEntry(self, tx: Transaction, request: pb.RollbackEntryRequest) -> entry_pb2.Entry:
        vault, entry_id = self._kept.place(tx, request.name)
        current = self._kept.current(tx, vault, entry_id, request.etag)
        former = entry_revisions.get(tx, vault, entry_id, request.revision_id).snapshot
        evidence.leave_gone(tx, vault, former)
        check(tx, vault.holder, former)
        return entry_revisions.save(tx, vault, entry_id, current, former)
