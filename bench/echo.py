"""An echo RPC behind the same server, interceptors, threads and processes as a real service.

`with echo_server(environ) as address:` starts it as processes of its own; `environ` holds the WAYMARK_…
settings of the service it is compared with, and WAYMARK_ECHO_DATABASE_URL. Run as a program it is one server
process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.rpc import worker
from services.platform.rpc.handlers import mark, mutation
from services.platform.service import ServiceDefinition
from tests.support.protos import compile_proto

ROOT = Path(__file__).resolve().parents[1]
ECHO = "/waymark.bench.v1.EchoService/Echo"
TOUCH = "/waymark.bench.v1.EchoService/Touch"

echo_pb2, echo_pb2_grpc = compile_proto(Path(__file__).parent, "echo")


class EchoApi(echo_pb2_grpc.EchoServiceServicer):  # type: ignore[misc,name-defined]
    """Servicer of EchoService."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mark  # no relationship to ask for and no transaction to ask it in
    def Echo(self, request: Any, _: object) -> Any:
        """Answers the request."""
        return request

    @mutation
    def Touch(self, _: Transaction, request: Any) -> Any:
        """Answers the request from inside a transaction."""
        return request


DEFINITION = ServiceDefinition(
    name="echo",
    app=App,
    servicers=[(echo_pb2_grpc.add_EchoServiceServicer_to_server, EchoApi)],
    relationships={},
    reactions={},
)


def body(text: str = "", request_id: str = "") -> bytes:
    """Returns a serialized request of either RPC."""
    serialized: bytes = echo_pb2.EchoMessage(text=text, request_id=request_id).SerializeToString()
    return serialized


@contextmanager
def echo_server(environ: Mapping[str, str]) -> Iterator[str]:
    """Runs the echo service with these settings; yields its address (WAYMARK_LISTEN)."""
    with running([sys.executable, "-m", "bench.echo", "echo"], environ) as (address, _):
        yield address


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Runs a server until its block ends; yields its address (WAYMARK_LISTEN) and its process's number."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    try:
        wait_serving(environ["WAYMARK_LISTEN"])
        yield environ["WAYMARK_LISTEN"], process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_serving(address: str, seconds: float = 30) -> None:
    """Waits until a server answers health checks; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with grpc.insecure_channel(address) as channel:
            try:
                health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
            except grpc.RpcError:
                time.sleep(0.1)
            else:
                return
    raise TimeoutError(f"nothing answers at {address}")


def main() -> int:
    """Serves with one process or, as services do, with WAYMARK_PROCESSES."""
    from services.platform.rpc import supervisor
    from services.platform.settings import Settings

    settings = Settings.from_environment("echo")
    if settings.processes > 1 and supervisor.PARENT_PIPE not in os.environ:
        supervisor.command = lambda service: [sys.executable, "-m", "bench.echo", service]
        return supervisor.run_server(settings)
    return worker.main(lambda _: DEFINITION)


if __name__ == "__main__":
    os._exit(main())
