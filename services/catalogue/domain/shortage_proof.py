"""What a published version signs, and the proof that an entry is in it, which needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.catalogue.domain import merkle
from services.catalogue.domain.shortage import Entry, compact, covered


@dataclass(frozen=True)
class Signed:
    """A version as it is signed. `version`: resource name; `root`: see `merkle`, 32 bytes."""

    version: str
    valid_from: date
    valid_to: date | None
    entry_count: int
    root: bytes

    def text(self) -> bytes:
        """Returns what the signature is over; the contract describes it."""
        until = self.valid_to.isoformat() if self.valid_to else ""
        lines = (self.version, self.valid_from.isoformat(), until, self.entry_count, self.root.hex())
        return "\n".join(map(str, ("waymark-shortage-version-v1", *lines))).encode()


class Flaw(Enum):
    """Why a proof proves nothing."""

    UNKNOWN_KEY = "it is signed with a key that is not among the keys"
    FORGED = "its signature does not fit: it was forged or changed"
    NOT_IN_VERSION = "the entry is not in the version that was signed: one of them was changed"
    NOT_IN_FORCE = "the version was not in force on that day"


def item(entry: Entry) -> bytes:
    """Returns an entry as an item of the tree: a JSON array without spaces, which no label can break."""
    return compact(covered(entry)).encode()


def flaw(
    signed: Signed,
    signature: bytes,
    public: bytes | None,
    *,
    day: date,
    entry: Entry | None,
    path: Sequence[bytes],
) -> Flaw | None:
    """Returns why it is not proved that a version was in force on a day and, with an entry, that it holds
    that entry; None: it is proved. `public`: the key that the proof names, 32 bytes, where it is known."""
    if public is None:
        return Flaw.UNKNOWN_KEY
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed.text())
    except InvalidSignature:
        return Flaw.FORGED
    if day < signed.valid_from or (signed.valid_to is not None and day > signed.valid_to):
        return Flaw.NOT_IN_FORCE
    if entry is not None:
        found = merkle.root_of(item(entry), entry.seq - 1, signed.entry_count, path)
        if found != signed.root:
            return Flaw.NOT_IN_VERSION
    return None
