"""What every RPC of a portfolio asks of its request: whose portfolio it is about, and who is asking."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from waymark.portfolio.v1 import mandate_pb2 as pb

from services.platform.db.transaction import Transaction
from services.platform.identity.principals import Principal
from services.portfolio.domain import names
from services.portfolio.domain.steps import Actor
from services.portfolio.store import break_glass, issuers, mandates, validations

GUIDANCE = frozenset({pb.MANDATE_PURPOSE_GUIDANCE})
PATHWAY = frozenset({pb.MANDATE_PURPOSE_GUIDANCE, pb.MANDATE_PURPOSE_PATHWAY})


def resource_of(request: Any) -> str:
    """Returns the resource name that a request is about; the parent's for lists and new resources."""
    for field in ("parent", "name", "pathway"):
        value = getattr(request, field, "")
        if value and isinstance(value, str):
            return value
    for field in ("holder", "entry", "skill_claim", "cv", "step"):
        if hasattr(request, field):
            return str(getattr(request, field).name)
    return ""


def holder_of(request: Any) -> str:
    """Returns the id of the holder whose portfolio a request is about, or ""."""
    return names.holder_in(resource_of(request))


def actor_of(tx: Transaction, holder: str) -> Actor:
    """Returns as what the caller acts on a portfolio."""
    return Actor.HOLDER if tx.principal.subject == holder else Actor.COUNSELLOR


def is_self(principal: Principal, request: Any, _connection: sqlalchemy.Connection) -> bool:
    """Relationship `self`: the caller's own portfolio."""
    return principal.subject != "" and holder_of(request) == principal.subject


def has_guidance_mandate(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `mandate.guidance`: a mandate in force that opens the whole portfolio."""
    return mandates.in_force(connection, principal, holder_of(request), GUIDANCE) is not None


def has_pathway_mandate(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `mandate.pathway`: a mandate in force that opens the pathways."""
    return mandates.in_force(connection, principal, holder_of(request), PATHWAY) is not None


def has_broken_glass(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `break_glass`: a look without leave that the caller has open."""
    return break_glass.in_force(connection, principal, holder_of(request)) is not None


def is_staff(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `issuer.staff`: acts for the organisation of the awarding body."""
    parts = resource_of(request).split("/")
    if principal.organisation == "" or len(parts) < 2 or parts[0] != "credentialIssuers":
        return False
    return issuers.organisation_of(connection, parts[1]) == principal.organisation


def is_of_awarding_body(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `validation.awarding`: acts for the awarding body that the case was handed in to."""
    return validations.opened_to(connection, principal, resource_of(request)) is not None


def is_assessor(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `validation.assessor`: the assessor of a case, for its awarding body."""
    opened = validations.opened_to(connection, principal, resource_of(request))
    return opened is not None and opened.assessor == principal.subject != ""
