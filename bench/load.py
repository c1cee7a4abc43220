"""Load over gRPC from client processes of their own: a rate and latencies that the server's process did not
help with.

Callers send ready-made bytes and leave answers unparsed, so that on a small machine the clients take as
little as they can from the server they measure.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import grpc

from bench import light


@dataclass(frozen=True)
class Caller:
    """One caller: a connection of its own (or several in turn, for `cheap` ones), one RPC, and the request
    bodies that it sends one after another."""

    address: str
    path: str
    bodies: Sequence[bytes]
    metadata: Sequence[tuple[str, str]] = ()
    connections: int = 1


@dataclass
class Load:
    """What came of it. `latencies` are in seconds, sorted, of calls answered OK; `together`: the seconds
    until the first caller had sent all it had, and `answered` how many calls were answered OK in them."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    together: float = 0.0
    answered: int = 0

    @property
    def rate(self) -> float:
        """Calls answered OK per second while all callers called. How the system spreads connections over the
        processes of a server makes some callers end early, and what the others do alone is another load."""
        return self.answered / self.together if self.together else 0.0

    def percentile(self, share: float) -> float:
        """Returns the latency in seconds that `share` (0 to 1) of the calls stay below."""
        if not self.latencies:
            return float("inf")
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]

    @property
    def p50(self) -> float:
        """Median latency in seconds."""
        return self.percentile(0.50)

    @property
    def p99(self) -> float:
        """99th percentile of the latency in seconds."""
        return self.percentile(0.99)


def run_load(
    callers: Sequence[Caller],
    *,
    processes: int = 2,
    seconds: float | None = None,
    warm: int = 5,
    timeout: float = 10.0,
    cheap: bool = False,
) -> Load:
    """Lets all callers send at once.

    With `seconds` each repeats its bodies until the time is over; without, each sends its bodies once. The
    first `warm` answers of each caller are not counted into the latencies' start time or number when
    repeating. `cheap`: callers that cost next to nothing (`light`) instead of gRPC's own library.
    """
    client = light.run if cheap else _client
    shares = [callers[index::processes] for index in range(processes)]
    total, moments = Load(), list[list[float]]()
    for took, latencies, errors, answers in spread(client, shares, seconds, warm if seconds else 0, timeout):
        total.seconds = max(total.seconds, took)
        total.latencies += latencies
        total.errors += errors
        moments += answers
    total.latencies.sort()
    ends = [each[-1] for each in moments if each]
    total.together = total.seconds if seconds or not ends else min(ends)
    total.answered = sum(bisect_right(each, total.together) for each in moments)
    return total


def spread(client: Callable[..., None], shares: Sequence[Sequence[Any]], *more: Any) -> list[Any]:
    """Gives each share that is not empty to a process of its own, which runs `client(share, gate, results,
    *more)`: it waits at the gate until all are ready, and puts one result. Returns the results."""
    shares = [share for share in shares if share]
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(len(shares) + 1)
    results: Any = context.Queue()
    workers = [
        context.Process(target=client, args=(share, gate, results, *more), daemon=True) for share in shares
    ]
    for worker in workers:
        worker.start()
    gate.wait(timeout=60)
    found = [results.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join(timeout=10)
    return found


def _client(
    callers: Sequence[Caller], gate: Any, results: Any, seconds: float | None, warm: int, timeout: float
) -> None:
    """One client process: a thread per caller, which all start when every process is connected."""
    local = threading.Barrier(len(callers) + 1)
    taken: list[tuple[list[float], Counter[str], list[float]]] = []
    threads = [
        threading.Thread(target=_caller, args=(caller, local, taken, seconds, warm, timeout), daemon=True)
        for caller in callers
    ]
    for thread in threads:
        thread.start()
    local.wait()  # connected and warm
    gate.wait()
    started = time.perf_counter()
    local.wait()  # go
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    latencies = [latency for found, _, _ in taken for latency in found]
    errors: Counter[str] = sum((count for _, count, _ in taken), Counter())
    results.put((took, latencies, errors, [[end - started for end in ends] for _, _, ends in taken]))


def _caller(
    caller: Caller,
    local: threading.Barrier,
    taken: list[Any],
    seconds: float | None,
    warm: int,
    timeout: float,
) -> None:
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(caller.address, options=options) as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        call: Any = channel.unary_unary(caller.path)
        for body in caller.bodies[:warm]:
            _send(call, body, caller.metadata, timeout)
        latencies: list[float] = []
        errors: Counter[str] = Counter()
        answers: list[float] = []
        local.wait()
        local.wait()
        end = time.perf_counter() + seconds if seconds else float("inf")
        for body in cycle(caller.bodies) if seconds else caller.bodies:
            started = time.perf_counter()
            if started >= end:
                break
            code = _send(call, body, caller.metadata, timeout)
            if code:
                errors[code] += 1
            else:
                answers.append(time.perf_counter())
                latencies.append(answers[-1] - started)
        taken.append((latencies, errors, answers))


def _send(call: Any, body: bytes, metadata: Sequence[tuple[str, str]], timeout: float) -> str:
    try:
        call(body, metadata=metadata, timeout=timeout)
    except grpc.RpcError as error:
        return str(error.code().name)
    return ""
