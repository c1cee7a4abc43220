"""EntryService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import entry_pb2 as pb
from waymark.portfolio.v1 import entry_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.errors import Violation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_evidence, check_own
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, check_period, refuse
from services.portfolio.shelves import WithTrash
from services.portfolio.store import entry_revisions
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.vault import open_vault


class EntryApi(entry_pb2_grpc.EntryServiceServicer):
    """What a person did, learnt or holds."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app
        self._kept = WithTrash(app, ENTRIES)

    @portfolio_call
    def CreateEntry(self, tx: Transaction, request: pb.CreateEntryRequest) -> pb.Entry:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        entry = without_outputs(request.entry)
        check(tx, holder, entry)
        return ENTRIES.add(tx, vault, entry, kind=entry.kind)

    @portfolio_call
    def GetEntry(self, tx: Transaction, request: pb.GetEntryRequest) -> pb.Entry:
        return self._kept.get(tx, request)

    @portfolio_call
    def ListEntries(self, tx: Transaction, request: pb.ListEntriesRequest) -> pb.ListEntriesResponse:
        equal = {"kind": int(request.kind)} if request.kind else {}
        page = self._kept.page(tx, request, **equal)
        return pb.ListEntriesResponse(entries=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdateEntry(self, tx: Transaction, request: pb.UpdateEntryRequest) -> pb.Entry:
        vault, entry_id = self._kept.place(tx, request.entry.name)
        current = self._kept.current(tx, vault, entry_id, request.entry.etag)
        entry = merged(current, request.entry, request.update_mask, "entry")
        check(tx, vault.holder, entry)
        return entry_revisions.save(tx, vault, entry_id, current, entry)

    @portfolio_call
    def DeleteEntry(self, tx: Transaction, request: pb.DeleteEntryRequest) -> Empty:
        self._kept.delete(tx, request)
        return Empty()

    @portfolio_call
    def UndeleteEntry(self, tx: Transaction, request: pb.UndeleteEntryRequest) -> pb.Entry:
        return self._kept.undelete(tx, request)

    @portfolio_call
    def ArrangeEntries(self, tx: Transaction, request: pb.ArrangeEntriesRequest) -> pb.ArrangeEntriesResponse:
        (holder,) = names.parse(request.parent, "holders")
        check_own(tx, holder, ENTRIES, {"names": request.names})
        ENTRIES.arrange(tx, holder, [names.last(each) for each in request.names])
        return pb.ArrangeEntriesResponse(names=request.names)


def check(tx: Transaction, holder: str, entry: pb.Entry) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for what the contract's own rules cannot say."""
    if not entry.kind:
        refuse([Violation("entry.kind", "must be one of the kinds")])
    check_period(("entry.start_date", entry.start_date), ("entry.end_date", entry.end_date))
    for detail in ("certificate", "driving_licence"):
        held = getattr(entry, detail)
        if held.HasField("expire_date"):
            refuse(check_date(f"entry.{detail}.expire_date", held.expire_date))
    check_evidence(tx, holder, entry.evidence, "entry.evidence")
