"""A ZIP of any size that is handed on as it is made: nothing is kept but what was not taken yet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

CHUNK = 256 * 1024  # bytes that are worth handing on


class ZipStream:
    """A ZIP in the making, every file in it dated `at` (UTC). Whoever takes it must exhaust what `add` yields
    before the next file, and take `end` last: without it no program opens the archive."""

    def __init__(self, at: datetime) -> None:
        self._spool = _Spool()
        self._zip = zipfile.ZipFile(self._spool, "w")  # type: ignore[call-overload]  # writes, that is all
        self._at = at.timetuple()[:6]

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = True) -> Iterator[bytes]:
        """Adds a file and yields what there is to hand on; `packed`: deflates it, which pictures, films and
        PDF have done already."""
        info = zipfile.ZipInfo(name, self._at)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with self._zip.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                if self._spool.size >= CHUNK:
                    yield self._spool.taken()
        yield self._spool.taken()

    def end(self) -> bytes:
        """Returns the rest, which ends with the list of files."""
        self._zip.close()
        return self._spool.taken()


class _Spool:
    """A file that forgets what was written once it is taken, as a ZIP can be written without going back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        """Takes bytes."""
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self) -> bytes:
        """Returns what was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return data
