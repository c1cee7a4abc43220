"""Worker threads that know how busy they are, and the refusal of calls they could not start soon."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import grpc
from grpc._server import _RPCState
from waymark.errors.v1 import reason_pb2

from services.platform.db.groups import Work
from services.platform.errors import Refusal
from services.platform.gathering import Gathering, PatientCondition
from services.platform.rpc.status import answer_of
from services.platform.telemetry import metrics

T = TypeVar("T")

RETRY_AFTER = timedelta(milliseconds=250)
# Seconds in which a call that has to queue must probably be answered; the slowest take longer.
PATIENCE = 0.12
# Answered beside the workers, however many wait: health, and what the edge asks before it sends a call.
BESIDE = ("/grpc.health.v1.", "/envoy.service.auth.v3.")
LONGEST = 0.5  # seconds of a call that count: a stream of minutes says nothing about the next call
LATELY = 0.1  # weight of the newest call in how long calls take
# Runs what must be answered while every worker is taken: refusals and health checks. Both take microseconds.
ASIDE = ThreadPoolExecutor(2, thread_name_prefix="aside")


class Load:
    """Counts calls that run and calls that wait. `limit`: as many as are taken."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.busy = 0
        self._counting = threading.Lock()

    def count(self, call: Future[Any]) -> Future[Any]:
        """Counts a call from here until it has been answered."""
        with self._counting:
            self.busy += 1
        call.add_done_callback(self._answered)
        return call

    def _answered(self, _: Future[Any]) -> None:
        with self._counting:
            self.busy -= 1


class Workers(ThreadPoolExecutor):
    """Runs a call on each of `threads` threads."""

    def __init__(self, threads: int, load: Load) -> None:
        super().__init__(threads, thread_name_prefix="rpc")
        self._load = load
        self._pace = 0.0  # seconds that calls take on their thread lately

    @property
    def expected(self) -> float:
        """Seconds until a call that came now behind others would be answered, by how long those take lately;
        0 when none waits for a thread."""
        waiting = self._work_queue.qsize()
        return (1 + waiting / self._max_workers) * self._pace if waiting else 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queues a call."""
        return self._load.count(self.lend(fn, *args, **kwargs))

    def lend(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queues a part of a call that is counted already."""
        return super().submit(self._timed, fn, *args, **kwargs)

    def _timed(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        started = time.monotonic()
        try:
            return fn(*args, **kwargs)
        finally:
            took = min(time.monotonic() - started, LONGEST)
            self._pace += LATELY * (took - self._pace)  # threads may miss each other's word: it is a guess


class Gathered(Gathering[Work]):
    """Runs many calls on one thread: those that share transactions, and those that only compute."""

    def __init__(
        self, serve: Callable[[list[Work]], None], workers: Workers, load: Load, *, processes: int
    ) -> None:
        """`processes`: of this server. With fewer than the machine has processors, what computes gets
        threads, to use them all."""
        super().__init__(serve, workers.lend)
        self._load = load
        self._takes_computing = processes >= processors()

    def takes(self, behaviour: Any) -> bool:
        """True for a method whose calls are to be run here."""
        gathers = getattr(behaviour, "gathers", False)
        return bool(gathers or (self._takes_computing and getattr(behaviour, "computes", False)))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queues a call."""
        # A call waits for its message on the condition of its state, which gRPC keeps to itself; one that
        # never sends it must not hold up all.
        state = next(argument for argument in args if isinstance(argument, _RPCState))
        state.condition = PatientCondition(self)
        return self._load.count(super().submit(fn, *args, **kwargs))


class Shedding(grpc.ServerInterceptor):
    """Refuses calls at once when all threads and queue places are taken, or when behind those that wait
    already an answer would take more than `patience` seconds: how many that is depends on what is asked for.

    A queue that may grow answers everybody late: each call then waits for all before it, callers give up, and
    the work done is for nobody. What is answered `BESIDE` passes.
    """

    def __init__(self, load: Load, workers: Workers, patience: float = PATIENCE) -> None:
        self._load = load
        self._workers = workers
        self._patience = patience
        answer = answer_of(Refusal(reason_pb2.REASON_OVERLOADED, retry_after=RETRY_AFTER))

        def refuse(_: bytes, context: grpc.ServicerContext) -> Any:
            metrics.RPC_SHED.inc()
            context.abort_with_status(answer)

        # grpcio runs a behaviour on the pool it names; without this the refusal would queue behind the work.
        refuse.experimental_thread_pool = ASIDE  # type: ignore[attr-defined]
        self._refusing: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(refuse)

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Called by grpcio on its polling thread before the call takes a worker."""
        full = self._load.busy >= self._load.limit or self._workers.expected > self._patience
        if full and not details.method.startswith(BESIDE):
            return self._refusing
        return continuation(details)


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
