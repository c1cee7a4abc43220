"""What a client finds on the wire beside the calls: reflection, limits, traces."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from sqlalchemy import event

from services.platform.rpc import body
from tests.support import notes
from tests.support.notes import NoteServiceStub, notes_pb2
from tests.support.parts import CHECKOUT
from tests.support.servers import Served, token

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EXPORTS = """
import sys
from services.platform.telemetry import tracing
tracing.export_spans("vouchers", sys.argv[1])
span = tracing.start_span("NoteService/CreateNote", sys.argv[2])
print(span.context.traceparent)
span.end("INTERNAL")
"""


@pytest.fixture
def served(serve: Any, database: Any) -> Served:
    return serve(notes.DEFINITION, database.clone("testing", "2", notes.build).url)


def test_reflection_lists_the_services(served: Served) -> None:
    stub = served.stub(reflection_pb2_grpc.ServerReflectionStub)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (answer,) = stub.ServerReflectionInfo(asked)
    names = {service.name for service in answer.list_services_response.service}
    assert names >= {"waymark.testing.v1.NoteService", "grpc.health.v1.Health"}


def test_what_is_larger_than_grpc_takes_in_is_not_read(served: Served) -> None:
    stub = served.stub(NoteServiceStub, token("learner"))
    with pytest.raises(grpc.RpcError) as caught:
        stub.CreateNote(notes_pb2.CreateNoteRequest(text="x" * body.MAX_RECEIVED))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_rpc_that_is_not_in_the_contract_is_unimplemented(served: Served) -> None:
    with grpc.insecure_channel(served.address) as channel:
        call: Any = channel.unary_unary("/waymark.testing.v1.NoteService/Wish")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_two_authorization_headers_are_refused(served: Served) -> None:
    good = f"Bearer {token('learner')}"
    stub = served.stub(NoteServiceStub)
    with pytest.raises(grpc.RpcError) as caught:
        stub.CreateNote(
            notes_pb2.CreateNoteRequest(text="a"),
            metadata=[("authorization", good), ("authorization", good)],
        )
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(("asked", "low", "high"), [(None, 5_000, 10_000), (3_600, 50_000, 60_000)])
def test_no_deadline_becomes_the_default_in_the_database_and_a_long_one_is_cut(
    served: Served, tmp_path: Path, asked: float | None, low: int, high: int
) -> None:
    with (tmp_path / "trace").open("wb") as trace:
        event.listen(
            served.app.engine, "connect", lambda connection, _: connection.pgconn.trace(trace.fileno())
        )
        served.app.engine.dispose()
        served.stub(NoteServiceStub).Wait(notes_pb2.WaitRequest(), timeout=asked)
        served.app.engine.dispose()
    bound = re.search(rb"Bind.*waymark_now_and_limit.* '(\d+)'", (tmp_path / "trace").read_bytes())
    assert bound is not None
    assert low <= int(bound[1]) <= high


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """An OpenTelemetry collector that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()


def test_spans_reach_a_collector_when_one_is_named() -> None:
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = subprocess.run(
        [sys.executable, "-c", EXPORTS, f"http://127.0.0.1:{port}", PARENT],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    server.stop(0).wait()
    (span,) = collector.spans
    assert span.name == "NoteService/CreateNote"
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert done.stdout.strip() == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert span.status.code == 2


def test_the_sdk_is_not_loaded_without_a_collector() -> None:
    code = (
        "import sys, services.platform.rpc.worker\n"
        "from services.platform.telemetry.tracing import export_spans\n"
        "export_spans('vouchers', '')\n"
        "print('opentelemetry.sdk' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
