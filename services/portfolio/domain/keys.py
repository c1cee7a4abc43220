"""Keys: a data key per holder seals all that is personal; the master key only wraps data keys.

Associated data binds each ciphertext to its holder, table and row, so that one put in the place of another
does not open. Whoever deletes a wrapped data key makes everything sealed under it unreadable for good.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.platform.seals import SealKeyMissingError, key_id
from services.platform.seals import decrypt as _decrypt
from services.platform.seals import encrypt as _encrypt

_PURPOSE = "master"  # of the keys on the ring; part of their ids, which are stored
VERSION = "#"  # between the id of a master key and its version, where it has versions
_HOLDERS, _SECRETS = "holder_keys", "secrets"  # apart, so that none opens as the other


class WrappedKey(NamedTuple):
    """A holder's data key as stored: which master key wraps it, and the wrapped bytes."""

    master_key_id: str
    wrapped: bytes


class Master(Protocol):
    """A master key, wherever it is kept. `id` names it, and is what ids of its wrappings begin with."""

    id: str

    def current_id(self) -> str:
        """Returns the id that wrappings made now carry."""

    def wrap(self, key: bytes, bound: bytes) -> WrappedKey:
        """Returns a key wrapped so that it is unwrapped with `bound` only."""

    def unwrap(self, stored: WrappedKey, bound: bytes) -> bytes:
        """Returns the key; raises SealBrokenError for anything but what `wrap` wrapped with `bound`."""


class KeptMaster:
    """A master key (32 bytes) that this process has."""

    def __init__(self, key: bytes) -> None:
        self.id = key_id(key, _PURPOSE)
        self._key = key

    def current_id(self) -> str:
        """Returns the key's only id."""
        return self.id

    def wrap(self, key: bytes, bound: bytes) -> WrappedKey:
        """Returns nonce and ciphertext of a key."""
        return WrappedKey(self.id, _encrypt(self._key, key, bound))

    def unwrap(self, stored: WrappedKey, bound: bytes) -> bytes:
        """Returns the key; raises SealBrokenError."""
        return _decrypt(self._key, stored.wrapped, bound)


class HolderKey:
    """The data key of one holder, in the clear: lives as long as one request."""

    def __init__(self, holder: str, key: bytes) -> None:
        self.holder = holder
        self._key = key

    def seal(self, table: str, row: str, plain: bytes) -> bytes:
        """Returns nonce and ciphertext of `plain`, which opens only for this holder, table and row."""
        return _encrypt(self._key, plain, associated(self.holder, table, row))

    def open(self, table: str, row: str, sealed: bytes) -> bytes:
        """Returns what was sealed; raises SealBrokenError for anything but that."""
        return _decrypt(self._key, sealed, associated(self.holder, table, row))

    def blind(self, purpose: str, text: str) -> bytes:
        """Returns a keyed hash of `text`: equal texts of one holder are found, nothing else is told."""
        subkey = hmac.digest(self._key, f"blind:{purpose}".encode(), "sha256")
        return hmac.digest(subkey, text.encode(), "sha256")


class KeyRing:
    """The master key and former ones that still open older wrappings; 32 bytes stand for one kept here."""

    def __init__(self, current: Master | bytes, former: Sequence[Master | bytes] = ()) -> None:
        masters = [KeptMaster(key) if isinstance(key, bytes) else key for key in (*former, current)]
        self._current = masters[-1]
        self._masters = {master.id: master for master in masters}

    @property
    def current_id(self) -> str:
        """The id that wrappings made now carry. Raises Refusal(UNAVAILABLE) like the rest, where the master
        key is kept by a service that is away."""
        return self._current.current_id()

    def new_key(self, holder: str) -> WrappedKey:
        """Makes a data key for a holder and returns it wrapped under the current master key."""
        return self._wrap(holder, AESGCM.generate_key(bit_length=256))

    def unwrap(self, holder: str, stored: WrappedKey) -> HolderKey:
        """Returns the data key of `holder`.

        Raises SealBrokenError when it is not theirs, SealKeyMissingError when no key on the ring wraps it.
        """
        return HolderKey(holder, self._unwrap(holder, stored))

    def rewrap(self, holder: str, stored: WrappedKey) -> WrappedKey:
        """Returns the same data key wrapped under the current master key."""
        return self._wrap(holder, self._unwrap(holder, stored))

    def seal(self, place: str, secret: bytes) -> WrappedKey:
        """Returns a secret of no holder, such as an issuer's key, sealed for its place."""
        return self._wrap(place, secret, _SECRETS)

    def open(self, place: str, stored: WrappedKey) -> bytes:
        """Returns what `seal` sealed for this place; raises like `unwrap`."""
        return self._unwrap(place, stored, _SECRETS)

    def _wrap(self, owner: str, key: bytes, table: str = _HOLDERS) -> WrappedKey:
        return self._current.wrap(key, associated(owner, table, self._current.id))

    def _unwrap(self, owner: str, stored: WrappedKey, table: str = _HOLDERS) -> bytes:
        master = self._masters.get(stored.master_key_id.partition(VERSION)[0])
        if master is None:
            raise SealKeyMissingError(stored.master_key_id)
        return master.unwrap(stored, associated(owner, table, master.id))


def associated(holder: str, table: str, row: str) -> bytes:
    """Returns the associated data of a ciphertext: its place."""
    return "\0".join((holder, table, row)).encode()
