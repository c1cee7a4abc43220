"""Calls that run many at a time on one thread, so that those who wait for the database can wait together.

A thread per call costs a change of threads whenever a call is handed over, waits or is woken, and in a busy
process each change also waits for the interpreter. Here one thread takes every call that has arrived, runs
each until it is answered or ready to join the others (`join`), serves all that joined at once, and then lets
each go on. Calls are greenlets (https://greenlet.readthedocs.io): they change places only where they say so.

What would keep the others waiting goes to a worker thread (`aside`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
W = TypeVar("W")

MOMENT = 0.001  # seconds that a round waits for the next of the calls that are on their way


class Gathering(ThreadPoolExecutor, Generic[W]):
    """Takes calls as an executor does. It is a ThreadPoolExecutor because gRPC accepts nothing else; the
    threads of one are never started."""

    def __init__(self, serve: Callable[[list[W]], object], lend: Callable[..., Future[Any]]) -> None:
        """`serve` is given what has joined since it was called last; it must not raise. `lend` has a function
        run on some other thread, with its arguments, for what calls do aside."""
        super().__init__(1)
        self._serve = serve
        self._lend = lend
        self._arrived: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._ended = False
        self.expected = 0  # calls that wait on a PatientCondition
        self._joined: list[tuple[greenlet, W]] = []
        self._idle: list[greenlet] = []  # as many as there were calls at a time
        self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Takes a call; the future ends with it."""
        ended: Future[T] = Future()

        def call() -> None:
            try:
                ended.set_result(fn(*args, **kwargs))
            except BaseException as error:  # an executor hands every error to its future
                ended.set_exception(error)

        self._arrived.put(partial(self._begin, call))
        return ended

    def _begin(self, call: Callable[[], None]) -> None:
        (self._idle.pop() if self._idle else greenlet(self._take_turns)).switch(call)

    def _take_turns(self, call: Callable[[], None] | None) -> None:
        """Runs a call, then those that it is handed: the stack of a greenlet that ends is given back to the
        system, for which every thread has to stop."""
        while call is not None:
            call()
            self._idle.append(getcurrent())
            call = self.let_others()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the thread after the calls that have arrived."""
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        self._arrived.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        _here.gathering = self
        while self._joined or not self._ended:
            if not self._joined:
                self._go_on(self._arrived.get())
            self._take_arrived()
            joined, self._joined = self._joined, []
            if joined:
                self._serve([work for _, work in joined])
                for call, _ in joined:
                    call.switch()
        for idle in self._idle:
            idle.switch(None)

    def _take_arrived(self) -> None:
        """Waits a moment for those whose requests are on their way; together they cost less."""
        with suppress(Empty):
            while not self._ended:
                self._go_on(self._arrived.get(timeout=MOMENT if self.expected else 0))

    def _go_on(self, call: Callable[[], object] | None) -> None:
        if call is None:
            self._ended = True
        else:
            call()

    def resume(self, go_on: Callable[[], object]) -> None:
        """Has a waiting call (the `switch` of its greenlet) go on, soon. From any thread."""
        self._arrived.put(go_on)

    def let_others(self) -> Any:
        """Leaves the thread to the others until something makes this call go on, and returns what that hands
        over."""
        hub = getcurrent().parent
        assert hub is not None
        return hub.switch()

    def wait_for(self, work: W) -> None:
        """Returns when `serve` has been given `work`. For `join`."""
        self._joined.append((getcurrent(), work))
        self.let_others()

    def wait_aside(self, fn: Callable[[], T]) -> T:
        """Returns what `fn` does on a worker thread. For `aside`."""
        go_on = getcurrent().switch
        future = self._lend(copy_context().run, fn)
        future.add_done_callback(lambda _: self.resume(go_on))
        self.let_others()
        found: T = future.result()
        return found


class PatientCondition(threading.Condition):
    """A condition on which a call of a gathering waits while the others go on. Hold it once, not twice."""

    def __init__(self, gathering: Gathering[Any]) -> None:
        super().__init__()
        self._gathering = gathering
        self._waiting: list[Callable[[], object]] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the next `notify_all`; `timeout` (seconds) holds on other threads only."""
        if _here.gathering is None:
            return super().wait(timeout)
        self._waiting.append(getcurrent().switch)
        self.release()
        self._gathering.expected += 1
        self._gathering.let_others()
        self._gathering.expected -= 1
        self.acquire()
        return True

    def notify_all(self) -> None:
        """Lets everybody go on who waits."""
        super().notify_all()
        waiting, self._waiting = self._waiting, []
        for go_on in waiting:
            self._gathering.resume(go_on)


class _Here(threading.local):
    gathering: Gathering[Any] | None = None


_here = _Here()


def join(work: object) -> bool:
    """Waits until `work` has been served together with that of other calls; False, and nothing was done,
    for a caller that is not in a gathering."""
    if _here.gathering is None:
        return False
    _here.gathering.wait_for(work)
    return True


def aside(fn: Callable[[], T]) -> T:
    """Returns what `fn` returns, or raises what it raises; in a gathering it runs on a worker thread, so that
    the others go on. For whatever may wait: another transaction, a lock, the network."""
    return fn() if _here.gathering is None else _here.gathering.wait_aside(fn)
