"""The policy of each RPC against the running service: every role, and every relation to the resource.

What the contract says is what is expected; nothing is listed here. `docs/policy.md` shows people the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from services.platform.edge.contract import Contract, Rpc
from services.platform.identity.principals import ROLE_NAMES
from services.platform.rpc import pipeline
from services.platform.rpc.call import Call
from services.platform.service import SERVICES, Relationship, load_service
from tests.support.databases import Databases
from tests.support.parts import S3Address
from tests.support.requests import smallest, violations
from tests.support.servers import Served, start, token

CONTRACT = Contract()
ANONYMOUS = ""
OWN, OTHER, REAL = "own", "other", "real"
REFUSALS = {"UNAUTHENTICATED", "PERMISSION_DENIED"}
PASSED = "passed"


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

    def reason(self, rpc: Rpc, role: str, says: str) -> str:
        """Calls with the smallest valid request; returns the error reason, or "passed"."""
        self.relations.says, self.relations.asked = says, set()
        metadata = [("authorization", f"Bearer {token(role)}")] if role else []
        method = descriptor_pool.Default().FindMethodByName(f"{rpc.interface}.{rpc.name}")
        answer = message_factory.GetMessageClass(method.output_type)
        wire: Any = (lambda request: request.SerializeToString(), answer.FromString)
        request = smallest(method)
        assert violations(request) == []
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


def reason_of(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status is not None, error
    assert status.details[0].Unpack(info)
    return str(info.reason)


Run = Callable[[str], Running]


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


def relations_of(rpc: Rpc, role: str) -> set[str]:
    """Relationships of which one must hold for the role; empty when none would help or none is needed."""
    assert rpc.policy is not None
    return {allow.relationship for allow in rpc.policy.allow if ROLE_NAMES[allow.role] == role} - {""}


def expected(rpc: Rpc, role: str) -> str:
    """What the policy says about a caller who stands in no relationship to the resource."""
    assert rpc.policy is not None
    if rpc.policy.public or any(
        ROLE_NAMES[allow.role] == role and not allow.relationship for allow in rpc.policy.allow
    ):
        return PASSED
    if role == ANONYMOUS:
        return "UNAUTHENTICATED"
    return "NOT_FOUND" if relations_of(rpc, role) else "PERMISSION_DENIED"


ROLES = (ANONYMOUS, *ROLE_NAMES.values())


def related(rpc: Rpc, *, only: bool = False) -> list[str]:
    """Roles that a relationship may help; `only`: those that nothing else helps."""
    roles = [role for role in ROLES if relations_of(rpc, role)]
    return [role for role in roles if expected(rpc, role) != PASSED] if only else roles


def of_each(rpcs: Iterable[Rpc]) -> pytest.MarkDecorator:
    """A test for each RPC, in every role: a test for each role would spend most of its time on saying so."""
    named = [pytest.param(rpc, id=rpc.path.removeprefix("/waymark.")) for rpc in rpcs]
    return pytest.mark.parametrize("rpc", named)


@of_each(CONTRACT.rpcs)
def test_a_stranger_gets_what_the_role_alone_allows(run: Run, rpc: Rpc) -> None:
    said = {role: run(rpc.service).reason(rpc, role, OTHER) for role in ROLES}
    due = {role: expected(rpc, role) for role in ROLES}
    passing = {role for role in ROLES if due[role] == PASSED}
    assert {role: said[role] for role in passing if said[role] in {*REFUSALS, "INTERNAL"}} == {}
    assert {role: said[role] for role in ROLES if role not in passing and said[role] != due[role]} == {}


@of_each(filter(related, CONTRACT.rpcs))
def test_the_relationships_named_are_asked_and_suffice(run: Run, rpc: Rpc) -> None:
    running = run(rpc.service)
    for role in related(rpc):
        said = running.reason(rpc, role, OWN)
        if expected(rpc, role) != PASSED:
            assert running.relations.asked, role
            assert running.relations.asked <= relations_of(rpc, role), role
        assert said not in {*REFUSALS, "INTERNAL"}, role


@of_each(rpc for rpc in CONTRACT.rpcs if related(rpc, only=True))
def test_the_real_resolvers_know_nobody_of_an_empty_database(run: Run, rpc: Rpc) -> None:
    roles = related(rpc, only=True)
    assert {role: run(rpc.service).reason(rpc, role, REAL) for role in roles} == dict.fromkeys(
        roles, "NOT_FOUND"
    )


def test_every_relationship_of_the_contract_is_registered_and_every_registered_one_is_used() -> None:
    for name in SERVICES:
        policies = [rpc.policy for rpc in CONTRACT.rpcs if rpc.service == name and rpc.policy is not None]
        used = {allow.relationship for policy in policies for allow in policy.allow} - {""}
        assert used == set(load_service(name).relationships)


class TestControls:
    """With a guard off, the tests above see it."""

    GUARDED = next(rpc for rpc in CONTRACT.rpcs if rpc.path.endswith("HolderService/GetHolder"))

    def test_without_the_policy_a_wrong_role_passes(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pipeline, "policy", lambda call: None)
        said = run.begin("portfolio").reason(self.GUARDED, "finance", OTHER)
        assert said not in {"PERMISSION_DENIED", "UNAUTHENTICATED"}

    def test_without_relationships_a_stranger_reaches_the_handler(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Call, "resolve", lambda self, request, connection: None)
        running = run.begin("portfolio")
        running.reason(self.GUARDED, "learner", OTHER)
        assert running.relations.asked == set()


def test_the_committed_table_is_this_policy() -> None:
    from services.platform.edge.documents import policy

    root = Path(__file__).resolve().parents[2]
    assert (root / "docs" / "policy.md").read_text() == policy(CONTRACT)
