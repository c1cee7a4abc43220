"""Request ids (AIP-155): a repeated request gets the first answer, and twins at the same moment have one
effect."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

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

# One statement claims for any number of calls. The counter tells a new row from a met one. Updating a met row
# waits for the transaction that made it: a twin of a request in flight stands here until the first has
# committed (and sees its answer) or failed (and takes over).
_CLAIM = Prepared(
    "waymark_claim",
    """
    INSERT INTO request_ids AS met (principal, method, request_id, body_hash)
    SELECT * FROM unnest($1, $2, $3, $4)
    ON CONFLICT (principal, method, request_id) DO UPDATE SET repeats = met.repeats + 1
    RETURNING principal, method, request_id, repeats, body_hash, answer
    """,
    ("text[]", "text[]", "text[]", "bytea[]"),
)
# Meets the rows that the claims made. Not an UPDATE, whose plan could read the whole table for a few rows.
_KEEP = Prepared(
    "waymark_answer",
    """
    INSERT INTO request_ids (principal, method, request_id, body_hash, answer)
    SELECT * FROM unnest($1, $2, $3, $4, $5)
    ON CONFLICT (principal, method, request_id) DO UPDATE SET answer = excluded.answer
    """,
    ("text[]", "text[]", "text[]", "bytea[]", "bytea[]"),
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
    """The claim of a request id by a caller for a method; `key` names the three."""

    key: tuple[str, str, str]
    body_hash: bytes

    def take_back(self) -> Call:
        """Undoes a claim made in this very transaction, and none of before."""
        return Call(_TAKE_BACK, self.key)

    def claimed(self, row: Any) -> Claim:
        """Returns what this claim's row of `claim` says; raises Refusal(REQUEST_ID_REUSED) for another
        body."""
        if row.repeats == 0:
            return Claim(fresh=True, answer=None)
        if row.body_hash != self.body_hash:
            raise Refusal(reason_pb2.REASON_REQUEST_ID_REUSED)
        return Claim(fresh=False, answer=row.answer)


def claim(claimings: Sequence[Claiming]) -> Call:
    """Claims; `by_key` says which row of the answer is whose. Waits at most the lock timeout for a twin in
    flight. No two may have the same key."""
    return Call(_CLAIM, (*_keys(claimings), [each.body_hash for each in claimings]))


def by_key(rows: Sequence[Any]) -> dict[tuple[str, str, str], Any]:
    """Returns the rows of `claim` by the claims' keys."""
    return {row[:3]: row for row in rows}


def keep(answers: Sequence[tuple[Claiming, bytes]]) -> Call:
    """Keeps the serialized answers of calls that have claimed in this very transaction."""
    claimings = [claiming for claiming, _ in answers]
    hashes = [claiming.body_hash for claiming in claimings]
    return Call(_KEEP, (*_keys(claimings), hashes, [answer for _, answer in answers]))


def _keys(claimings: Sequence[Claiming]) -> list[Sequence[str]]:
    return [[claiming.key[part] for claiming in claimings] for part in range(3)]


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
