"""Decorators that make a servicer method out of (self, tx, request) → response.

Each opens exactly one transaction, asks the relationships of the policy in it, and commits or rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Protocol, TypeVar, overload

import grpc
from google.protobuf.message import Message

from services.platform.app import App
from services.platform.db.transaction import Transaction, transaction


class Servicer(Protocol):
    """What the decorators need of the object that methods belong to."""

    @property
    def app(self) -> App:
        """The app of this process."""


S = TypeVar("S", bound=Servicer)
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Written = Callable[[S, Transaction, Q], A]
Served = Callable[[S, Q, grpc.ServicerContext], A]


@overload
def mutation(method: Written[S, Q, A], /) -> Served[S, Q, A]: ...
@overload
def mutation(*, answer_stored: bool = True) -> Callable[[Written[S, Q, A]], Served[S, Q, A]]: ...
def mutation(method: Any = None, /, *, answer_stored: bool = True) -> Any:
    """One read-write transaction: claims `request_id`, asks relationships, runs the method, commits.

    The same `request_id` with the same body gets the stored answer, with another body
    Refusal(REQUEST_ID_REUSED). `answer_stored=False`: a repeat is refused, because the answer holds a secret
    shown once. `validate_only` in the request rolls everything back after the method has answered.
    """
    if method is None:
        return lambda written: mutation_of(written, answer_stored)
    return mutation_of(method, answer_stored)


def mutation_of(method: Any, answer_stored: bool) -> Any:
    """Returns the served form of a mutation."""

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        with transaction(self.app, call.principal, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            return method(self, tx, request)

    return mark(served)


def query(method: Written[S, Q, A], /) -> Served[S, Q, A]:
    """One read-only transaction around the method."""

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            return method(self, tx, request)

    marked: Served[S, Q, A] = mark(served)
    return marked


def query_stream(
    method: Callable[[S, Transaction, Q], Iterator[A]], /
) -> Callable[[S, Q, grpc.ServicerContext], Iterator[A]]:
    """One read-only transaction around the whole stream, which may use server-side cursors."""

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            yield from method(self, tx, request)

    marked: Callable[[S, Q, grpc.ServicerContext], Iterator[A]] = mark(served)
    return marked


def mark(served: Any) -> Any:  # the decorators' own signatures carry the types
    """Marks a method as one that asks relationships; the server refuses to start with any other."""
    served.asks_relationships = True
    return served
