"""HolderService."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from google.api import httpbody_pb2
from waymark.portfolio.v1 import holder_pb2 as pb
from waymark.portfolio.v1 import holder_pb2_grpc

from services.platform.days import day_of
from services.platform.db.transaction import Transaction
from services.platform.paper.pages import language_of
from services.platform.rpc.handlers import mark, mutation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, refuse
from services.portfolio.erasing import File, delete_files, erase
from services.portfolio.export.archive import written
from services.portfolio.export.pages import LANGUAGES
from services.portfolio.export.reader import Reader
from services.portfolio.export.resuming import rest_of
from services.portfolio.store import holders
from services.portfolio.store.vault import open_vault, restrict

LONGEST = 512 * 1024  # bytes of a message; callers take up to twice that


class HolderApi(holder_pb2_grpc.HolderServiceServicer):
    """The person behind a portfolio."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @mutation
    def CreateHolder(self, tx: Transaction, request: pb.CreateHolderRequest) -> pb.Holder:
        holder = without_outputs(request.holder)
        _check(holder)
        return holders.create(tx, self.app.keys, tx.principal.subject, holder)

    @portfolio_call
    def GetHolder(self, tx: Transaction, request: pb.GetHolderRequest) -> pb.Holder:
        (holder_id,) = names.parse(request.name, "holders")
        return holders.get(tx, open_vault(tx, self.app.keys, holder_id))

    @portfolio_call
    def UpdateHolder(self, tx: Transaction, request: pb.UpdateHolderRequest) -> pb.Holder:
        (holder_id,) = names.parse(request.holder.name, "holders")
        vault = open_vault(tx, self.app.keys, holder_id)
        current = holders.get(tx, vault, etag=request.holder.etag, lock=True)
        holder = merged(current, request.holder, request.update_mask, "holder")
        _check(holder)
        return holders.replace(tx, vault, holder)

    @portfolio_call
    def LiftRestriction(self, tx: Transaction, request: pb.LiftRestrictionRequest) -> pb.Holder:
        (holder_id,) = names.parse(request.name, "holders")
        restrict(tx, holder_id, None)
        return holders.get(tx, open_vault(tx, self.app.keys, holder_id))

    @mark  # reads a page at a time, each in a transaction of its own, for as long as the caller takes
    def ExportHolder(self, request: pb.ExportHolderRequest, call: Any) -> Iterator[httpbody_pb2.HttpBody]:
        spoken = next(iter(self._exportable(request, call).languages), "")
        reader = Reader(self.app, call, *names.parse(request.name, "holders"))
        day, language = day_of(datetime.now(UTC)), language_of(request.language_code or spoken, LANGUAGES)
        parts = written(reader, day, language, without_files=request.without_files)
        for part in rest_of(parts, request.received_bytes, request.received_sha256):
            for start in range(0, len(part), LONGEST):
                data = part[start : start + LONGEST]
                yield httpbody_pb2.HttpBody(content_type="application/zip", data=data)

    @mark  # files go after the transaction: they could not come back with it
    def EraseHolder(self, request: pb.EraseHolderRequest, call: Any) -> pb.EraseHolderResponse:
        # Stays empty for a repeat, which must not take what somebody has had since.
        files: list[File] = []

        @portfolio_call
        def erased(
            _api: HolderApi, tx: Transaction, request: pb.EraseHolderRequest
        ) -> pb.EraseHolderResponse:
            (holder_id,) = names.parse(request.name, "holders")
            answer, files[:] = erase(tx, self.app.keys, holder_id, request.etag)
            if request.validate_only:
                answer.ClearField("erase_time")
            return answer

        answer = erased(self, request, call)
        if not request.validate_only:
            delete_files(self.app, files)
        return answer

    @portfolio_call
    def _exportable(self, tx: Transaction, request: pb.ExportHolderRequest) -> pb.Holder:
        return holders.get(tx, open_vault(tx, self.app.keys, *names.parse(request.name, "holders")))


def _check(holder: pb.Holder) -> None:
    if holder.HasField("birth_date"):
        refuse(check_date("holder.birth_date", holder.birth_date, partial=False))
