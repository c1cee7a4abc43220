"""A small gRPC service, its contract compiled on the spot: what the edge does, free of any domain."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from grpc_tools import protoc  # type: ignore[import-untyped]

PROTO = Path(__file__).resolve().parents[2] / "proto"
SOURCE = Path(__file__).resolve().parents[1] / "e2e" / "edge" / "probe.proto"


@dataclass(frozen=True)
class Probe:
    """The compiled contract: its descriptor set, message and stub modules."""

    descriptors: bytes
    messages: ModuleType
    stubs: ModuleType


def compile_probe(folder: Path) -> Probe:
    """Compiles probe.proto into `folder` and imports what comes out."""
    descriptors = folder / "probe.binpb"
    include = [
        f"-I{SOURCE.parent}",
        f"-I{PROTO}",
        f"-I{PROTO / 'vendor'}",
        f"-I{files('grpc_tools') / '_proto'}",
    ]
    outputs = [f"--python_out={folder}", f"--grpc_python_out={folder}", f"--descriptor_set_out={descriptors}"]
    with_imports = ["--include_imports", "--include_source_info"]
    code = protoc.main(["protoc", *include, *outputs, *with_imports, SOURCE.name])
    error_details = folder / "details.binpb"
    code |= protoc.main(
        [
            "protoc",
            *include,
            "--include_imports",
            f"--descriptor_set_out={error_details}",
            "google/rpc/error_details.proto",
        ]
    )
    assert code == 0
    messages = _load("probe_pb2", folder)
    # Sets are joined by concatenation: `file` is a repeated field.
    return Probe(
        descriptors.read_bytes() + error_details.read_bytes(), messages, _load("probe_pb2_grpc", folder)
    )


def _load(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def serve_probe(probe: Probe) -> tuple[grpc.Server, int]:
    """Starts the service on a free port; returns the server and its port."""
    response: Any = probe.messages.GreetResponse

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        metadata["seconds-left"] = str(context.time_remaining())
        return response(
            name=request.name, metadata=metadata, length=len(request.text), text=request.text[:20]
        )

    class Servicer:
        def Greet(self, request: Any, context: grpc.ServicerContext) -> Any:
            return answer(request, context)

        def Tell(self, request: Any, context: grpc.ServicerContext) -> Any:
            if request.name == "tellings/refuse":
                context.abort_with_status(rpc_status.to_status(refusal()))
            return answer(request, context)

        def Follow(self, request: Any, context: grpc.ServicerContext) -> Any:
            for _ in range(request.times):
                yield answer(request, context)

    server = grpc.server(ThreadPoolExecutor(4))
    probe.stubs.add_ProbeServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def refusal() -> status_pb2.Status:
    """A status with the details that services send."""
    info, bad = any_pb2.Any(), any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="WRONG_STATE", domain="waymark", metadata={"state": "HELD"}))
    violation = error_details_pb2.BadRequest.FieldViolation(field="name", description="must not be refuse")
    bad.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message="Refused.", details=[info, bad])
