"""Rounds of checkpoints: one signature over how far every chain of the ledger has come.

A round names the chains that moved since the round before and covers that round by its digest, so that the
last one stands for all: none can be changed, left out or put elsewhere, and every signature still agree.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from services.vouchers.domain.ledger import Head

START = bytes(32)  # digest of no marks, and what the first round covers as the one before
_PACKED = struct.Struct(">iq32s").pack
EVERY = 64  # of so many rounds one names every chain: who makes the next one reads back no further


class Mark(NamedTuple):
    """How far a chain had come: its last entry and that one's hash."""

    shard: int
    sequence: int
    hash: bytes


@dataclass(frozen=True)
class Round:
    """What a round signs. `number`: from 1 without gaps; `previous`: digest of the round before; `marks`:
    chains that moved, by number; `moment` counts in whole seconds, UTC."""

    number: int
    previous: bytes
    marks: tuple[Mark, ...]
    moment: datetime

    @cached_property
    def marks_digest(self) -> bytes:
        """Returns what `fold` makes of the marks, one after the other."""
        digest = START
        for shard, sequence, hash_ in self.marks:
            digest = fold(digest, shard, sequence, hash_)
        return digest

    @cached_property
    def text(self) -> bytes:
        """Returns what is signed; the contract describes it."""
        seconds = int(self.moment.timestamp())
        lines = ("waymark-round-v1", self.number, self.previous.hex(), self.marks_digest.hex(), seconds)
        return "".join(f"{line}\n" for line in lines).encode()

    @cached_property
    def digest(self) -> bytes:
        """Returns SHA-256 of `text`, which the next round covers."""
        return sha256(self.text).digest()


def fold(digest: bytes | bytearray, shard: int, sequence: int, hash_: bytes) -> bytes:
    """Returns the digest of marks with one more: SHA-256 over the digest so far (zeros before the first),
    chain (4 bytes), place (8 bytes, both big-endian) and hash. By it whoever reads chain after chain keeps 32
    bytes of a round and no more. What tampering has left unset counts as zero."""
    return sha256(digest + _PACKED(shard or 0, sequence or 0, hash_ or b"")).digest()


def first_of(number: int) -> int:
    """Returns the newest round up to `number` that names every chain."""
    return number - (number - 1) % EVERY


def marks_of(heads: Iterable[Head], known: Mapping[int, int], number: int) -> tuple[Mark, ...]:
    """Returns what the round of a number names, after rounds that name places `known` by chain; empty:
    nothing moved, so that no round is due."""
    entered = sorted((head for head in heads if head.sequence), key=lambda head: head.shard)
    moved = [head for head in entered if head.sequence > known.get(head.shard, 0)]
    named = entered if moved and first_of(number) == number else moved
    return tuple(Mark(head.shard, head.sequence, head.hash) for head in named)
