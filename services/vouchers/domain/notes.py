"""What people write about a case. It may say something of a person, so it is kept sealed and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from services.platform.seals import Seals


class Notes(Seals):
    """Seals notes under `key` (32 bytes), and opens those under it or a `former` key."""

    def __init__(self, key: bytes, former: Sequence[bytes] = ()) -> None:
        super().__init__("notes", key, former)

    def seal_answer(self, request: Message, answer: bytes) -> bytes:
        """Returns what is kept of the serialized answer to a request."""
        return self._seal(answer, _answer_to(request))

    def open_answer(self, request: Message, kept: bytes) -> bytes:
        """Returns the serialized answer; raises like `open`."""
        return self._open(kept, _answer_to(request))


def _answer_to(request: Message) -> bytes:
    return f"request_ids/{request.DESCRIPTOR.full_name}".encode()
