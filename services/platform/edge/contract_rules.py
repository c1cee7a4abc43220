"""What must be true of every RPC and event of the contracts beyond what buf checks. A fault fails the
build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from waymark.errors.v1 import reason_pb2
from waymark.options.v1 import options_pb2

from services.platform.edge.contract import Contract, Message, Rpc, service_of

# One list with one full stop: after a second one a reader would overlook what follows.
_ERRORS = re.compile(r"^Errors: (none|[A-Z0-9_]+(,\s[A-Z0-9_]+)*)\.\Z", re.MULTILINE)
_CHANGING = ("post", "patch", "put", "delete")


def faults(contract: Contract) -> list[str]:
    """Returns one sentence per breach, naming the RPC or message; empty when all is well."""
    return [
        *(fault for rpc in contract.rpcs for fault in _rpc_faults(contract, rpc)),
        *(fault for message in contract.messages.values() for fault in _event_faults(contract, message)),
        *_twice_mapped(contract),
    ]


def _rpc_faults(contract: Contract, rpc: Rpc) -> Iterator[str]:
    if rpc.policy is None:
        yield f"{rpc.path} has no (waymark.options.v1.policy): nobody could call it"
    elif rpc.policy.public == bool(rpc.policy.allow):
        yield f"{rpc.path} must either be public or allow at least one role"
    else:
        yield from (f"{rpc.path} allows nobody in an entry" for allow in rpc.policy.allow if not allow.role)
    if not rpc.bindings:
        yield f"{rpc.path} has no (google.api.http): REST could not reach it"
    if not _ERRORS.search(rpc.comment):
        yield f"{rpc.path} does not say its errors: end its comment with `Errors: REASON, REASON.`"
    for reason in rpc.reasons:
        if f"REASON_{reason}" not in reason_pb2.Reason.keys():  # noqa: SIM118 (an enum, not a dict)
            yield f"{rpc.path} names the error {reason}, which the catalogue does not have"
    related = rpc.policy and any(allow.relationship for allow in rpc.policy.allow)
    if related and "NOT_FOUND" not in rpc.reasons:
        yield f"{rpc.path} asks for a relationship: without it a caller gets NOT_FOUND, which it must name"
    fields = {field.descriptor.name for field in contract.messages[rpc.request].fields}
    changes = any(binding.verb in _CHANGING for binding in rpc.bindings)
    # Nobody repeats a stream as a whole: its answers say how far it came.
    if changes and "request_id" not in fields and not _reads(rpc) and not rpc.client_streaming:
        yield f"{rpc.path} changes something and its request has no request_id"


def _reads(rpc: Rpc) -> bool:
    """POST that only asks: names in the style of AIP-136 for questions too long for a query string."""
    return rpc.name.startswith(
        ("Check", "Search", "Verify", "Preview", "Get", "List", "Open", "Simulate", "Recommend")
    )


def _event_faults(contract: Contract, message: Message) -> Iterator[str]:
    if not message.descriptor.options.HasExtension(options_pb2.event):
        return
    event = message.descriptor.options.Extensions[options_pb2.event]
    owner = service_of(message.name.rpartition(".")[0])
    if not re.fullmatch(rf"waymark\.{owner}\.[a-z_-]+\.v\d+", event.topic):
        yield f"{message.name} has the topic {event.topic!r}, which is not one of {owner}"
    current: Message | None = message
    for part in event.key_field.split("."):
        names = {one.descriptor.name: one for one in current.fields} if current else {}
        if part not in names:
            yield f"{message.name} has no field {event.key_field!r} to be its key"
            return
        current = contract.messages.get(names[part].descriptor.type_name.lstrip("."))


def _twice_mapped(contract: Contract) -> Iterator[str]:
    seen: dict[tuple[str, str], Rpc] = {}
    for rpc in contract.rpcs:
        for binding in rpc.bindings:
            # Two templates that differ in variable names only match the same requests.
            address = (
                binding.verb,
                re.sub(r"\{[^}=]*(=[^}]*)?\}", lambda m: m.group(1) or "*", binding.template),
            )
            other = seen.setdefault(address, rpc)
            if other.path != rpc.path:
                yield f"{rpc.path} and {other.path} share {binding.verb.upper()} {binding.template}"
