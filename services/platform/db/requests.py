"""Request ids (AIP-155): a repeated request gets the first answer, and twins at the same moment have one
effect."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from waymark.errors.v1 import reason_pb2

from services.platform.db.schema import request_ids
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from sqlalchemy import Engine

KEPT = timedelta(hours=48)

_insert = insert(request_ids)
# The counter tells a new row from a met one. Updating a met row waits for the transaction that made it: a
# twin of a request in flight stands here until the first has committed (and sees its answer) or failed (and
# takes over).
_CLAIM = _insert.on_conflict_do_update(
    index_elements=["principal", "method", "request_id"], set_={"repeats": request_ids.c.repeats + 1}
).returning(request_ids.c.repeats, request_ids.c.body_hash, request_ids.c.answer)


class Claim(NamedTuple):
    """What is known of a request id. `fresh`: this call does the work. Otherwise `answer` is the first call's
    serialized response, or None where the answer is not kept."""

    fresh: bool
    answer: bytes | None


def body_hash(request: Message) -> bytes:
    """Returns SHA-256 over the deterministic serialization of the request, request id included."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def claim(tx: Transaction, method: str, request_id: str, request: Message) -> Claim:
    """Claims `request_id` for this caller and method within `tx`.

    Raises Refusal(REQUEST_ID_REUSED) when the id was used with another body. Waits at most the lock timeout
    for a twin in flight (psycopg LockNotAvailable).
    """
    digest = body_hash(request)
    row = tx.execute(
        _CLAIM,
        {"principal": tx.principal.subject, "method": method, "request_id": request_id, "body_hash": digest},
    ).one()
    if row.repeats == 0:
        return Claim(fresh=True, answer=None)
    if row.body_hash != digest:
        raise Refusal(reason_pb2.REASON_REQUEST_ID_REUSED)
    return Claim(fresh=False, answer=row.answer)


def store_answer(tx: Transaction, method: str, request_id: str, answer: bytes) -> None:
    """Keeps the serialized response of a claimed request in the same transaction as its effect."""
    tx.execute(
        update(request_ids)
        .where(
            request_ids.c.principal == tx.principal.subject,
            request_ids.c.method == method,
            request_ids.c.request_id == request_id,
        )
        .values(answer=answer)
    )


def expire(engine: Engine, kept: timedelta = KEPT) -> int:
    """Deletes request ids older than `kept` (at least a day, or a late retry would act twice); returns how
    many."""
    if kept < timedelta(hours=24):
        raise ValueError("Request ids are kept for at least 24 hours.")
    with engine.begin() as connection:
        return connection.execute(
            delete(request_ids).where(request_ids.c.created_at < func.now() - kept)
        ).rowcount
