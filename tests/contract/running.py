"""A served service whose relationships say what a test wants, called with requests made from the contract."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from services.platform.edge.contract import Rpc
from services.platform.service import Relationship, load_service
from tests.support.databases import Databases
from tests.support.parts import S3Address
from tests.support.refusals import reason_of
from tests.support.requests import smallest
from tests.support.servers import Served, start, token

ANONYMOUS = ""
OWN, OTHER, REAL = "own", "other", "real"
PASSED = "passed"
somebody = functools.cache(token)  # by role: signing takes longer than most calls here


class Relations:
    """Stands in for a service's resolvers and answers as the test says; notes which were asked."""

    def __init__(self, real: Mapping[str, Relationship]) -> None:
        self.real = real
        self.says = REAL
        self.asked: set[str] = set()

    def resolvers(self) -> dict[str, Relationship]:
        return {name: self._resolver(name) for name in self.real}

    def _resolver(self, name: str) -> Relationship:
        def holds(principal: Any, request: Any, connection: Any) -> bool:
            self.asked.add(name)
            if self.says == REAL:
                return self.real[name](principal, request, connection)
            return self.says == OWN

        return holds


@dataclasses.dataclass(frozen=True)
class Running:
    """A served service with its resolvers under control."""

    served: Served
    relations: Relations
    channel: grpc.Channel

    def reason(self, rpc: Rpc, role: str, says: str, request: Message | None = None) -> str:
        """Calls with a request, else the smallest valid one; returns the error reason, or "passed"."""
        self.relations.says, self.relations.asked = says, set()
        metadata = [("authorization", f"Bearer {somebody(role)}")] if role else []
        method = method_of(rpc)
        answer = message_factory.GetMessageClass(method.output_type)
        wire: Any = (lambda request: request.SerializeToString(), answer.FromString)
        request = request or smallest(method)
        try:
            if rpc.client_streaming:
                call = self.channel.stream_stream(rpc.path, *wire)
                list(call(iter([request]), metadata=metadata, timeout=20))
            elif rpc.server_streaming:
                list(self.channel.unary_stream(rpc.path, *wire)(request, metadata=metadata, timeout=20))
            else:
                self.channel.unary_unary(rpc.path, *wire)(request, metadata=metadata, timeout=20)
        except grpc.RpcError as error:
            return reason_of(error)
        return PASSED


def method_of(rpc: Rpc) -> MethodDescriptor:
    """Returns the descriptor of an RPC."""
    return descriptor_pool.Default().FindMethodByName(f"{rpc.interface}.{rpc.name}")


Run = Callable[[str], Running]


def of_each(rpcs: Iterable[Rpc]) -> pytest.MarkDecorator:
    """A test for the RPCs of each interface, in every role: one for each RPC, or role, would spend most of
    its time on saying so."""
    by_interface: dict[str, list[Rpc]] = {}
    for rpc in rpcs:
        by_interface.setdefault(rpc.interface, []).append(rpc)
    named = [pytest.param(each, id=name.removeprefix("waymark.")) for name, each in by_interface.items()]
    return pytest.mark.parametrize("rpcs", named)


@pytest.fixture(scope="module")
def run(postgres: str, s3: S3Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Starts a service with the tests' resolvers, once per name."""
    databases, running = Databases(postgres), dict[str, Running]()
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
    }
    with ExitStack() as stack:
        stack.callback(databases.drop)

        def begin(name: str) -> Running:
            definition = load_service(name)
            relations = Relations(definition.relationships)
            served = start(
                dataclasses.replace(definition, relationships=relations.resolvers()),
                databases(name).url,
                tmp_path_factory.mktemp(name),
                environ=environ,
            )
            stack.callback(served.stop)
            channel = stack.enter_context(grpc.insecure_channel(served.address))
            return Running(served, relations, channel)

        def once(name: str) -> Running:
            if name not in running:
                running[name] = begin(name)
            return running[name]

        once.begin = begin  # type: ignore[attr-defined]
        yield once
