"""Streams that tell what is new: each answer of a short transaction of its own, so that none stays open while
nothing happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import Servicer, mark, reading, twice

PAUSE = 0.5  # seconds between looks while nothing is new
ALIVE = 15.0  # seconds of silence at most
SPARED = 5.0  # seconds before the deadline, so that the stream ends and is not cut off
S = TypeVar("S", bound=Servicer)
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


def watch(
    method: Callable[[S, Transaction, Q, A | None], tuple[A, bool]], /
) -> Callable[[S, Q, grpc.ServicerContext], Iterator[A]]:
    """Makes a servicer method of (self, tx, request, answer before) → (answer, whether it tells anything).

    The first call has no answer before it. An answer that tells nothing is sent only after ALIVE seconds of
    silence. The stream goes on for the `follow_seconds` of the request, as far as its deadline and the life
    of this server let it, and ends when all that was there then is told.
    """
    once = reading(method)

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Iterator[A]:
        end = min(call.started + request.follow_seconds, call.deadline - SPARED)
        answer, sent = None, -ALIVE
        while True:
            answer, tells = twice(once, self, request, call, answer, repeatable=True)
            now = time.monotonic()
            over = not tells and (now >= end or call.ending.is_set() or not call.context.is_active())
            if tells or now - sent >= ALIVE:
                yield answer
                sent = time.monotonic()
            if over:
                return
            if not tells:
                call.ending.wait(min(PAUSE, max(0.0, end - now)))

    marked: Callable[[S, Q, grpc.ServicerContext], Iterator[A]] = mark(served, watches=True)
    return marked
