"""Request ids (AIP-155): a repeated request gets the first answer, and twins at the same moment have one
effect."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func
from waymark.errors.v1 import reason_pb2

from services.platform.db.schema import request_ids
from services.platform.db.wire import Call, Prepared
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
    """
    INSERT INTO request_ids AS met (principal, method, request_id, body_hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (principal, method, request_id) DO UPDATE SET repeats = met.repeats + 1
    RETURNING repeats, encode(body_hash, 'hex'), encode(answer, 'hex')
    """,
    ("text", "text", "text", "bytea"),
)
_STORE = Prepared(
    "waymark_answer",
    "UPDATE request_ids SET answer = $4 WHERE principal = $1 AND method = $2 AND request_id = $3",
    ("text", "text", "text", "bytea"),
)


_TAKE_BACK = Prepared(
    "waymark_take_back",
    "DELETE FROM request_ids WHERE principal = $1 AND method = $2 AND request_id = $3 AND repeats = 0",
    ("text", "text", "text"),
)


class Claim(NamedTuple):
    """What is known of a request id. `fresh`: this call does the work. Otherwise `answer` is the first call's
    serialized response, or None where the answer is not kept."""

    fresh: bool
    answer: bytes | None


class Claiming(NamedTuple):
    """The calls around the claim of a request id by a caller for a method; `key` names the three."""

    key: tuple[str, str, str]
    body_hash: bytes

    @property
    def call(self) -> Call:
        """Claims; `claimed` reads its row. Waits at most the lock timeout for a twin in flight."""
        return Call(_CLAIM, (*self.key, self.body_hash))

    def store(self, answer: bytes) -> Call:
        """Keeps the serialized response."""
        return Call(_STORE, (*self.key, answer))

    def take_back(self) -> Call:
        """Undoes a claim made in this very transaction, and none of before."""
        return Call(_TAKE_BACK, self.key)

    def claimed(self, row: Sequence[bytes | None]) -> Claim:
        """Returns what the row of `call` says; raises Refusal(REQUEST_ID_REUSED) for another body."""
        repeats, digest, answer = row
        if repeats == b"0":
            return Claim(fresh=True, answer=None)
        if digest is None or bytes.fromhex(digest.decode()) != self.body_hash:
            raise Refusal(reason_pb2.REASON_REQUEST_ID_REUSED)
        return Claim(fresh=False, answer=None if answer is None else bytes.fromhex(answer.decode()))


def claiming(key: bytes, principal: Principal, method: str, request_id: str, request: Message) -> Claiming:
    """Returns how a caller claims a request id; `key` is that of `body_hash`."""
    return Claiming((principal.subject, method, request_id), body_hash(key, request))


def body_hash(key: bytes, request: Message) -> bytes:
    """Returns keyed BLAKE2b over the deterministic serialization of the request, request id included.

    Keyed, because a request may hold what can be guessed, such as a PIN, and the hash stays in the database.
    """
    return blake2b(request.SerializeToString(deterministic=True), digest_size=32, key=key).digest()


def expire(engine: Engine, kept: timedelta = KEPT) -> int:
    """Deletes request ids older than `kept` (at least a day, or a late retry would act twice); returns how
    many."""
    if kept < timedelta(hours=24):
        raise ValueError("Request ids are kept for at least 24 hours.")
    with engine.begin() as connection:
        return connection.execute(
            delete(request_ids).where(request_ids.c.created_at < func.now() - kept)
        ).rowcount
