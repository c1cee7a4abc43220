"""RightsRequestService."""

from __future__ import annotations

from typing import Any

from waymark.portfolio.v1 import rights_request_pb2 as pb
from waymark.portfolio.v1 import rights_request_pb2_grpc
from waymark.portfolio.v1.events_pb2 import RightsRequestMoved

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mark, query
from services.platform.rpc.masks import without_outputs
from services.portfolio.access import refuse_own
from services.portfolio.api.calls import portfolio_call
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names, rights
from services.portfolio.erasing import File, delete_files, erase
from services.portfolio.store import rights_requests
from services.portfolio.store.vault import Vault, find_vault, open_at_desk, restrict

Request = pb.RightsRequest


class RightsRequestApi(rights_request_pb2_grpc.RightsRequestServiceServicer):
    """What holders ask for by right."""

    def __init__(self, app: PortfolioApp) -> None:
        self.app = app

    @portfolio_call
    def CreateRightsRequest(self, tx: Transaction, request: pb.CreateRightsRequestRequest) -> Request:
        (holder,) = names.parse(request.parent, "holders")
        vault = open_at_desk(tx, self.app.keys, holder)
        made = rights_requests.create(tx, vault, without_outputs(request.rights_request))
        return _told(tx, made)

    @portfolio_call
    def GetRightsRequest(self, tx: Transaction, request: pb.GetRightsRequestRequest) -> Request:
        holder, row_id = names.parse(request.name, *rights_requests.COLLECTIONS)
        return rights_requests.get(tx, holder, row_id, find_vault(tx, self.app.keys, holder))

    @portfolio_call
    def ListRightsRequests(
        self, tx: Transaction, request: pb.ListRightsRequestsRequest
    ) -> pb.ListRightsRequestsResponse:
        (holder,) = names.parse(request.parent, "holders")
        vault = find_vault(tx, self.app.keys, holder)
        page = rights_requests.listed(tx, self.app.signer, holder, vault, request)
        return pb.ListRightsRequestsResponse(
            rights_requests=page.messages, next_page_token=page.next_page_token
        )

    @query
    def ListDueRightsRequests(
        self, tx: Transaction, request: pb.ListDueRightsRequestsRequest
    ) -> pb.ListDueRightsRequestsResponse:
        page = rights_requests.waiting(tx, self.app.signer, request)
        return pb.ListDueRightsRequestsResponse(
            rights_requests=page.messages, next_page_token=page.next_page_token
        )

    @portfolio_call
    def CheckRightsRequestIdentity(
        self, tx: Transaction, request: pb.CheckRightsRequestIdentityRequest
    ) -> Request:
        found, vault = self._handled(tx, request.name)
        found.identity_proof = request.identity_proof
        return _moved(tx, found, vault, Request.STATE_IDENTITY_CHECKED)

    @portfolio_call
    def PrepareRightsRequest(self, tx: Transaction, request: pb.PrepareRightsRequestRequest) -> Request:
        return _moved(tx, *self._handled(tx, request.name), Request.STATE_PREPARING)

    @portfolio_call
    def ExtendRightsRequest(self, tx: Transaction, request: pb.ExtendRightsRequestRequest) -> Request:
        found, vault = self._handled(tx, request.name)
        rights.require_extendable(found, tx.now)
        received = found.create_time.ToDatetime(tx.now.tzinfo)
        found.due_time.FromDatetime(rights.due(received, extended=True))
        found.extend_time.FromDatetime(tx.now)
        found.extension_reason = request.reason
        return rights_requests.move(tx, found, vault)

    @mark  # files go after the transaction: they could not come back with it
    def DeliverRightsRequest(self, request: pb.DeliverRightsRequestRequest, call: Any) -> Request:
        files: list[File] = []

        @portfolio_call
        def delivered(
            self: RightsRequestApi, tx: Transaction, request: pb.DeliverRightsRequestRequest
        ) -> Request:
            found, vault = self._handled(tx, request.name)
            rights.require(found.state, Request.STATE_DELIVERED)
            found.note = request.note
            if found.kind == Request.KIND_ERASURE:
                files[:] = erase(tx, self.app.keys, vault.holder, "*").files
                return _moved(tx, found, None, Request.STATE_DELIVERED)
            if found.kind == Request.KIND_RESTRICTION:
                restrict(tx, vault.holder, tx.now)
            return _moved(tx, found, vault, Request.STATE_DELIVERED)

        answer = delivered(self, request, call)
        delete_files(self.app, files)
        return answer

    @portfolio_call
    def RefuseRightsRequest(self, tx: Transaction, request: pb.RefuseRightsRequestRequest) -> Request:
        found, vault = self._handled(tx, request.name)
        found.refusal_ground, found.note = request.ground, request.note
        return _moved(tx, found, vault, Request.STATE_PARTLY_REFUSED)

    @portfolio_call
    def WithdrawRightsRequest(self, tx: Transaction, request: pb.WithdrawRightsRequestRequest) -> Request:
        holder, row_id = names.parse(request.name, *rights_requests.COLLECTIONS)
        vault = open_at_desk(tx, self.app.keys, holder)
        found = rights_requests.get(tx, holder, row_id, vault, lock=True)
        return _moved(tx, found, vault, Request.STATE_WITHDRAWN)

    def _handled(self, tx: Transaction, name: str) -> tuple[Request, Vault]:
        """Locks a request for the caller to work on; raises Refusal(NOT_FOUND, SAME_PERSON)."""
        holder, row_id = names.parse(name, *rights_requests.COLLECTIONS)
        refuse_own(tx, holder)
        vault = open_at_desk(tx, self.app.keys, holder)
        found = rights_requests.get(tx, holder, row_id, vault, lock=True)
        found.handler = tx.principal.subject
        return found, vault


def _moved(tx: Transaction, request: Request, vault: Vault | None, to: rights.State) -> Request:
    """Moves a locked request and tells so; raises Refusal(WRONG_STATE)."""
    rights.require(request.state, to, request.refusal_ground)
    request.state = to
    return _told(tx, rights_requests.move(tx, request, vault))


def _told(tx: Transaction, request: Request) -> Request:
    tx.publish(RightsRequestMoved(rights_request=request.name, to_state=rights.label(request.state)))
    return request
