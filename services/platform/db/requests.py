"""Request ids (AIP-155): a repeated request gets the first answer, and twins at the same moment have one
effect."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func
from waymark.errors.v1 import reason_pb2

from services.platform.db.schema import request_ids
from services.platform.db.transaction import CLOCK, Transaction
from services.platform.db.wire import Call, Prepared, send
from services.platform.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Engine

    from services.platform.identity.principals import Principal

KEPT = timedelta(hours=48)

# The counter tells a new row from a met one. Updating a met row waits for the transaction that made it: a
# twin of a request in flight stands here until the first has committed (and sees its answer) or failed (and
# takes over).
_CLAIM = Prepared(
    "waymark_claim",
    f"""
    INSERT INTO request_ids AS met (principal, method, request_id, body_hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (principal, method, request_id) DO UPDATE SET repeats = met.repeats + 1
    RETURNING repeats, encode(body_hash, 'hex'), encode(answer, 'hex'), {CLOCK}
    """,  # noqa: S608  a constant
    ("text", "text", "text", "bytea"),
)
_STORE = Prepared(
    "waymark_answer",
    "UPDATE request_ids SET answer = $4 WHERE principal = $1 AND method = $2 AND request_id = $3",
    ("text", "text", "text", "bytea"),
)


class Claim(NamedTuple):
    """What is known of a request id. `fresh`: this call does the work. Otherwise `answer` is the first call's
    serialized response, or None where the answer is not kept."""

    fresh: bool
    answer: bytes | None


def body_hash(key: bytes, request: Message) -> bytes:
    """Returns HMAC-SHA-256 over the deterministic serialization of the request, request id included.

    Keyed, because a request may hold what can be guessed, such as a PIN, and the hash stays in the database.
    """
    return hmac.digest(key, request.SerializeToString(deterministic=True), "sha256")


def claiming(key: bytes, principal: Principal, method: str, request_id: str, request: Message) -> Call:
    """Returns the call that claims `request_id` for this caller and method; `claimed` reads its row."""
    return Call(_CLAIM, (principal.subject, method, request_id, body_hash(key, request)))


def claimed(row: Sequence[bytes | None], call: Call) -> Claim:
    """Returns what the row of `claiming` says; raises Refusal(REQUEST_ID_REUSED) for an id with another
    body."""
    repeats, digest, answer = row[:3]
    if repeats == b"0":
        return Claim(fresh=True, answer=None)
    sent = call.values[-1]
    if digest is None or bytes.fromhex(digest.decode()) != sent:
        raise Refusal(reason_pb2.REASON_REQUEST_ID_REUSED)
    return Claim(fresh=False, answer=None if answer is None else bytes.fromhex(answer.decode()))


def claim(tx: Transaction, key: bytes, method: str, request_id: str, request: Message) -> Claim:
    """Claims `request_id` for this caller and method within `tx`, where it did not travel with BEGIN.

    Raises Refusal(REQUEST_ID_REUSED) when the id was used with another body. Waits at most the lock timeout
    for a twin in flight (psycopg LockNotAvailable).
    """
    call = claiming(key, tx.principal, method, request_id, request)
    result = send(tx.connection, [call])[-1]
    return claimed([result.get_value(0, column) for column in range(result.nfields)], call)


def store_answer(tx: Transaction, method: str, request_id: str, answer: bytes) -> None:
    """Keeps the serialized response of a claimed request; written together with the commit."""
    tx.at_commit(Call(_STORE, (tx.principal.subject, method, request_id, answer)))


def expire(engine: Engine, kept: timedelta = KEPT) -> int:
    """Deletes request ids older than `kept` (at least a day, or a late retry would act twice); returns how
    many."""
    if kept < timedelta(hours=24):
        raise ValueError("Request ids are kept for at least 24 hours.")
    with engine.begin() as connection:
        return connection.execute(
            delete(request_ids).where(request_ids.c.created_at < func.now() - kept)
        ).rowcount
