"""Tells a dependency that fails, which a consumer waits out, from a message that can never be consumed."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.db.faults import refusal_of
from services.platform.errors import Refusal

_PASSING = frozenset(
    {
        reason_pb2.REASON_UNAVAILABLE,
        reason_pb2.REASON_OVERLOADED,
        reason_pb2.REASON_LOCKED,
        reason_pb2.REASON_DEADLINE_EXCEEDED,
    }
)


def passing(error: BaseException) -> bool:
    """True for a fault that ends without anybody touching the message: database, network, broker, object
    store."""
    refusal = _refusal(error)
    if refusal is not None:
        return refusal.reason in _PASSING
    return isinstance(error, OSError) or (_of_a_client(error) and not too_large(error))


def slow(error: BaseException) -> bool:
    """True for a statement that was cancelled at its timeout: the database may be slow today, or this message
    may always take too long."""
    refusal = _refusal(error)
    return refusal is not None and refusal.reason == reason_pb2.REASON_DEADLINE_EXCEEDED


def too_large(error: BaseException) -> bool:
    """True where the Kafka client or the broker will never take a message of this size."""
    return any(
        _named(kind) in {("kafka", "MessageSizeTooLargeError"), ("kafka", "RecordListTooLargeError")}
        for kind in type(error).__mro__
    )


def reason_of(error: BaseException) -> str:
    """Returns a short reason without any text of the error, which may quote personal data."""
    refusal = _refusal(error)
    return refusal.reason_name if refusal else type(error).__name__


def _refusal(error: BaseException) -> Refusal | None:
    return error if isinstance(error, Refusal) else refusal_of(error)


def _of_a_client(error: BaseException) -> bool:
    """True for connection errors of the Kafka and S3 clients, told by name so that neither must be loaded."""
    return any(
        _named(kind) in {("kafka", "KafkaError"), ("urllib3", "HTTPError")} for kind in type(error).__mro__
    )


def _named(kind: type) -> tuple[str, str]:
    return kind.__module__.split(".")[0], kind.__name__
