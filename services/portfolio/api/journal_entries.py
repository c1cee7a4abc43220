"""JournalEntryService."""

from __future__ import annotations

from waymark.portfolio.v1 import journal_entry_pb2 as pb
from waymark.portfolio.v1 import journal_entry_pb2_grpc

from services.platform.db.transaction import Transaction
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_evidence
from services.portfolio.app import PortfolioApp
from services.portfolio.domain.dates import check_date, check_moment, refuse
from services.portfolio.domain.journal import dated
from services.portfolio.shelves import Shelf
from services.portfolio.store.planning import JOURNAL


class JournalEntryApi(journal_entry_pb2_grpc.JournalEntryServiceServicer):
    """A person's journal, for nobody else."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app
        self._shelf = Shelf(app, JOURNAL, "journal_entry", _prepare)

    @portfolio_call
    def CreateJournalEntry(self, tx: Transaction, request: pb.CreateJournalEntryRequest) -> pb.JournalEntry:
        return self._shelf.create(tx, request)

    @portfolio_call
    def GetJournalEntry(self, tx: Transaction, request: pb.GetJournalEntryRequest) -> pb.JournalEntry:
        return self._shelf.get(tx, request)

    @portfolio_call
    def ListJournalEntries(
        self, tx: Transaction, request: pb.ListJournalEntriesRequest
    ) -> pb.ListJournalEntriesResponse:
        page = self._shelf.page(tx, request)
        return pb.ListJournalEntriesResponse(
            journal_entries=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def UpdateJournalEntry(self, tx: Transaction, request: pb.UpdateJournalEntryRequest) -> pb.JournalEntry:
        return self._shelf.update(tx, request)

    @portfolio_call
    def DeleteJournalEntry(self, tx: Transaction, request: pb.DeleteJournalEntryRequest) -> pb.JournalEntry:
        return self._shelf.delete(tx, request)

    @portfolio_call
    def UndeleteJournalEntry(
        self, tx: Transaction, request: pb.UndeleteJournalEntryRequest
    ) -> pb.JournalEntry:
        return self._shelf.undelete(tx, request)

    @portfolio_call
    def UndoJournalEntry(self, tx: Transaction, request: pb.UndoJournalEntryRequest) -> pb.JournalEntry:
        return self._shelf.undo(tx, request)


def _prepare(tx: Transaction, holder: str, entry: pb.JournalEntry, _before: pb.JournalEntry | None) -> None:
    """Dates an entry that has no day; raises Refusal(INVALID_ARGUMENT)."""
    dated(entry, tx.now)
    refuse(check_date("journal_entry.entry_date", entry.entry_date, partial=False))
    if entry.HasField("entry_time"):
        check_moment("journal_entry.entry_time", entry.entry_time, entry.entry_date)
    check_evidence(tx, holder, entry.evidence, "journal_entry.evidence")
