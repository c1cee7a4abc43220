"""The synchronous gRPC server of one process: what it serves, how much it takes on, how it goes away."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import grpc
import structlog
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection
from waymark.edge.v1.admission_pb2_grpc import add_AuthorizationServicer_to_server

from services.platform.db.groups import Groups
from services.platform.rpc.admission import Admission
from services.platform.rpc.body import MAX_RECEIVED
from services.platform.rpc.health import Health
from services.platform.rpc.interceptors.identity import Verify
from services.platform.rpc.method import ContractError, read_method
from services.platform.rpc.pipeline import checks, intercept
from services.platform.rpc.pool import PATIENCE, Gathered, Load, Shedding, Workers
from services.platform.rpc.streams import Streams

if TYPE_CHECKING:
    from services.platform.app import App
    from services.platform.service import ServiceDefinition

QUEUE = 3  # calls per thread that may wait; more would wait longer than they are worth
MAX_RESPONSE = 8 << 20  # bytes
NOTICE = 0.5  # seconds between saying NOT_SERVING and closing the door, so that balancers can look away
GRACE = 20.0  # seconds for calls under way
_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", MAX_RECEIVED),
    ("grpc.max_send_message_length", MAX_RESPONSE),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.max_concurrent_streams", 256),
    # Dead peers go 10 s after the ping that follows 30 s of silence; peers that ping like mad are sent away.
    # Without this timeout gRPC waits a minute, whatever `grpc.keepalive_timeout_ms` says.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 3),
    # Long-lived connections of a balancer spread again over processes that were started later.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 660_000),
)

_log = structlog.get_logger()


class Server:
    """Serves one service definition in this process."""

    def __init__(
        self,
        definition: ServiceDefinition,
        app: App,
        verify: Verify,
        *,
        listen: str,
        shared_port: bool = False,
        queue: int = QUEUE,
        shed: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        """Registers everything; opens the port.

        `shared_port`: other processes listen on the same port (SO_REUSEPORT). `patience`: seconds in which a
        call that has to queue must probably be answered. Raises ContractError for an RPC that has no usable
        policy, OSError when the port is taken.
        """
        self._definition = definition
        self._app = app
        threads = app.settings.threads
        self.load = Load((1 + queue) * threads)
        self._workers = Workers(threads, self.load)
        self._gathered = Gathered(
            Groups(app.engine).serve, self._workers, self.load, processes=app.settings.processes
        )
        self._grpc = grpc.server(
            self._workers,
            interceptors=[Shedding(self.load, self._workers, patience)] if shed else [],
            options=[*_OPTIONS, ("grpc.so_reuseport", int(shared_port))],
        )
        self._streams = Streams(threads)
        registry = Registry(definition, verify, self._gathered, self._streams)
        for add, make in definition.servicers:
            add(make(app), cast(grpc.Server, registry))
        registry.serve_on(self._grpc)
        if definition.admits:
            add_AuthorizationServicer_to_server(Admission(definition.admits(app)), self._grpc)
        self.names = sorted(registry.services)
        self.health = Health(app.engine.url, self.names, busy=lambda: self.load.busy)
        self.port = _bind(self._grpc, listen)
        self._stopping = threading.Event()
        self._background = [
            threading.Thread(target=run, args=(app, self._stopping), name=f"background-{index}", daemon=True)
            for index, run in enumerate(definition.background)
        ]

    def start(self) -> None:
        """Starts to answer."""
        self.health.start(self._grpc)
        names = (*self.names, "grpc.health.v1.Health", reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._grpc)
        for thread in self._background:
            thread.start()
        self._grpc.start()
        _log.info("serving", port=self.port, threads=self._app.settings.threads)

    def drain(self, notice: float = NOTICE, grace: float = GRACE) -> None:
        """Says NOT_SERVING, after `notice` seconds takes no new calls, lets the others end within `grace`; a
        stream that waits for something to tell ends at once."""
        _log.info("draining")
        self.health.stop()
        self._stopping.wait(notice)
        self._streams.ending.set()
        self._grpc.stop(grace).wait()
        self._stopping.set()
        for thread in self._background:
            thread.join(timeout=grace)
        for pool in (self._gathered, self._workers, self._streams.watchers):
            pool.shutdown(wait=False)
        _log.info("stopped")


class Registry:
    """Stands in for grpc.Server while servicers are added; puts the interceptors around each method."""

    def __init__(
        self,
        definition: ServiceDefinition,
        verify: Verify,
        gathered: Gathered | None = None,
        streams: Streams | None = None,
    ) -> None:
        self._definition = definition
        self._gathered = gathered
        self._streams = streams
        self._checks = checks(verify)
        self.services: dict[str, dict[str, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Part of the generated code's interface; the registered handlers say the same."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Takes the handlers of one service; raises ContractError when the contract does not cover one."""
        described = descriptor_pool.Default().FindServiceByName(service)
        if set(handlers) != set(described.methods_by_name):
            raise ContractError(f"{service} serves other methods than its contract names.")
        self.services[service] = {
            name: intercept(
                read_method(described.methods_by_name[name], self._definition.relationships),
                handler,
                self._checks,
                self._gathered,
                self._streams,
            )
            for name, handler in handlers.items()
        }

    def serve_on(self, server: grpc.Server) -> None:
        """Registers the intercepted handlers."""
        for service, handlers in self.services.items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
            server.add_registered_method_handlers(service, handlers)


def _bind(server: grpc.Server, listen: str) -> int:
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise OSError(f"Cannot listen on {listen}; another process has the port.") from error
    if not port:
        raise OSError(f"Cannot listen on {listen}.")
    return port
