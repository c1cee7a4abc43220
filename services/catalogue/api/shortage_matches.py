"""ShortageMatchService."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import events_pb2, shortage_match_pb2_grpc
from waymark.catalogue.v1 import shortage_match_pb2 as pb
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, part
from services.catalogue.api.occupation_names import occupation_of
from services.catalogue.api.shortage_versions import readable
from services.catalogue.domain.shortage import Occupation
from services.catalogue.store import shortage_lists, shortage_matches
from services.catalogue.store.shortage_matches import State
from services.catalogue.store.shortage_tables import shortage_matches as table
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query


class ShortageMatchApi(shortage_match_pb2_grpc.ShortageMatchServiceServicer):
    """Rows whose occupation a person decides."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def ListShortageMatches(
        self, tx: Transaction, request: pb.ListShortageMatchesRequest
    ) -> pb.ListShortageMatchesResponse:
        version = readable(tx, request.parent)
        found = page(
            tx,
            self.app.signer,
            shortage_matches.listing(version.list_id, version.number, request.state),
            order_by=[table.c.line],
            request=request,
            filters={"parent": request.parent, "state": request.state},
        )
        return pb.ListShortageMatchesResponse(
            shortage_matches=map(_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DecideShortageMatch(
        self, tx: Transaction, request: pb.DecideShortageMatchRequest
    ) -> pb.ShortageMatch:
        list_id, number = part(request.name, 1), int(part(request.name, 3))
        version = shortage_lists.read_version(tx.connection, list_id, number, lock=True)
        row = shortage_matches.read(tx, list_id, number, int(last(request.name)))
        if version.publish_time is not None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "PUBLISHED", "needed": "DRAFT"})
        state = State(request.state)
        return _message(shortage_matches.decide(tx, row, state, _meant(tx, row, state, request.occupation)))


def _meant(tx: Transaction, row: Any, state: State, given: str) -> Occupation:
    """Returns the occupation that a decision is for; raises Refusal(INVALID_ARGUMENT) for none."""
    if state == State.REPLACED:
        return occupation_of(tx, given)
    if given:
        raise invalid("occupation", "belongs to REPLACED alone")
    if state == State.ACCEPTED and not (row.uri or row.isco_code):
        raise invalid("state", "nothing was found for this row; name the occupation with REPLACED")
    return Occupation(row.uri, row.isco_code)


def _message(row: Any) -> pb.ShortageMatch:
    answer = pb.ShortageMatch(
        name=f"shortageLists/{row.list_id}/versions/{row.number}/matches/{row.line}",
        line=row.line,
        label=row.label,
        candidates=row.candidates,
        state=row.state,
    )
    if row.uri or row.isco_code:
        answer.occupation.CopyFrom(events_pb2.OccupationRef(uri=row.uri, isco_code=row.isco_code))
    return answer
