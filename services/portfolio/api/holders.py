"""HolderService."""

from __future__ import annotations

from typing import Any

import structlog
from waymark.portfolio.v1 import holder_pb2 as pb
from waymark.portfolio.v1 import holder_pb2_grpc
from waymark.portfolio.v1.events_pb2 import SubjectErased

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mark, mutation
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, refuse
from services.portfolio.store import evidence, holders
from services.portfolio.store.vault import open_vault

log = structlog.get_logger("holders")


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

    @mark  # the files go after the transaction: they could not come back with it
    def EraseHolder(self, request: pb.EraseHolderRequest, call: Any) -> pb.EraseHolderResponse:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            files = evidence.files_of(tx, *names.parse(request.name, "holders"))
        answer = self._erased(request, call)
        if not request.validate_only:
            self._delete(files)
        return answer

    @portfolio_call
    def _erased(self, tx: Transaction, request: pb.EraseHolderRequest) -> pb.EraseHolderResponse:
        (holder_id,) = names.parse(request.name, "holders")
        answer = holders.held(tx, holder_id)
        erased_now, erased_at = holders.erase(tx, holder_id, request.etag)
        if not request.validate_only:
            answer.erase_time.FromDatetime(erased_at)
        if erased_now:
            event = SubjectErased(holder=request.name)
            event.erase_time.FromDatetime(erased_at)
            tx.publish(event)
        return answer

    def _delete(self, files: list[tuple[str, int]]) -> None:
        """Deletes files and uploads; what cannot be reached now is left to the sweep, as no row names it."""
        try:
            for key, size in files:
                self.app.objects.delete(evidence.BUCKET, key)
                self.app.objects.discard(evidence.BUCKET, key, size)
        except Refusal:
            log.warning("files_left_to_the_sweep", files=len(files))


def _check(holder: pb.Holder) -> None:
    if holder.HasField("birth_date"):
        refuse(check_date("holder.birth_date", holder.birth_date, partial=False))
