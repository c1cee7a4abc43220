"""What a server refuses to serve: RPCs that nobody may call, or that would be let in unasked."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from waymark.options.v1 import options_pb2

from services.platform.rpc.handlers import mark
from services.platform.rpc.method import ContractError, read_method
from services.platform.rpc.pipeline import intercept
from services.platform.rpc.server import Registry
from services.platform.service import ServiceDefinition, load_service
from tests.support.notes import DEFINITION, NoteApi, notes_pb2, notes_pb2_grpc


def method(service: str, name: str) -> Any:
    return notes_pb2.DESCRIPTOR.services_by_name[service].methods_by_name[name]


def test_policies_are_read_from_the_contract() -> None:
    read = read_method(method("NoteService", "GetNote"), DEFINITION.relationships)
    assert read.path == "/waymark.testing.v1.NoteService/GetNote"
    assert read.name == "NoteService/GetNote"
    assert read.open_roles == {options_pb2.ROLE_AUDITOR}
    assert read.related == ((options_pb2.ROLE_LEARNER, DEFINITION.relationships["note.owner"]),)
    assert not read.public
    assert read_method(method("NoteService", "Wait"), {}).public


def test_an_rpc_without_a_policy_is_not_served() -> None:
    with pytest.raises(ContractError, match="Forgotten has no"):
        read_method(method("UnguardedService", "Forgotten"), {})


def test_a_relationship_that_nobody_registered_is_not_served() -> None:
    with pytest.raises(ContractError, match=r"nobody\.registered"):
        read_method(method("DanglingService", "Dangling"), {})


def test_a_stream_of_requests_cannot_ask_for_a_relationship() -> None:
    with pytest.raises(ContractError, match="name no one resource"):
        read_method(method("AdriftService", "Adrift"), DEFINITION.relationships)


def test_a_server_does_not_start_with_either() -> None:
    class Unguarded(notes_pb2_grpc.UnguardedServiceServicer):
        @mark
        def Forgotten(self, request: Any, context: Any) -> Any:
            return request

    registry = Registry(DEFINITION, lambda token: pytest.fail("asked for a token"))
    with pytest.raises(ContractError):
        notes_pb2_grpc.add_UnguardedServiceServicer_to_server(Unguarded(), registry)


def test_a_method_that_asks_no_relationships_is_not_served() -> None:
    read = read_method(method("NoteService", "Wait"), {})
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    with pytest.raises(ContractError, match="@mutation, @query, @query_stream, @watch or @exchange"):
        intercept(read, handler, ())


def test_a_method_that_takes_a_stream_and_says_only_at_the_end_what_came_of_it_is_not_served() -> None:
    read = read_method(method("NoteService", "Wait"), {})
    handler = grpc.stream_unary_rpc_method_handler(lambda requests, context: None)
    with pytest.raises(ContractError, match="streams requests"):
        intercept(read, handler, ())


def test_handlers_must_cover_the_contract() -> None:
    registry = Registry(DEFINITION, lambda token: pytest.fail("asked for a token"))
    notes_pb2_grpc.add_NoteServiceServicer_to_server(NoteApi(None), registry)  # type: ignore[arg-type]
    assert set(registry.services) == {"waymark.testing.v1.NoteService"}
    with pytest.raises(ContractError, match="other methods"):
        registry.add_registered_method_handlers("waymark.testing.v1.NoteService", {})


def test_an_unknown_service_is_named() -> None:
    with pytest.raises(LookupError, match="catalogue, vouchers, portfolio"):
        load_service("wizardry")
    assert isinstance(DEFINITION, ServiceDefinition)
