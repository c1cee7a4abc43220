"""HolderService."""

from __future__ import annotations

from waymark.portfolio.v1 import holder_pb2 as pb
from waymark.portfolio.v1 import holder_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.masks import merged, without_outputs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.domain.dates import check_date, refuse
from services.portfolio.store import holders
from services.portfolio.store.vault import open_vault


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


def _check(holder: pb.Holder) -> None:
    if holder.HasField("birth_date"):
        refuse(check_date("holder.birth_date", holder.birth_date, partial=False))
