"""What the contract says of one RPC, read once at start-up from its descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from waymark.options.v1 import options_pb2

from services.platform.service import Relationship


class ContractError(Exception):
    """A served RPC has no usable policy; the server must not start. The text says which and why."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: its path on the wire, who may call it, and which resolvers decide relationships.

    `open_roles` suffice by themselves; `related` lists (role, resolver) pairs of which one must hold.
    """

    path: str
    name: str  # short, for logs and metrics: `VoucherService/GetVoucher`
    public: bool
    open_roles: frozenset[int]
    related: tuple[tuple[int, Relationship], ...]
    server_streaming: bool
    request_has_id: bool
    can_only_validate: bool
    response: type[Message]


def read_method(descriptor: MethodDescriptor, relationships: Mapping[str, Relationship]) -> Method:
    """Reads a method from its descriptor; raises ContractError unless its policy is complete."""
    method, bound = _said(descriptor)
    for _, relationship in bound:
        if relationship not in relationships:
            raise ContractError(
                f"{method.path} needs the relationship {relationship!r}, which nobody registered."
            )
    related = tuple((role, relationships[name]) for role, name in bound)
    return replace(method, related=related) if related else method


@cache  # tests start hundreds of servers in a process, and options are made anew each time they are asked for
def _said(descriptor: MethodDescriptor) -> tuple[Method, tuple[tuple[int, str], ...]]:
    """What the contract alone says: the method without its resolvers, and (role, relationship) pairs."""
    path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
    options = descriptor.GetOptions()
    if not options.HasExtension(options_pb2.policy):
        raise ContractError(
            f"{path} has no (waymark.options.v1.policy); nobody could ever be allowed to call it."
        )
    policy = options.Extensions[options_pb2.policy]
    if policy.public == bool(policy.allow):
        raise ContractError(f"{path} must either be public or allow at least one role, and not both.")
    for allow in policy.allow:
        if not allow.role:
            raise ContractError(f"{path} has an allow entry without a role.")
        if allow.relationship and descriptor.client_streaming:
            raise ContractError(
                f"{path} streams requests, which name no one resource to stand in relation to."
            )
    bound = tuple((allow.role, allow.relationship) for allow in policy.allow if allow.relationship)
    method = Method(
        path=path,
        name=path.rsplit(".", 1)[-1],
        public=policy.public,
        open_roles=frozenset(allow.role for allow in policy.allow if not allow.relationship),
        related=(),
        server_streaming=descriptor.server_streaming,
        request_has_id="request_id" in descriptor.input_type.fields_by_name,
        can_only_validate="validate_only" in descriptor.input_type.fields_by_name,
        response=GetMessageClass(descriptor.output_type),
    )
    return method, bound
