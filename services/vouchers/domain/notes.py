"""What people write about a case. It may say something of a person, so it is kept sealed and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from services.platform.seals import SealBrokenError, SealKeyMissingError, decrypt, encrypt, key_id

# What is sealed begins with this and the 8 bytes of the key's id. What does not was sealed when there was one
# key; such a text begins with a random nonce, so one in 2^32 of them looks as if it named a key.
_NAMED = b"wmk\x01"
_HEAD = len(_NAMED) + 8


class Notes:
    """Seals notes under `key` (32 bytes), and opens those under it or a `former` key.

    A note opens in its place only: a resource name, with the field where a resource has several.
    """

    def __init__(self, key: bytes, former: Sequence[bytes] = ()) -> None:
        self._key = key
        self._keys = {bytes.fromhex(key_id(each, "notes")): each for each in (key, *former)}
        self._named = _NAMED + next(iter(self._keys))

    def seal(self, place: str, note: str) -> bytes | None:
        """Returns what is kept of a note; None of an empty one."""
        return self._seal(note.encode(), place.encode()) if note else None

    def open(self, place: str, sealed: bytes | None) -> str:
        """Returns the note.

        Raises SealBrokenError when it was altered or lay elsewhere, and SealKeyMissingError, a refusal that
        names the key, when that is not at hand.
        """
        return self._open(bytes(sealed), place.encode()).decode() if sealed else ""

    def seal_answer(self, request: Message, answer: bytes) -> bytes:
        """Returns what is kept of the serialized answer to a request."""
        return self._seal(answer, _answer_to(request))

    def open_answer(self, request: Message, kept: bytes) -> bytes:
        """Returns the serialized answer; raises like `open`."""
        return self._open(kept, _answer_to(request))

    def _seal(self, plain: bytes, bound: bytes) -> bytes:
        return self._named + encrypt(self._key, plain, bound)

    def _open(self, sealed: bytes, bound: bytes) -> bytes:
        if sealed.startswith(_NAMED) and (key := self._keys.get(sealed[len(_NAMED) : _HEAD])):
            return decrypt(key, sealed[_HEAD:], bound)
        for key in self._keys.values():
            try:
                return decrypt(key, sealed, bound)
            except SealBrokenError:
                continue
        if sealed.startswith(_NAMED):
            raise SealKeyMissingError(sealed[len(_NAMED) : _HEAD].hex())
        raise SealBrokenError("a note was altered, lies elsewhere, or its key is not among the service's")


def _answer_to(request: Message) -> bytes:
    return f"request_ids/{request.DESCRIPTOR.full_name}".encode()
