"""Streams of requests: taken in chunks, each a transaction of its own and answered once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import grpc
from google.protobuf.message import Message

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.body import parsed
from services.platform.rpc.handlers import Servicer, mark, twice
from services.platform.rpc.interceptors.validation import violations_of

CHUNK = 500  # messages
CHUNK_BYTES = 4 << 20
S = TypeVar("S", bound=Servicer)
A = TypeVar("A", bound=Message)


class Received(NamedTuple):
    """A message of a stream: its number from 1, itself (None: it is no such message), what of it breaks the
    contract, and its size in bytes."""

    number: int
    request: Any
    violations: Sequence[Violation]
    size: int


def received(parse: Callable[[bytes], Any], bodies: Iterable[bytes]) -> Iterator[Received]:
    """Yields messages as they come; a bad one stops nothing."""
    for number, body in enumerate(bodies, 1):
        try:
            request = parsed(parse, body)
        except Refusal as refusal:
            yield Received(number, None, [Violation("", refusal.detail)], len(body))
        else:
            yield Received(number, request, violations_of(request, body), len(body))


def exchange(
    method: Callable[[S, Transaction, Sequence[Received], A | None], A], /
) -> Callable[[S, Any, grpc.ServicerContext], Iterator[A]]:
    """Makes a servicer method of (self, tx, chunk, answer before) → answer, for streams both ways.

    A chunk is CHUNK messages, CHUNK_BYTES, or what is left at the end; a stream without messages is one empty
    chunk. It is complete before its transaction begins, so none waits for a caller, and committed before it
    is answered. The first chunk has no answer before it.
    """

    def once(self: Any, chunk: Sequence[Received], before: A | None, call: Any) -> A:
        with transaction(self.app, call.principal, timeout=call.remaining()) as tx:
            return method(self, tx, chunk, before)

    @wraps(method)
    def served(self: Any, messages: Iterable[Received], call: Any) -> Iterator[A]:
        answer: A | None = None
        for chunk in chunks(messages):
            answer = twice(once, self, chunk, answer, call, repeatable=False)
            yield answer

    marked: Callable[[S, Any, grpc.ServicerContext], Iterator[A]] = mark(served)
    return marked


def chunks(messages: Iterable[Received]) -> Iterator[Sequence[Received]]:
    """Yields messages some at a time, the last ones perhaps fewer; at least one chunk."""
    chunk, size, first = list[Received](), 0, True
    for message in messages:
        chunk.append(message)
        size += message.size
        if len(chunk) >= CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size, first = [], 0, False
    if chunk or first:
        yield chunk
