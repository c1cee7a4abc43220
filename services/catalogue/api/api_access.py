"""ApiAccessService: who got which plan, and what a month of it came to; keys are in `api_keys`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api import httpbody_pb2
from sqlalchemy import Row
from waymark.catalogue.v1 import api_access_pb2 as pb
from waymark.catalogue.v1 import api_access_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.api_keys import ApiKeyApi
from services.catalogue.api.messages import last, only_own, part
from services.catalogue.domain.api_products import refusal
from services.catalogue.domain.api_statement import Month, csv_lines, due_cents
from services.catalogue.events import set_money
from services.catalogue.store import api_grants as store
from services.catalogue.store import api_products, api_usage, organisation_tree, organisations
from services.catalogue.store.api_tables import api_grants
from services.platform.app import App
from services.platform.days import day_of
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query, query_stream

MOST_LINES = 1000
CSV = "text/csv; charset=utf-8"


class ApiAccessApi(ApiKeyApi, api_access_pb2_grpc.ApiAccessServiceServicer):
    """Grants, and statements of them."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def RequestApiGrant(self, tx: Transaction, request: pb.RequestApiGrantRequest) -> pb.ApiGrant:
        given = request.api_grant
        organisation = organisations.read(tx.connection, last(given.organisation))
        product = api_products.read(tx, part(given.plan, 1))
        plan = api_products.read_plan(tx, product.id, last(given.plan))
        if plan.closed:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, "This plan is closed.", metadata={"state": "CLOSED"})
        sector = organisation_tree.sector(tx.connection, organisation.id)
        why_not = refusal(api_products.rules_of(product), sector, organisation.roles)
        return _grant(store.add(tx, organisation.id, product.id, plan.id, why_not))

    @query
    def GetApiGrant(self, tx: Transaction, request: pb.GetApiGrantRequest) -> pb.ApiGrant:
        return _grant(store.read(tx, last(request.name)))

    @query
    def ListApiGrants(self, tx: Transaction, request: pb.ListApiGrantsRequest) -> pb.ListApiGrantsResponse:
        own, asked = only_own(tx.principal), last(request.organisation)
        statement = store.listing(own, request.state)
        if asked:
            statement = statement.where(api_grants.c.organisation_id == asked)
        found = page(
            tx,
            self.app.signer,
            statement,
            order_by=[api_grants.c.id.desc()],
            request=request,
            filters={"organisation": asked, "own": own, "state": request.state},
        )
        return pb.ListApiGrantsResponse(
            api_grants=map(_grant, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def EndApiGrant(self, tx: Transaction, request: pb.EndApiGrantRequest) -> pb.ApiGrant:
        row = store.in_force(tx, last(request.name))
        check_etag(request.etag, row.version)
        return _grant(store.end(tx, row.id, request.reason))

    @query
    def GetApiStatement(self, tx: Transaction, request: pb.GetApiStatementRequest) -> pb.ApiStatement:
        grant, month = store.read(tx, last(request.name)), Month.of(request.month)
        plan = api_products.read_plan(tx, grant.product_id, grant.plan_id)
        total = api_usage.total(tx, grant.id, *month)
        answer = pb.ApiStatement(
            api_grant=f"apiGrants/{grant.id}",
            month=request.month,
            plan=_plan_name(grant),
            calls=int(total.calls),
            refused_calls=int(total.refused_calls),
            lines=[_line(grant, row) for row in api_usage.by_key(tx, grant.id, *month, MOST_LINES)],
        )
        ended = day_of(grant.end_time) if grant.end_time else None
        granted = grant.state != store.State.REFUSED
        cents = due_cents(plan.price_cents, plan.period, day_of(grant.create_time), ended, month)
        set_money(answer.due, plan.currency, cents if granted else 0)
        return answer

    @query_stream
    def GetApiStatementFile(
        self, tx: Transaction, request: pb.GetApiStatementFileRequest
    ) -> Iterator[httpbody_pb2.HttpBody]:
        grant = store.read(tx, last(request.name))
        yield httpbody_pb2.HttpBody(content_type=CSV, data=csv_lines([], header=True))
        for rows in api_usage.by_day(tx, grant.id, *Month.of(request.month)):
            yield httpbody_pb2.HttpBody(content_type=CSV, data=csv_lines(map(_cells, rows)))


def _grant(row: Row[Any]) -> pb.ApiGrant:
    answer = pb.ApiGrant(
        name=f"apiGrants/{row.id}",
        organisation=f"organisations/{row.organisation_id}",
        plan=_plan_name(row),
        state=row.state,
        refusal_reasons=row.refusal_reasons,
        end_reason=row.end_reason,
        etag=etag_of(row.version),
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.end_time is not None:
        answer.end_time.FromDatetime(row.end_time)
    return answer


def _plan_name(grant: Row[Any]) -> str:
    return f"apiProducts/{grant.product_id}/plans/{grant.plan_id}"


def _line(grant: Row[Any], row: Row[Any]) -> pb.ApiStatementLine:
    return pb.ApiStatementLine(
        key=f"apiGrants/{grant.id}/keys/{row.id}",
        label=row.label,
        organisation=f"organisations/{row.organisation_id}",
        calls=int(row.calls),
        refused_calls=int(row.refused_calls),
    )


def _cells(row: Row[Any]) -> tuple[object, ...]:
    return row.day.isoformat(), row.id, row.organisation_id, row.calls, row.refused_calls
