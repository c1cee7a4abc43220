"""What a failing database means to a caller: busy, unreachable, too late or our mistake."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal

RETRY = timedelta(milliseconds=500)
_BUSY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
# Class 53, insufficient resources, without too many connections: another replica may have some left.
_EXHAUSTED = (
    psycopg.errors.InsufficientResources,
    psycopg.errors.DiskFull,
    psycopg.errors.OutOfMemory,
    psycopg.errors.ConfigurationLimitExceeded,
)
# Class 54, program limit exceeded: the same statement will never be taken. psycopg calls it operational too.
_NEVER = (
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)
_UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError)


def refusal_of(error: BaseException) -> Refusal | None:
    """Returns the refusal that `error` amounts to, or None when it is no fault of the database, but ours.

    LOCKED for lock timeouts, deadlocks and serialization failures; DEADLINE_EXCEEDED for a cancelled
    statement; OVERLOADED for a full pool, disk or memory; UNAVAILABLE when the server cannot be reached or
    takes no more connections.
    """
    if isinstance(error, PoolTimeout):
        return Refusal(reason_pb2.REASON_OVERLOADED, retry_after=RETRY)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, _BUSY):
        return Refusal(reason_pb2.REASON_LOCKED, retry_after=RETRY)
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return Refusal(reason_pb2.REASON_DEADLINE_EXCEEDED)
    if isinstance(cause, _EXHAUSTED):
        return Refusal(reason_pb2.REASON_OVERLOADED, retry_after=RETRY)
    if isinstance(cause, _UNREACHABLE) and not isinstance(cause, _NEVER):
        return Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=RETRY)
    return None
