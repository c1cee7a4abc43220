"""CvService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty
from waymark.portfolio.v1 import cv_pb2 as pb
from waymark.portfolio.v1 import cv_pb2_grpc

from services.platform.db.transaction import Transaction
from services.platform.rpc.masks import merged, without_outputs
from services.portfolio.api.calls import portfolio_call
from services.portfolio.api.references import check_own
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names
from services.portfolio.store.cvs import CVS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.vault import open_vault


class CvApi(cv_pb2_grpc.CvServiceServicer):
    """Versions of a person's CV."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateCv(self, tx: Transaction, request: pb.CreateCvRequest) -> pb.Cv:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_vault(tx, self.app.keys, holder)
        cv = without_outputs(request.cv)
        check_own(tx, holder, ENTRIES, {"cv.entries": cv.entries})
        return CVS.add(tx, vault, cv)

    @portfolio_call
    def GetCv(self, tx: Transaction, request: pb.GetCvRequest) -> pb.Cv:
        holder, cv_id = names.parse(request.name, "holders", "cvs")
        return CVS.get(tx, open_vault(tx, self.app.keys, holder), cv_id)

    @portfolio_call
    def ListCvs(self, tx: Transaction, request: pb.ListCvsRequest) -> pb.ListCvsResponse:
        (holder,) = names.parse(request.parent, "holders")
        page = CVS.page(tx, self.app.signer, open_vault(tx, self.app.keys, holder), request)
        return pb.ListCvsResponse(cvs=page.messages, next_page_token=page.next_page_token)

    @portfolio_call
    def UpdateCv(self, tx: Transaction, request: pb.UpdateCvRequest) -> pb.Cv:
        holder, cv_id = names.parse(request.cv.name, "holders", "cvs")
        vault = open_vault(tx, self.app.keys, holder)
        current = CVS.get(tx, vault, cv_id, etag=request.cv.etag, lock=True)
        cv = merged(current, request.cv, request.update_mask, "cv")
        check_own(tx, holder, ENTRIES, {"cv.entries": cv.entries})
        return CVS.replace(tx, vault, cv_id, cv)

    @portfolio_call
    def DeleteCv(self, tx: Transaction, request: pb.DeleteCvRequest) -> Empty:
        holder, cv_id = names.parse(request.name, "holders", "cvs")
        CVS.remove(tx, holder, cv_id, request.etag)
        return Empty()
