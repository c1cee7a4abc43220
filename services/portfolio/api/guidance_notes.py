"""GuidanceNoteService."""

from __future__ import annotations

from waymark.portfolio.v1 import guidance_note_pb2 as pb
from waymark.portfolio.v1 import guidance_note_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.masks import without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.requests import reader_of
from services.portfolio.store.guidance_words import GUIDANCE_NOTES, notes_seen_by
from services.portfolio.store.vault import open_vault


class GuidanceNoteApi(guidance_note_pb2_grpc.GuidanceNoteServiceServicer):
    """Notes of counsellors."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateGuidanceNote(self, tx: Transaction, request: pb.CreateGuidanceNoteRequest) -> pb.GuidanceNote:
        (holder,) = names.parse(request.parent, "holders")
        note = without_outputs(request.guidance_note)
        return GUIDANCE_NOTES.add(
            tx,
            open_vault(tx, self.app.keys, holder),
            note,
            visibility=note.visibility,
            counsellor=tx.principal.subject,
            organisation=tx.principal.organisation,
        )

    @portfolio_call
    def ListGuidanceNotes(
        self, tx: Transaction, request: pb.ListGuidanceNotesRequest
    ) -> pb.ListGuidanceNotesResponse:
        (holder,) = names.parse(request.parent, "holders")
        seen = notes_seen_by(reader_of(tx, holder))
        vault = open_vault(tx, self.app.keys, holder)
        page = GUIDANCE_NOTES.page(tx, self.app.signer, vault, request, *seen)
        return pb.ListGuidanceNotesResponse(
            guidance_notes=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def DiscloseGuidanceNotes(
        self, tx: Transaction, request: pb.DiscloseGuidanceNotesRequest
    ) -> pb.DiscloseGuidanceNotesResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = GUIDANCE_NOTES.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.DiscloseGuidanceNotesResponse(
            guidance_notes=page.messages, next_page_token=page.next_page_token
        )
