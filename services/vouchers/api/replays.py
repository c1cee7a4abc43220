"""ApplicationService: decisions of the past computed again."""

from __future__ import annotations

from sqlalchemy import func, select
from waymark.vouchers.v1 import application_pb2 as pb

from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import query
from services.vouchers.app import VouchersApp
from services.vouchers.replaying import Replayer
from services.vouchers.store import applications, names
from services.vouchers.store.tables import applications as table


class ReplayMethods:
    """The part of ApplicationService about replay."""

    app: VouchersApp

    @query
    def ReplayApplication(self, tx: Transaction, request: pb.ReplayApplicationRequest) -> pb.Replay:
        return Replayer(tx).replay(applications.get(tx, names.uuid_in(request.name, "applications")))

    @query
    def ReplayApplications(
        self, tx: Transaction, request: pb.ReplayApplicationsRequest
    ) -> pb.ReplayApplicationsResponse:
        programme = names.last(request.programme)
        listed = applications.listed("", programme, 0)
        # The order that an index has for the filter.
        order = [table.c.created_at, table.c.id] if programme else [table.c.id]
        found = page(
            tx, self.app.signer, listed, order_by=order, request=request, filters={"programme": programme}
        )
        replayer = Replayer(tx)
        replays = [replayer.replay(row) for row in found.rows]
        answer = pb.ReplayApplicationsResponse(
            replayed_count=len(replays),
            let_go_count=sum(replay.HasField("facts_let_go_time") for replay in replays),
            disagreements=[replay for replay in replays if not replay.agrees],
            next_page_token=found.next_page_token,
        )
        if not request.page_token:
            answer.total_count = tx.execute(select(func.count()).select_from(listed.subquery())).scalar_one()
        return answer
