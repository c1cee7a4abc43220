"""ApiProductService: what partners' machines may call, at which price and how often."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.type import money_pb2
from sqlalchemy import Row, select
from waymark.catalogue.v1 import api_product_pb2 as pb
from waymark.catalogue.v1 import api_product_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, part
from services.catalogue.domain.api_products import Rule, rule_faults
from services.catalogue.events import set_money
from services.catalogue.store import api_products as store
from services.catalogue.store.api_tables import api_plans, api_products
from services.platform.app import App
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.edge.contract import Contract
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query

CENT_NANOS = 10_000_000
DEAREST = 10**9  # units of a currency


class ApiProductApi(api_product_pb2_grpc.ApiProductServiceServicer):
    """Products and plans."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateApiProduct(self, tx: Transaction, request: pb.CreateApiProductRequest) -> pb.ApiProduct:
        given = request.api_product
        _check_methods(given.methods)
        values = {
            "id": request.api_product_id,
            "display_names": dict(given.display_names),
            "methods": list(given.methods),
            "eligibility": [rule._asdict() for rule in _rules(given.eligibility)],
        }
        return _product(store.add(tx, api_products, values))

    @query
    def GetApiProduct(self, tx: Transaction, request: pb.GetApiProductRequest) -> pb.ApiProduct:
        return _product(store.read(tx, last(request.name)))

    @query
    def ListApiProducts(
        self, tx: Transaction, request: pb.ListApiProductsRequest
    ) -> pb.ListApiProductsResponse:
        statement, order = select(api_products), [api_products.c.id]
        found = page(tx, self.app.signer, statement, order_by=order, request=request, filters={})
        return pb.ListApiProductsResponse(
            api_products=map(_product, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def SetApiEligibility(self, tx: Transaction, request: pb.SetApiEligibilityRequest) -> pb.ApiProduct:
        row = store.read(tx, last(request.name), lock=True)
        check_etag(request.etag, row.version)
        return _product(store.set_rules(tx, row.id, _rules(request.eligibility)))

    @mutation
    def CreateApiPlan(self, tx: Transaction, request: pb.CreateApiPlanRequest) -> pb.ApiPlan:
        product, given = store.read(tx, last(request.parent)), request.plan
        values = {
            "product_id": product.id,
            "id": request.plan_id,
            "display_names": dict(given.display_names),
            "price_cents": _price_cents(given.price),
            "currency": given.price.currency_code,
            "period": given.period,
            "per_minute": given.per_minute,
            "per_day": given.per_day,
            "per_month": given.per_month,
        }
        return _plan(store.add(tx, api_plans, values))

    @query
    def ListApiPlans(self, tx: Transaction, request: pb.ListApiPlansRequest) -> pb.ListApiPlansResponse:
        product = store.read(tx, last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            select(api_plans).where(api_plans.c.product_id == product),
            order_by=[api_plans.c.id],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListApiPlansResponse(plans=map(_plan, found.rows), next_page_token=found.next_page_token)

    @mutation
    def CloseApiPlan(self, tx: Transaction, request: pb.CloseApiPlanRequest) -> pb.ApiPlan:
        return _closed(tx, request.name, closed=True)

    @mutation
    def ReopenApiPlan(self, tx: Transaction, request: pb.ReopenApiPlanRequest) -> pb.ApiPlan:
        return _closed(tx, request.name, closed=False)


def _closed(tx: Transaction, name: str, *, closed: bool) -> pb.ApiPlan:
    """Closes a plan or opens it again; raises Refusal: NOT_FOUND, WRONG_STATE where it is so already."""
    row = store.read_plan(tx, part(name, 1), last(name), lock=True)
    if row.closed == closed:
        said, state = ("closed", "CLOSED") if closed else ("not closed", "OPEN")
        raise Refusal(reason_pb2.REASON_WRONG_STATE, f"This plan is {said}.", metadata={"state": state})
    return _plan(store.set_closed(tx, row.product_id, row.id, closed=closed))


def _check_methods(methods: Any) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for a service or RPC that there is not."""
    for index, name in enumerate(methods):
        if name not in _known():
            raise invalid(f"api_product.methods[{index}]", "is no service or RPC of the contracts")


@cache
def _known() -> frozenset[str]:
    """Names of all services and RPCs, as products name them."""
    rpcs = Contract().rpcs
    named = (name for rpc in rpcs for name in (rpc.interface, rpc.path.removeprefix("/")))
    return frozenset(name.removeprefix("waymark.") for name in named)


def _rules(given: Any) -> list[Rule]:
    rules = [Rule(rule.sector, rule.role, rule.effect, dict(rule.reasons)) for rule in given]
    if wrong := rule_faults(rules):
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=wrong)
    return rules


def _price_cents(price: money_pb2.Money) -> int:
    whole = (
        0 <= price.units <= DEAREST and 0 <= price.nanos < 100 * CENT_NANOS and not price.nanos % CENT_NANOS
    )
    if not whole or len(price.currency_code) != 3 or not price.currency_code.isupper():
        raise invalid("plan.price", "must be whole cents, not less than zero, in a currency such as EUR")
    return int(price.units) * 100 + int(price.nanos) // CENT_NANOS


def _product(row: Row[Any]) -> pb.ApiProduct:
    answer = pb.ApiProduct(
        name=f"apiProducts/{row.id}",
        display_names=row.display_names,
        methods=row.methods,
        eligibility=[pb.ApiEligibilityRule(**rule._asdict()) for rule in store.rules_of(row)],
        etag=etag_of(row.version),
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer


def _plan(row: Row[Any]) -> pb.ApiPlan:
    answer = pb.ApiPlan(
        name=f"apiProducts/{row.product_id}/plans/{row.id}",
        display_names=row.display_names,
        period=row.period,
        per_minute=row.per_minute,
        per_day=row.per_day,
        per_month=row.per_month,
        closed=row.closed,
    )
    set_money(answer.price, row.currency, row.price_cents)
    return answer
