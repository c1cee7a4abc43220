"""A malformed resource name, wherever a request holds one, is told to the caller and is no fault of ours.

Which fields hold one is what the contract says of them: `courses/{id}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from typing import Any, NamedTuple

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from services.catalogue.api import messages
from services.platform.edge.contract import Rpc
from services.platform.identity.principals import ROLE_NAMES
from services.platform.rpc.interceptors import validation
from tests.contract.running import ANONYMOUS, OWN, PASSED, REAL, Run, Running, method_of, of_each
from tests.support.contract import CONTRACT
from tests.support.requests import fill, smallest

TEMPLATE = re.compile(r"`([a-zA-Z]+/\{[^`]*)`")
NOBODYS = "00000000-0000-4000-8000-000000000000"
DEEPEST = 4  # messages within messages
COMMENTS = {
    f"{message.name}.{field.descriptor.name}": field.comment
    for message in CONTRACT.messages.values()
    for field in message.fields
}


class Named(NamedTuple):
    """A field that holds a resource name: its way from the request, and a name as it should be."""

    path: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return ".".join(self.path)


def named_in(descriptor: Descriptor, way: tuple[str, ...] = ()) -> Iterator[Named]:
    """Yields every field of a request that holds a resource name, and of what is in it."""
    for field in descriptor.fields:
        path = (*way, field.name)
        inner = field.message_type
        if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]:
            continue
        if inner is not None and inner.full_name.startswith("waymark.") and len(path) < DEEPEST:
            if not inner.GetOptions().map_entry:
                yield from named_in(inner, path)
        elif field.type == field.TYPE_STRING and (found := TEMPLATE.search(COMMENTS[field.full_name])):
            yield Named(path, re.sub(r"\{[^}]*\}", NOBODYS, found[1]))


def malformed(name: str) -> list[str]:
    """Returns what somebody might send instead of a name."""
    kind = name.rpartition("/")[0]
    return ["nonsense", f"{kind}/nonsense", f"{name}/more", f"{kind}/\0"]


def put(message: Any, path: tuple[str, ...], value: str) -> None:
    """Writes a value into a field, with what else the messages on the way must hold."""
    name, *rest = path
    repeated = message.DESCRIPTOR.fields_by_name[name].is_repeated
    if not rest:
        if repeated:
            getattr(message, name)[:] = [value]
        else:
            setattr(message, name, value)
        return
    inner = getattr(message, name)
    if repeated:
        if not inner:
            fill(inner.add())
        put(inner[0], tuple(rest), value)
        return
    if not message.HasField(name):
        inner.SetInParent()
        fill(inner)
    put(inner, tuple(rest), value)


def masked(request: Message) -> Iterator[Message]:
    """Yields a request as it is, and with each field in its mask that its resource has."""
    yield request
    if "update_mask" in request.DESCRIPTOR.fields_by_name:
        for held in request.DESCRIPTOR.fields:
            if held.message_type is not None and held.message_type.full_name.startswith("waymark."):
                for field in held.message_type.fields:
                    each: Any = deepcopy(request)
                    each.update_mask.paths[:] = [field.name]
                    yield each


def callers(rpc: Rpc) -> list[tuple[str, str]]:
    """Returns roles that may call, each with what its relationships say."""
    assert rpc.policy is not None
    if rpc.policy.public:
        return [(ANONYMOUS, OWN)]
    free = [ROLE_NAMES[allow.role] for allow in rpc.policy.allow if not allow.relationship]
    bound = [ROLE_NAMES[allow.role] for allow in rpc.policy.allow if allow.relationship]
    return [((free + bound)[0], OWN), *((role, REAL) for role in bound[:1])]


def is_addressed(rpc: Rpc, field: Named) -> bool:
    """True for what an address names: no call can do without it."""
    return any(re.search(rf"\{{{re.escape(str(field))}[=}}]", each.template) for each in rpc.bindings)


def wrongly_said(running: Running, rpc: Rpc) -> dict[tuple[str, ...], str]:
    """What is answered by field, caller and malformed name, where that is not as it should be."""
    found = {}
    method = method_of(rpc)
    for field in named_in(method.input_type):
        for value in malformed(field.name):
            passes = value.endswith("/nonsense") or not is_addressed(rpc, field)  # ids of some are words
            sent = smallest(method)
            put(sent, field.path, value)
            requests = masked(sent) if is_addressed(rpc, field) else [sent]
            for request, (role, says) in product(requests, callers(rpc)):
                said = running.reason(rpc, role, says, request)
                if said == "INTERNAL" or (said == PASSED and not passes):
                    found[str(field), role, says, value] = said
    return found


@of_each(CONTRACT.rpcs)
def test_a_malformed_name_is_refused(run: Run, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        assert wrongly_said(run(rpc.service), rpc) == {}, rpc.path


class TestControls:
    """With a guard off, the test above sees it."""

    def wrong(self, run: Run, path: str) -> set[str]:
        rpc = next(each for each in CONTRACT.rpcs if each.path.endswith(path))
        return set(wrongly_said(run(rpc.service), rpc).values())

    def test_ids_that_are_none_reach_the_database(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(messages, "is_uuid", lambda text: True)
        assert self.wrong(run, "SourceService/UpdateSource") == {"INTERNAL"}
        assert self.wrong(run, "CourseService/CorrectCourse") == {"INTERNAL"}

    def test_what_no_text_can_hold_reaches_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(validation, "NUL", "no such character")
        assert self.wrong(run, "AlertService/ListAlerts") == {"INTERNAL"}
        assert self.wrong(run, "MentorService/GetMentor") == {"INTERNAL"}
