"""API products for tests: made in one call, with a grant and a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.type import money_pb2
from waymark.catalogue.v1 import (
    api_access_pb2,
    api_access_pb2_grpc,
    api_product_pb2,
    api_product_pb2_grpc,
    organisation_pb2,
    organisation_pb2_grpc,
)

METHOD = "catalogue.v1.ApiProductService"
ALLOW = api_product_pb2.ApiEligibilityRule(effect=api_product_pb2.ApiEligibilityRule.EFFECT_ALLOW)


@dataclass(frozen=True)
class Sold:
    """What a partner has: names, and the key."""

    product: str
    plan: str
    grant: str
    key: Any


class Seller:
    """Sells by `stub(make, role, org)`, which returns a stub that calls in a role."""

    def __init__(self, stub: Callable[[Any, str, str], Any]) -> None:
        self.products = stub(api_product_pb2_grpc.ApiProductServiceStub, "catalogue_manager", "")
        self._organisations = stub(organisation_pb2_grpc.OrganisationServiceStub, "catalogue_manager", "")
        self._stub = stub

    def organisation(self, identifier: str, **values: Any) -> str:
        """Creates an organisation; returns its name."""
        given = organisation_pb2.Organisation(display_name=identifier, **values)
        request = organisation_pb2.CreateOrganisationRequest(organisation=given, organisation_id=identifier)
        return str(self._organisations.CreateOrganisation(request).name)

    def access(self, organisation: str) -> Any:
        """A stub that calls as the staff of an organisation; as the manager for none."""
        role = "provider" if organisation else "catalogue_manager"
        return self._stub(api_access_pb2_grpc.ApiAccessServiceStub, role, organisation)

    def product(self, identifier: str, *rules: Any, methods: tuple[str, ...] = (METHOD,)) -> str:
        """Creates a product that everybody may have, unless there are rules; returns its name."""
        given = api_product_pb2.ApiProduct(
            display_names={"en": identifier}, methods=methods, eligibility=rules or [ALLOW]
        )
        request = api_product_pb2.CreateApiProductRequest(api_product=given, api_product_id=identifier)
        return str(self.products.CreateApiProduct(request).name)

    def plan(self, product: str, cents: int = 0, **quotas: Any) -> str:
        """Adds a plan; returns its name."""
        price = money_pb2.Money(currency_code="EUR", units=cents // 100, nanos=cents % 100 * 10_000_000)
        values = {"period": api_product_pb2.ApiPlan.PERIOD_MONTH, **quotas}
        given = api_product_pb2.ApiPlan(display_names={"en": "Plan"}, price=price, **values)
        request = api_product_pb2.CreateApiPlanRequest(parent=product, plan=given, plan_id="plan")
        return str(self.products.CreateApiPlan(request).name)

    def request(self, organisation: str, plan: str) -> Any:
        """Asks for a plan in the name of the organisation; returns the grant or its refusal."""
        given = api_access_pb2.ApiGrant(organisation=organisation, plan=plan)
        return self.access(organisation).RequestApiGrant(
            api_access_pb2.RequestApiGrantRequest(api_grant=given)
        )

    def key(self, holder: str, grant: str, **values: Any) -> Any:
        """Makes a key in the name of the holder of the grant."""
        request = api_access_pb2.CreateApiKeyRequest(parent=grant, key=api_access_pb2.ApiKey(**values))
        return self.access(holder).CreateApiKey(request)

    def sell(self, organisation: str, identifier: str, cents: int = 0, **quotas: Any) -> Sold:
        """Makes a product with a plan, a grant of it and a key."""
        product = self.product(identifier)
        plan = self.plan(product, cents, **quotas)
        grant = self.request(organisation, plan).name
        return Sold(product, plan, grant, self.key(organisation, grant))
