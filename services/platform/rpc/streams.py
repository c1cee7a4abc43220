"""Places for streams, whose callers keep a thread for as long as they like to send, read or be told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from google.protobuf.message import Message
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.identity.networks import network_of
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from services.platform.rpc.call import Call

M = TypeVar("M", bound=Message)

PER_STREAM = 4  # worker threads for one stream that sends or takes what there is
SHARE = 2  # callers at least that hold the places of such streams when all are taken
WATCHED_SHARE = 4  # and those of streams that wait for news
RETRY_AFTER = timedelta(seconds=1)
# Who has been waited for so long, at once or in all and then slower than this, gives way to who has no place.
WAITED = 30.0  # seconds
SLOWEST = 16 << 10  # bytes a second of them

_log = structlog.get_logger()


class Streams:
    """The streams of one server.

    Those that wait for news mostly sleep: they have `watchers`, threads and places of their own, and keep
    none from others. `ending` is set when the server goes: they then end by themselves.
    """

    def __init__(self, threads: int = 1) -> None:
        """`threads`: workers of the server; as many streams again may wait for news."""
        self.ending = threading.Event()
        self.moving = Places(max(1, threads // PER_STREAM), SHARE)
        self.watching = Places(threads, WATCHED_SHARE)
        self.watchers = ThreadPoolExecutor(threads + 1, thread_name_prefix="watch")  # one refuses the others


class Places:
    """Some places, of which no caller holds more than a share as long as that leaves it one."""

    def __init__(self, count: int, share: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`share`: places for one caller are `count` by this number; `clock` tells seconds."""
        self._count = count
        self._each = max(1, count // share)
        self._clock = clock
        self._held: set[Held] = set()
        self._changing = threading.Lock()

    @contextmanager
    def place(self, call: Call) -> Iterator[Held]:
        """Holds a place; raises Refusal(OVERLOADED) when all are taken, or all that this caller may hold.

        Before that, the stream of a caller who hardly reads or sends is cancelled for it.
        """
        held = Held(caller_of(call), call, self._clock)
        with self._changing:
            own = [other for other in self._held if other.caller == held.caller]
            rivals = own if len(own) >= self._each else self._held
            full = len(self._held) >= self._count or rivals is own
            slow = next((other for other in rivals if other.slow()), None) if full else None
            if slow:
                self._held.discard(slow)
            if not full or slow:
                self._held.add(held)
        if slow:
            _log.warning("slow_stream_cancelled", method=slow.call.method.name)
            slow.call.context.cancel()
        elif full:
            metrics.RPC_SHED.inc()
            raise Refusal(reason_pb2.REASON_OVERLOADED, retry_after=RETRY_AFTER)
        try:
            yield held
        finally:
            with self._changing:
                self._held.discard(held)


class Held:
    """A place of `caller`, and how long its stream has waited for that caller."""

    def __init__(self, caller: str, call: Call, clock: Callable[[], float]) -> None:
        self.caller = caller
        self.call = call
        self._clock = clock
        self._since: float | None = None  # waiting for the caller from then on
        self._waited = 0.0
        self._moved = 0

    def slow(self) -> bool:
        """True where the caller has been waited for long, and nothing or little came of it."""
        since, waited = self._since, self._waited  # of another thread, one after the other: it is a guess
        at_once = self._clock() - since if since is not None else 0.0
        waited += at_once
        return at_once >= WAITED or (waited >= WAITED and self._moved < waited * SLOWEST)

    def sending(self, answers: Iterable[M]) -> Iterator[M]:
        """Yields answers; counts the time until each has been taken."""
        for answer in answers:
            self._since = self._clock()
            yield answer
            self._moves(answer.ByteSize())

    def receiving(self, bodies: Iterable[bytes]) -> Iterator[bytes]:
        """Yields what comes; counts the time until it is there."""
        self._since = self._clock()
        for body in bodies:
            self._moves(len(body))
            yield body
            self._since = self._clock()
        self._moves(0)

    def _moves(self, size: int) -> None:
        since, self._since = self._since, None
        self._waited += self._clock() - since if since is not None else 0.0
        self._moved += size


def caller_of(call: Call) -> str:
    """Who holds a place: the principal, else the address that the edge saw, an IPv6 one by its /64, of which
    one customer has many. Who has neither shares with all of them."""
    return call.principal.subject or network_of(call.address)
