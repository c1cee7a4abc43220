"""Keys: a data key per holder seals all that is personal; the master key only wraps data keys.

Associated data binds each ciphertext to its holder, table and row, so that one put in the place of another
does not open. Whoever deletes a wrapped data key makes everything sealed under it unreadable for good.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.platform.seals import SealKeyMissingError, key_id
from services.platform.seals import decrypt as _decrypt
from services.platform.seals import encrypt as _encrypt

_PURPOSE = "master"  # of the keys on the ring; part of their ids, which are stored
_HOLDERS, _SECRETS = "holder_keys", "secrets"  # apart, so that none opens as the other


class WrappedKey(NamedTuple):
    """A holder's data key as stored: which master key wraps it, and the wrapped bytes."""

    master_key_id: str
    wrapped: bytes


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
    """The master key (32 bytes) and former ones that still open older wrappings."""

    def __init__(self, current: bytes, former: Sequence[bytes] = ()) -> None:
        self.current_id = key_id(current, _PURPOSE)
        self._keys = {key_id(key, _PURPOSE): key for key in (*former, current)}

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
        bound = associated(owner, table, self.current_id)
        return WrappedKey(self.current_id, _encrypt(self._keys[self.current_id], key, bound))

    def _unwrap(self, owner: str, stored: WrappedKey, table: str = _HOLDERS) -> bytes:
        master = self._keys.get(stored.master_key_id)
        if master is None:
            raise SealKeyMissingError(stored.master_key_id)
        return _decrypt(master, stored.wrapped, associated(owner, table, stored.master_key_id))


def associated(holder: str, table: str, row: str) -> bytes:
    """Returns the associated data of a ciphertext: its place."""
    return "\0".join((holder, table, row)).encode()
