"""What every RPC of a portfolio asks of its request: whose portfolio it is about, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from waymark.options.v1 import options_pb2
from waymark.portfolio.v1 import mandate_pb2 as pb

from services.platform.db.transaction import Transaction
from services.platform.identity.principals import Principal
from services.platform.service import Relationship
from services.portfolio.domain import names
from services.portfolio.domain.guidance import Reader
from services.portfolio.domain.mandate_parts import PARTS
from services.portfolio.domain.steps import Actor
from services.portfolio.store import (
    break_glass,
    group_programmes,
    issuers,
    mandates,
    mentoring_matches,
    mentors,
    page_submissions,
    validations,
)

Part: TypeAlias = pb.MandatePart.ValueType
Find = Callable[[sqlalchemy.Connection, str], tuple[str, str]]
GUIDANCE = frozenset({pb.MANDATE_PURPOSE_GUIDANCE})
PATHWAY = frozenset({pb.MANDATE_PURPOSE_GUIDANCE, pb.MANDATE_PURPOSE_PATHWAY})
SPECIAL = frozenset({pb.MANDATE_PURPOSE_SPECIAL_CATEGORY})
CASE = frozenset({pb.MANDATE_PURPOSE_GUIDANCE, pb.MANDATE_PURPOSE_CASE})
# Purposes of which a mandate in force makes each relationship hold.
MANDATES: Mapping[str, frozenset[int]] = {
    "mandate.guidance": GUIDANCE,
    "mandate.pathway": PATHWAY,
    "mandate.case": CASE,
    "mandate.special": SPECIAL,
    "mandate.any": PATHWAY | CASE,
}
_RESOURCES = (
    "holder",
    "entry",
    "skill_claim",
    "cv",
    "step",
    "goal",
    "plan",
    "journal_entry",
    "evidence",
    "mentor",
    "page",
    "page_collection",
)
BREAK_GLASS = "break_glass"  # a look without leave that the caller has open
ON_BEHALF = "mandate.behalf"  # holds by a mandate for guidance that permits it


def resource_of(request: Any) -> str:
    """Returns the resource name that a request, or an answer, is about; the parent's for lists and new
    resources."""
    for field in ("parent", "name", "pathway"):
        value = getattr(request, field, "")
        if value and isinstance(value, str):
            return value
    for field in _RESOURCES:
        resource: Any = getattr(request, field, None)
        if isinstance(resource, Message):
            return str(resource.name)  # type: ignore[attr-defined]
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


def by_mandate(purposes: frozenset[int], *, on_behalf: bool = False) -> Relationship:
    """Returns the relationship of who has a mandate in force for one of `purposes`; `on_behalf`: one that
    permits to act on behalf of the holder."""

    def holds(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
        named = resource_of(request)
        found = mandates.in_force(
            connection,
            principal,
            names.holder_in(named),
            purposes,
            part_of(request.DESCRIPTOR),
            on_behalf=on_behalf,
            questionnaire=names.questionnaire_in(named),
        )
        return found is not None

    return holds


def grant_for(tx: Transaction, request: Any, holder: str) -> mandates.Held | None:
    """Returns the caller's mandate that opens the RPC that takes this request, if any."""
    named = relationships_of(request.DESCRIPTOR)
    part = part_of(request.DESCRIPTOR) if named & {ON_BEHALF, *MANDATES} else None
    if ON_BEHALF in named:
        return mandates.in_force(tx.connection, tx.principal, holder, GUIDANCE, part, on_behalf=True)
    purposes = frozenset[int]().union(*(MANDATES[name] for name in named & MANDATES.keys()))
    if not purposes:
        return None
    questionnaire = names.questionnaire_in(resource_of(request))
    return mandates.in_force(tx.connection, tx.principal, holder, purposes, part, questionnaire=questionnaire)


@cache
def part_of(request: Descriptor) -> Part | None:
    """Returns the part of a portfolio that a mandate must open for the RPC that takes such a request; None
    for what is of no part. Raises KeyError where none is said, so that nothing opens by default."""
    (service,) = {method.containing_service.name for method in _taking(request)}
    return PARTS[service]


@cache
def opened_by(purpose: int) -> frozenset[Part]:
    """Returns the parts of which the policies let a mandate for `purpose` open something."""
    relationships = {name for name, purposes in MANDATES.items() if purpose in purposes}
    services = pb.DESCRIPTOR.pool.FindServiceByName
    opened = {
        part
        for service, part in PARTS.items()
        for method in services(f"{pb.DESCRIPTOR.package}.{service}").methods
        if part is not None and relationships & relationships_of(method.input_type)
    }
    return frozenset(opened)


@cache
def relationships_of(request: Descriptor) -> frozenset[str]:
    """Returns the relationships that the policy of the RPC names that takes such a request."""
    policies = [method.GetOptions().Extensions[options_pb2.policy] for method in _taking(request)]
    return frozenset(allow.relationship for policy in policies for allow in policy.allow)


@cache
def changes(request: Descriptor) -> bool:
    """True for requests of an RPC that may change something: over REST it is no GET."""
    return not all(
        method.GetOptions().Extensions[annotations_pb2.http].HasField("get") for method in _taking(request)
    )


def _taking(request: Descriptor) -> Iterator[MethodDescriptor]:
    """Yields the RPCs that take such a request."""
    for service in request.file.services_by_name.values():
        for method in service.methods:
            if method.input_type.full_name == request.full_name:
                yield method


def reader_of(tx: Transaction, holder: str) -> Reader:
    """Returns how much of a case the caller reads, whom its policy let in."""
    leads = mandates.in_force(tx.connection, tx.principal, holder, GUIDANCE, pb.MANDATE_PART_CASE) is not None
    return Reader(tx.principal.subject == holder, leads, tx.principal.organisation)


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


def offers_mentor(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `mentor.staff`: acts for the organisation that offers the mentor."""
    organisation, _ = _people(mentors.people_of, "mentors", request, connection)
    return organisation == principal.organisation != ""


def is_mentor(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `mentor.self`: is the mentor, for the organisation that offers them."""
    people = _people(mentors.people_of, "mentors", request, connection)
    return people == (principal.organisation, principal.subject) != ("", "")


def is_mentor_of(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `mentoring.mentor`: mentor of a match to which the holder has agreed, until its end."""
    return mentoring_matches.reaches(connection, principal, resource_of(request))


def runs_group(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `group.staff`: acts for the organisation that runs the programme."""
    organisation, _ = _people(group_programmes.people_of, "groupProgrammes", request, connection)
    return organisation == principal.organisation != ""


def leads_group(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `group.leader`: leads the programme, for the organisation that runs it."""
    people = _people(group_programmes.people_of, "groupProgrammes", request, connection)
    return people == (principal.organisation, principal.subject) != ("", "")


def is_recipient(principal: Principal, request: Any, connection: sqlalchemy.Connection) -> bool:
    """Relationship `submission.recipient`: pages were handed in to the caller, who can still read them."""
    return page_submissions.opened_to(connection, principal, resource_of(request))


def _people(find: Find, collection: str, request: Any, connection: sqlalchemy.Connection) -> tuple[str, str]:
    """Returns for which organisation, and who, that is which the request names in a collection; "" and "" for
    a name of anything else."""
    parts = resource_of(request).split("/")
    return find(connection, parts[1]) if len(parts) > 1 and parts[0] == collection else ("", "")
