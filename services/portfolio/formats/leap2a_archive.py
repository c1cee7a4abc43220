"""A Leap2A archive: the feed and the files of the evidence in one ZIP, written and read without ever holding
a file whole."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from services.platform.zipping import ZipStream
from services.portfolio.formats import leap2a
from services.portfolio.formats.format import Cv, DocumentBrokenError, Format, Opened, Read
from services.portfolio.formats.leap2a_reading import read_feed
from services.portfolio.formats.markup import root_of

FEED = "leap2a.xml"
MAX_MEMBERS = 5000
_MAGIC = b"PK\x03\x04"


def write(cv: Cv, files: Opened) -> Iterator[bytes]:
    """Yields the archive as it is made."""
    archive = ZipStream(cv.written_at)
    yield from archive.add(FEED, (leap2a.feed(cv),))
    for name, evidence in leap2a.files_of(cv):
        yield from archive.add(name, files(evidence), packed=False)
    yield archive.end()


def read(file: BinaryIO, language: str) -> Read:
    """Reads an archive, or a feed without one; raises DocumentBrokenError."""
    magic = file.read(len(_MAGIC))
    file.seek(0)
    if magic != _MAGIC:
        return read_feed(root_of(file), language)
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive, language)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DocumentBrokenError("a broken or sealed ZIP") from error
    except (OSError, ValueError, OverflowError) as error:
        if isinstance(error, DocumentBrokenError):
            raise
        raise DocumentBrokenError("a broken ZIP") from error


def _read(archive: zipfile.ZipFile, language: str) -> Read:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DocumentBrokenError(f"more than {MAX_MEMBERS} files")
    feeds = [each for each in members if each.filename.rpartition("/")[2] == FEED]
    if len(feeds) != 1:
        raise DocumentBrokenError(f"no {FEED}, or several")
    with archive.open(feeds[0]) as feed:
        return read_feed(root_of(feed), language)  # type: ignore[arg-type]  # reads, and that is all it needs


FORMAT = Format("application/zip", write, read)
