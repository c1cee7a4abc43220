"""Decorators that make a servicer method out of (self, tx, request) → response.

Each opens exactly one transaction, asks the relationships of the policy in it, and commits or rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps
from typing import Any, Protocol, TypeVar, overload

import grpc
import psycopg
from google.protobuf.message import Message
from sqlalchemy.exc import DBAPIError
from waymark.errors.v1 import reason_pb2

from services.platform.app import App
from services.platform.db import groups, requests
from services.platform.db.groups import Work
from services.platform.db.requests import Claiming
from services.platform.db.transaction import Transaction, may_idle, transaction
from services.platform.db.wire import Call
from services.platform.errors import Refusal
from services.platform.gathering import aside
from services.platform.telemetry import metrics


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
Ahead = Callable[[Any], Sequence[Call]]  # what of a request's statements can be sent with BEGIN


@overload
def mutation(method: Written[S, Q, A], /) -> Served[S, Q, A]: ...
@overload
def mutation(
    *, answer_stored: bool = True, ahead: Ahead | None = None
) -> Callable[[Written[S, Q, A]], Served[S, Q, A]]: ...
def mutation(method: Any = None, /, *, answer_stored: bool = True, ahead: Ahead | None = None) -> Any:
    """One read-write transaction: claims `request_id`, asks relationships, runs the method, commits.

    The same `request_id` with the same body gets the stored answer, with another body
    Refusal(REQUEST_ID_REUSED). `answer_stored=False`: a repeat is refused, because the answer holds a secret
    shown once. `validate_only` in the request rolls everything back after the method has answered.

    `ahead` returns locks (`wire.locking`) that the method is going to take, to travel in the message of the
    BEGIN: the method takes them by `tx.rows` as ever, and is spared the round trip. Such calls with a request
    id share a transaction with others that wait at the same moment (`db.groups`).
    """
    if method is None:
        return lambda written: _mutation(written, answer_stored, ahead)
    return _mutation(method, answer_stored, ahead)


def _mutation(method: Any, answer_stored: bool, ahead: Ahead | None) -> Any:
    def work(self: Any, tx: Transaction, request: Any, call: Any, claiming: Claiming | None) -> Any:
        if claiming:
            claim = claiming.claimed(tx.opening)
            if not claim.fresh:
                return _repeated(self.app, tx, request, claim.answer, call)
        call.resolve(request, tx.connection)
        response = method(self, tx, request)
        if call.method.can_only_validate and request.validate_only:
            raise _OnlyValidated(response)
        if claiming and answer_stored:
            tx.keep_answer(claiming, self.app.seal_answer(tx, request, response.SerializeToString()))
        return response

    def once(self: Any, request: Any, call: Any, claiming: Claiming | None, locks: Sequence[Call]) -> Any:
        opening = requests.claim([claiming]) if claiming else None
        left = call.remaining()
        with transaction(self.app, call.principal, timeout=left, opening=opening, ahead=locks) as tx:
            return work(self, tx, request, call, claiming)

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        claiming = _claiming(self.app, request, call)
        locks = ahead(request) if ahead else ()

        def alone() -> Any:
            return twice(once, self, request, call, claiming, locks, repeatable=claiming is not None)

        try:
            if claiming and locks:
                share = partial(work, self, request=request, call=call, claiming=claiming)
                return groups.run(Work(call.principal, claiming, locks, call.deadline, share), alone)
            return aside(alone)
        except _OnlyValidated as validated:
            return validated.response

    marked = mark(served)
    marked.gathers = ahead is not None
    return marked


def query(method: Written[S, Q, A], /) -> Served[S, Q, A]:
    """One read-only transaction around the method."""
    once = reading(method)

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        return twice(once, self, request, call, repeatable=True)

    marked: Served[S, Q, A] = mark(served)
    return marked


def reading(method: Any) -> Any:
    """Returns what runs a method of (self, tx, request, …) in a read-only transaction of its own, called with
    (self, request, call, …)."""

    def once(self: Any, request: Any, call: Any, *more: Any) -> Any:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            call.resolve(request, tx.connection)
            return method(self, tx, request, *more)

    return once


def query_stream(
    method: Callable[[S, Transaction, Q], Iterator[A]], /
) -> Callable[[S, Q, grpc.ServicerContext], Iterator[A]]:
    """One read-only transaction around the whole stream, which may use server-side cursors."""

    @wraps(method)
    def served(self: Any, request: Any, call: Any) -> Any:
        with transaction(self.app, call.principal, read_only=True, timeout=call.remaining()) as tx:
            may_idle(tx, call.remaining())
            call.resolve(request, tx.connection)
            yield from method(self, tx, request)

    marked: Callable[[S, Q, grpc.ServicerContext], Iterator[A]] = mark(served)
    return marked


class _OnlyValidated(Exception):
    """Leaves the transaction of a `validate_only` request, so that it rolls back; carries the response
    out."""

    def __init__(self, response: Message) -> None:
        super().__init__()
        self.response = response


def _claiming(app: App, request: Any, call: Any) -> Claiming | None:
    id_ = request.request_id if call.method.request_has_id else ""
    return requests.claiming(app.request_key, call.principal, call.method.path, id_, request) if id_ else None


def _repeated(app: App, tx: Transaction, request: Message, kept: bytes | None, call: Any) -> Message:
    if kept is None:
        raise Refusal(reason_pb2.REASON_ALREADY_ANSWERED)
    response: Message = call.method.response.FromString(app.open_answer(tx, request, kept))
    return response


def twice(once: Any, *arguments: Any, repeatable: bool) -> Any:
    """Runs a transaction again, once, where the first run cannot have had an effect or cannot have a second.

    A serialization failure or deadlock has been rolled back. After a lost connection nobody knows, and the
    request id (`repeatable`) makes the second run find what the first one did.
    """
    try:
        return once(*arguments)
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected):
            metrics.RPC_RETRIES.labels("conflict").inc()
        elif repeatable and error.connection_invalidated:
            metrics.RPC_RETRIES.labels("connection").inc()
        else:
            raise
    return once(*arguments)


def mark(
    served: Any, *, computes: bool = False, watches: bool = False
) -> Any:  # the decorators' own signatures carry the types
    """Marks a method as one that asks relationships; the server refuses to start with any other.

    `computes`: it works and hardly ever waits, so that several at a time on one processor only disturb each
    other (`pool.Gathered`). What of it may wait, it does `aside`. `watches`: it mostly waits for news.
    """
    served.asks_relationships = True
    served.computes = computes
    served.watches = watches
    return served
