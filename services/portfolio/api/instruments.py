"""InstrumentService."""

from __future__ import annotations

from waymark.portfolio.v1 import instrument_pb2 as pb
from waymark.portfolio.v1 import instrument_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import instruments
from services.portfolio.store.frameworks import FRAMEWORKS, INSTRUMENTS


class InstrumentApi(instrument_pb2_grpc.InstrumentServiceServicer):
    """What people are asked, in versions that never change once published."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateInstrumentVersion(
        self, tx: Transaction, request: pb.CreateInstrumentVersionRequest
    ) -> pb.InstrumentVersion:
        return INSTRUMENTS.draft(tx, request.parent, _checked(tx, request.instrument_version))

    @mutation
    def UpdateInstrumentVersion(
        self, tx: Transaction, request: pb.UpdateInstrumentVersionRequest
    ) -> pb.InstrumentVersion:
        change = request.instrument_version
        current = INSTRUMENTS.lock(tx, change.name, change.etag)
        wanted = merged(current, change, request.update_mask, "instrument_version")
        return INSTRUMENTS.change(tx, change.name, _checked(tx, wanted))

    @query
    def GetInstrumentVersion(
        self, tx: Transaction, request: pb.GetInstrumentVersionRequest
    ) -> pb.InstrumentVersion:
        return INSTRUMENTS.get(tx, request.name)

    @query
    def ListInstrumentVersions(
        self, tx: Transaction, request: pb.ListInstrumentVersionsRequest
    ) -> pb.ListInstrumentVersionsResponse:
        page = INSTRUMENTS.page(tx, self.app.signer, request)
        return pb.ListInstrumentVersionsResponse(
            instrument_versions=page.messages, next_page_token=page.next_page_token
        )

    @mutation
    def PublishInstrumentVersion(
        self, tx: Transaction, request: pb.PublishInstrumentVersionRequest
    ) -> pb.InstrumentVersion:
        # Once more: it may have been drafted when less was asked.
        _checked(tx, INSTRUMENTS.lock(tx, request.name, request.etag))
        return INSTRUMENTS.publish(tx, request.name)


def _checked(tx: Transaction, wanted: pb.InstrumentVersion) -> pb.InstrumentVersion:
    """Returns what of a draft is the caller's to say; raises Refusal(INVALID_ARGUMENT)."""
    version = without_outputs(wanted)
    instruments.check(version, FRAMEWORKS.published(tx, version.framework_version))
    return version
