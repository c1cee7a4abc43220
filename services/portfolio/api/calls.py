"""The decorator of every RPC on a portfolio: what somebody else than the holder does is in the access log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, overload

import psycopg
from google.protobuf.message import Message
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.holder_pb2 import EraseHolderRequest
from waymark.portfolio.v1.rights_request_pb2 import DeliverRightsRequestRequest

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import Served, Written, mutation
from services.portfolio.access import log_access, record_on_behalf
from services.portfolio.requests import changes, holder_of
from services.portfolio.store import locking

S = TypeVar("S", bound=Any)
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
_ERASING = (EraseHolderRequest, DeliverRightsRequestRequest)


@overload
def portfolio_call(method: Written[S, Q, A], /) -> Served[S, Q, A]: ...
@overload
def portfolio_call(*, answer_stored: bool = True) -> Callable[[Written[S, Q, A]], Served[S, Q, A]]: ...
def portfolio_call(method: Any = None, /, *, answer_stored: bool = True) -> Any:
    """`@mutation` that writes the access log in the same transaction, so that no read goes unlogged, and that
    begins with the locks that `locking` orders.

    Reads take it too: a look that cannot be logged does not happen.
    """
    if method is None:
        return lambda written: portfolio_call_of(written, answer_stored=answer_stored)
    return portfolio_call_of(method, answer_stored=answer_stored)


def portfolio_call_of(method: Any, *, answer_stored: bool) -> Any:
    """Returns the served form of a method."""

    @mutation(answer_stored=answer_stored)
    @wraps(method)
    def logged(self: Any, tx: Transaction, request: Any) -> Any:
        try:
            _enter(tx, request)
            grant = log_access(tx, request, self.app.settings.daily_people)
            response = method(self, tx, request)
            record_on_behalf(tx, request, response, grant)
            return response
        except IntegrityError as error:
            if isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
                # There is no such holder, or the key went while we wrote, and nobody is there to write for.
                raise Refusal(reason_pb2.REASON_NOT_FOUND) from None
            raise

    return logged


def _enter(tx: Transaction, request: Any) -> None:
    holder = holder_of(request) or tx.principal.subject
    if isinstance(request, _ERASING):
        locking.enter_alone(tx, holder)
    elif changes(request.DESCRIPTOR):
        locking.enter(tx, holder)
