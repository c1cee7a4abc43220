"""Double-entry ledger: postings, hash chains, checkpoints. Amounts in integer cents.

Each transaction lies wholly in one chain (shard) and its postings sum to zero. A chain's entries are numbered
without gaps and each hash covers the one before, so that a flipped, deleted, swapped or inserted entry shows.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

SHARDS = 256  # chains per currency: two callers seldom meet on one
START = bytes(32)  # what the first hash of a chain covers


class Kind(IntEnum):
    """Kinds of account, with the same numbers as `AccountKind` in the contract."""

    FUNDER = 1
    PROGRAMME_AVAILABLE = 2
    VOUCHER_AVAILABLE = 3
    VOUCHER_RESERVED = 4
    PROVIDER_HELD = 5
    PROVIDER_CLEARED = 6
    BANK_CLEARING = 7
    PROVIDER_RECEIVABLE = 8
    WRITE_OFF = 9
    LEVY = 10
    CONTRACT_AVAILABLE = 11
    EMPLOYER_RECEIVABLE = 12

    @property
    def external(self) -> bool:
        """True for accounts that may stand below zero: outside, or money that has yet to come back or never
        will."""
        outside = (Kind.FUNDER, Kind.BANK_CLEARING, Kind.WRITE_OFF)
        return self in (*outside, Kind.PROVIDER_RECEIVABLE, Kind.EMPLOYER_RECEIVABLE)


class Posting(NamedTuple):
    """One side of a transaction: `cents` come to (or, below zero, leave) the account of `owner`."""

    kind: Kind
    owner: str
    cents: int


@dataclass(frozen=True)
class Booking:
    """A transaction to be entered. `id`: UUID text; `reference`: resource name of what it is for."""

    id: str
    operation: str
    reference: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if sum(posting.cents for posting in self.postings) != 0:
            raise ValueError(f"The postings of {self.operation} do not sum to zero.")


class Entry(NamedTuple):
    """One line of a chain."""

    shard: int
    sequence: int
    transaction: str
    operation: str
    kind: int  # a Kind, unless somebody tampered with it
    owner: str
    cents: int
    currency: str
    reference: str
    created: datetime
    hash: bytes = b""

    def digest(self, before: bytes) -> bytes:
        """Returns SHA-256 over the hash before and every field, each ended by a byte no field contains."""
        covered = (
            f"{self.shard}\x1f{self.sequence}\x1f{self.transaction}\x1f{self.operation}\x1f{int(self.kind)}"
            f"\x1f{self.owner}\x1f{self.cents}\x1f{self.currency}\x1f{self.reference}"
            f"\x1f{microseconds(self.created)}"
        )
        return hashlib.sha256(before + covered.encode()).digest()


@dataclass(frozen=True)
class Head:
    """How far a chain has come, and by how much the sum of each kind of account changed since it was read."""

    shard: int
    currency: str
    sequence: int
    hash: bytes
    deltas: dict[Kind, int] = field(default_factory=dict)


def append(head: Head, bookings: Sequence[Booking], now: datetime) -> tuple[list[Entry], Head]:
    """Returns the entries that `bookings` become after `head`, and the new head. `now`: database clock."""
    entries: list[Entry] = []
    deltas, last = dict(head.deltas), head.hash
    for booking in bookings:
        for posting in booking.postings:
            if posting.cents == 0:
                continue
            entry = Entry(
                head.shard,
                head.sequence + len(entries) + 1,
                booking.id,
                booking.operation,
                posting.kind,
                posting.owner,
                posting.cents,
                head.currency,
                booking.reference,
                now,
            )
            last = entry.digest(last)
            entries.append(Entry(*entry[:-1], last))
            deltas[posting.kind] = deltas.get(posting.kind, 0) + posting.cents
    return entries, Head(head.shard, head.currency, head.sequence + len(entries), last, deltas)


def shard_offset(owner: str) -> int:
    """Returns which of a currency's chains an account belongs to, 0 to SHARDS - 1."""
    return zlib.crc32(owner.encode()) % SHARDS


def microseconds(moment: datetime) -> int:
    """Returns microseconds since 1970 (UTC), exactly: the resolution the database keeps."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def checkpoint_text(shard: int, sequence: int, chain_hash: bytes, moment: datetime) -> bytes:
    """Returns what a checkpoint of a single chain signs, as they were made before there were rounds; the
    contract describes it. `moment` counts in whole seconds, UTC."""
    lines = ("waymark-checkpoint-v1", shard, sequence, chain_hash.hex(), int(moment.timestamp()))
    return "".join(f"{line}\n" for line in lines).encode()
