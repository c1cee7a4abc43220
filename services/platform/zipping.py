"""ZIPs: one of any size that is handed on as it is made, and those from outside, looked at before anything is
read of them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import PureWindowsPath
from typing import IO, BinaryIO

CHUNK = 256 * 1024  # bytes that are worth handing on
MAX_RATIO = 200  # of what a ZIP from outside unfolds to; texts of a portfolio come to a tenth of it
_SMALL = 1 << 20  # bytes that may come of any ratio
_HEADER = 30  # bytes before each file, beside its name
_SEALED, _PACKED = 1, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END, _END_SIZE = b"PK\x05\x06", 22


class ZipUnsafeError(ValueError):
    """The ZIP is broken, or made to mislead or exhaust a reader; says which, and nothing out of it."""


@contextmanager
def opened(file: BinaryIO, most: int) -> Iterator[zipfile.ZipFile]:
    """Opens a ZIP from outside of at most `most` files, by its list alone; what is then read of it, by
    `opened_file`, must still be read with a limit. Raises ZipUnsafeError, also for what proves broken later.

    Refused are names that lead out of a folder or stand there twice, files that are sealed or share their
    bytes, a ZIP within another file, and one that unfolds to more than MAX_RATIO times itself.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, OverflowError) as error:
        raise ZipUnsafeError("a broken ZIP") from error
    with archive:
        _check(archive, file, most)
        yield archive


@contextmanager
def opened_file(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Opens a file of such a ZIP, which is to be read to its end; raises ZipUnsafeError."""
    try:
        file = archive.open(info)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise ZipUnsafeError("a broken ZIP") from error
    try:
        with file:
            yield file
            if file.tell() != info.file_size or file.read(1):
                raise ZipUnsafeError("a length that is not true")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise ZipUnsafeError("a broken ZIP") from error


def _check(archive: zipfile.ZipFile, file: BinaryIO, most: int) -> None:
    members = archive.infolist()
    if len(members) > most:
        raise ZipUnsafeError(f"more than {most} files")
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - len(archive.comment)))
    first = min((each.header_offset for each in members), default=0)
    if first != 0 or file.read(len(_END)) != _END:
        raise ZipUnsafeError("a ZIP within another file")
    if any(each.flag_bits & _SEALED or each.compress_type not in _PACKED for each in members):
        raise ZipUnsafeError("a ZIP that is sealed, or packed in a rare way")
    if any(_leads_out(each.filename) for each in members):
        raise ZipUnsafeError("a name that leads out of its folder")
    if len({each.filename for each in members}) < len(members):
        raise ZipUnsafeError("a name that is there twice")
    in_order = sorted(members, key=lambda each: each.header_offset)
    ends = [(each.header_offset, each.header_offset + _HEADER + each.compress_size) for each in in_order]
    if any(end > begin for (_, end), (begin, _) in pairwise([*ends, (archive.start_dir, 0)])):
        raise ZipUnsafeError("files that share their bytes")
    if sum(each.file_size for each in members) > max(_SMALL, MAX_RATIO * size):
        raise ZipUnsafeError(f"more than {MAX_RATIO} times its size unfolded")


def _leads_out(name: str) -> bool:
    """Returns whether a name is none of a file below: by the rules of Windows, which are the wider ones."""
    path = PureWindowsPath(name)
    return bool(path.anchor) or ".." in path.parts or not name or any(each < " " for each in name)


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
