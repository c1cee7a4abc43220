"""What people write about a case. It may say something of a person, so it is kept sealed and nowhere else."""

from __future__ import annotations

from google.protobuf.message import Message

from services.platform.seals import decrypt, encrypt


class Notes:
    """Seals and opens notes under one key (32 bytes). A note opens in its place only: a resource name, with
    the field where a resource has several."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, place: str, note: str) -> bytes | None:
        """Returns what is kept of a note; None of an empty one."""
        return encrypt(self._key, note.encode(), place.encode()) if note else None

    def open(self, place: str, sealed: bytes | None) -> str:
        """Returns the note; raises SealBrokenError when it was altered or lay elsewhere."""
        return decrypt(self._key, bytes(sealed), place.encode()).decode() if sealed else ""

    def seal_answer(self, request: Message, answer: bytes) -> bytes:
        """Returns what is kept of the serialized answer to a request."""
        return encrypt(self._key, answer, _answer_to(request))

    def open_answer(self, request: Message, kept: bytes) -> bytes:
        """Returns the serialized answer."""
        return decrypt(self._key, kept, _answer_to(request))


def _answer_to(request: Message) -> bytes:
    return f"request_ids/{request.DESCRIPTOR.full_name}".encode()
