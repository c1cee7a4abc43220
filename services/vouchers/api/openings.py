"""OpeningService: opening windows and their draws, for everybody to compute again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from waymark.vouchers.v1 import opening_pb2 as pb
from waymark.vouchers.v1 import opening_pb2_grpc

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.openings import name_of
from services.vouchers.store import names, openings, programmes
from services.vouchers.store.wallet_tables import drawn_applications
from services.vouchers.store.wallet_tables import openings as table


class OpeningApi(opening_pb2_grpc.OpeningServiceServicer):
    """Publishes openings."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @query
    def GetOpening(self, tx: Transaction, request: pb.GetOpeningRequest) -> pb.Opening:
        return _message(openings.get(tx, *names.version_parts(request.name)))

    @query
    def ListOpenings(self, tx: Transaction, request: pb.ListOpeningsRequest) -> pb.ListOpeningsResponse:
        programme_id = names.last(request.parent)
        programmes.get(tx, programme_id)
        found = page(
            tx,
            self.app.signer,
            openings.of_programme(programme_id),
            order_by=[table.c.number],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListOpeningsResponse(
            openings=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListDrawnApplications(
        self, tx: Transaction, request: pb.ListDrawnApplicationsRequest
    ) -> pb.ListDrawnApplicationsResponse:
        programme_id, number = names.version_parts(request.parent)
        openings.get(tx, programme_id, number)
        found = page(
            tx,
            self.app.signer,
            openings.order_of(programme_id, number),
            order_by=[drawn_applications.c.rank],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListDrawnApplicationsResponse(
            applications=[
                pb.DrawnApplication(
                    application=f"applications/{row.application_id}", rank=row.rank, outcome=row.outcome
                )
                for row in found.rows
            ],
            next_page_token=found.next_page_token,
        )


def _message(row: Row[Any]) -> pb.Opening:
    return pb.Opening(
        name=name_of(row),
        state=row.state,
        open_time=moment(row.open_at),
        close_time=moment(row.close_at),
        commit_time=moment(row.created_at),
        seed_sha256=row.seed_sha256.hex(),
        seed=row.seed.hex() if row.seed else "",
        application_count=row.application_count,
        done_count=row.done_count,
        granted_count=row.granted_count,
        waiting_count=row.waiting_count,
        draw_time=moment(row.drawn_at),
    )
