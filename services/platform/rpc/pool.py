"""Worker threads that know how busy they are, and the refusal of calls they could not start soon."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import grpc
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.rpc.status import answer_of
from services.platform.telemetry import metrics

RETRY_AFTER = timedelta(milliseconds=250)
# Runs what must be answered while every worker is taken: refusals and health checks. Both take microseconds.
ASIDE = ThreadPoolExecutor(2, thread_name_prefix="aside")


class Workers(ThreadPoolExecutor):
    """Runs calls on `threads` threads. `busy` counts calls that run and calls that wait."""

    def __init__(self, threads: int, queue: int) -> None:
        super().__init__(threads, thread_name_prefix="rpc")
        self.limit = threads + queue
        self.busy = 0
        self._counting = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queues a call; counted from here until it has been answered."""
        with self._counting:
            self.busy += 1
            metrics.RPC_IN_FLIGHT.set(self.busy)
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[Any]) -> None:
        with self._counting:
            self.busy -= 1
            metrics.RPC_IN_FLIGHT.set(self.busy)


class Shedding(grpc.ServerInterceptor):
    """Refuses calls at once when all threads and queue places are taken.

    A queue that may grow answers everybody late: each call then waits for all before it, callers give up, and
    the work done is for nobody. Health checks pass.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        answer = answer_of(Refusal(reason_pb2.REASON_OVERLOADED, retry_after=RETRY_AFTER))

        def refuse(_: bytes, context: grpc.ServicerContext) -> Any:
            metrics.RPC_SHED.inc()
            context.abort_with_status(answer)

        # grpcio runs a behaviour on the pool it names; without this the refusal would queue behind the work.
        refuse.experimental_thread_pool = ASIDE  # type: ignore[attr-defined]
        self._refusing: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Called by grpcio on its polling thread before the call takes a worker."""
        if self._workers.busy >= self._workers.limit and not details.method.startswith("/grpc.health.v1."):
            return self._refusing
        return continuation(details)
