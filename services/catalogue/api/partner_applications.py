"""PartnerApplicationService: open sign-up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import partner_application_pb2 as pb
from waymark.catalogue.v1 import partner_application_pb2_grpc

from services.catalogue import events
from services.catalogue.api.messages import last
from services.catalogue.domain.partner_application import State, check_decision
from services.catalogue.store import organisations
from services.catalogue.store import partner_applications as store
from services.catalogue.store.partner_application_tables import partner_applications
from services.platform.app import App
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query


class PartnerApplicationApi(partner_application_pb2_grpc.PartnerApplicationServiceServicer):
    """Who wants to be a partner."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreatePartnerApplication(
        self, tx: Transaction, request: pb.CreatePartnerApplicationRequest
    ) -> pb.PartnerApplication:
        given = request.partner_application
        values = {
            "display_name": given.display_name,
            "legal_ids": dict(given.legal_ids),
            "sector": given.sector,
            "roles": list(given.roles),
            "models": list(given.models),
            "offer": given.offer,
        }
        return _message(store.add(tx, values))

    @query
    def GetPartnerApplication(
        self, tx: Transaction, request: pb.GetPartnerApplicationRequest
    ) -> pb.PartnerApplication:
        return _message(store.read(tx, last(request.name)))

    @query
    def ListPartnerApplications(
        self, tx: Transaction, request: pb.ListPartnerApplicationsRequest
    ) -> pb.ListPartnerApplicationsResponse:
        found = page(
            tx,
            self.app.signer,
            store.listing(request.state),
            order_by=[partner_applications.c.id],
            request=request,
            filters={"state": request.state},
        )
        return pb.ListPartnerApplicationsResponse(
            partner_applications=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def AdmitPartner(self, tx: Transaction, request: pb.AdmitPartnerRequest) -> pb.PartnerApplication:
        row = _to_decide(tx, request)
        organisation = request.organisation_id or new_id()
        organisations.add(
            tx,
            organisation,
            display_name=row.display_name,
            legal_ids=row.legal_ids,
            sector=row.sector,
            roles=row.roles,
        )
        made = organisations.read(tx.connection, organisation)
        tx.publish(events.organisation_changed(made.id, made.version, [], tx.today))
        return _decided(tx, store.decide(tx, row.id, State.ADMITTED, organisation_id=organisation))

    @mutation
    def RefusePartner(self, tx: Transaction, request: pb.RefusePartnerRequest) -> pb.PartnerApplication:
        row = _to_decide(tx, request)
        values = {"refusal_reason": request.reason, "refusal_note": request.note}
        return _decided(tx, store.decide(tx, row.id, State.REFUSED, **values))


def _to_decide(tx: Transaction, request: Any) -> Row[Any]:
    """Returns the application that the caller may decide now, locked; raises Refusal."""
    row = store.read(tx, last(request.name), lock=True)
    check_etag(request.etag, row.version)
    check_decision(row.state, row.applicant, tx.principal.subject)
    return row


def _decided(tx: Transaction, row: Row[Any]) -> pb.PartnerApplication:
    tx.publish(events.partner_application_decided(row))
    return _message(row)


def _message(row: Row[Any]) -> pb.PartnerApplication:
    answer = pb.PartnerApplication(
        name=f"partnerApplications/{row.id}",
        display_name=row.display_name,
        legal_ids=row.legal_ids,
        sector=row.sector,
        roles=row.roles,
        models=row.models,
        offer=row.offer,
        state=row.state,
        organisation=f"organisations/{row.organisation_id}" if row.organisation_id else "",
        refusal_reason=row.refusal_reason,
        refusal_note=row.refusal_note,
        etag=etag_of(row.version),
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.decide_time is not None:
        answer.decide_time.FromDatetime(row.decide_time)
    return answer
