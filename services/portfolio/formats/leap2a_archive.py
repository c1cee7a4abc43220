"""A Leap2A archive: the feed and the files of the evidence in one ZIP, written and read without ever holding
a file whole."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Container, Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from lxml import etree

from services.platform.zipping import CHUNK, ZipStream, ZipUnsafeError, opened, opened_file
from services.portfolio.formats import leap2a
from services.portfolio.formats.format import LARGE, Cv, DocumentBrokenError, Format, Opened, Read
from services.portfolio.formats.leap2a_back import put_back
from services.portfolio.formats.leap2a_reading import read_feed
from services.portfolio.formats.markup import root_of

FEED = "leap2a.xml"
MAX_MEMBERS = 5000
MOST_BYTES = 100_000_000  # of files that are looked at, unfolded
MAX_PATH = 120  # characters of the name of a file that are told
_MAGIC = b"PK\x03\x04"


def write(cv: Cv, files: Opened) -> Iterator[bytes]:
    """Yields the archive as it is made."""
    archive = ZipStream(cv.written_at)
    root, _ = _feed(cv)
    feed = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    yield from archive.add(FEED, (feed,))
    for name, evidence in leap2a.files_of(cv):
        yield from archive.add(name, files(evidence), packed=False)
    yield archive.end()


def left_out(cv: Cv) -> list[tuple[str, str]]:
    """Returns (resource name, path) of what was set aside and is not in the feed."""
    _, left = _feed(cv)
    return left


def _feed(cv: Cv) -> tuple[Any, list[tuple[str, str]]]:
    """Returns the root of the feed, and what was set aside and is not in it."""
    root = leap2a.feed(cv)
    return root, put_back(root, cv)


def read(file: BinaryIO, language: str) -> Read:
    """Reads an archive, or a feed without one; raises DocumentBrokenError."""
    magic = file.read(len(_MAGIC))
    file.seek(0)
    if magic != _MAGIC:
        return read_feed(root_of(file), language)
    try:
        with opened(file, MAX_MEMBERS) as archive:
            return _read(archive, language)
    except ZipUnsafeError as error:
        raise DocumentBrokenError(str(error)) from error


def _read(archive: zipfile.ZipFile, language: str) -> Read:
    members = [each for each in archive.infolist() if not each.is_dir()]
    feeds = [each for each in members if each.filename.rpartition("/")[2] == FEED]
    if len(feeds) != 1:
        raise DocumentBrokenError(f"no {FEED}, or several")
    with opened_file(archive, feeds[0]) as feed:
        found = read_feed(root_of(feed), language)
    # Whether files that it links to are here already is told by whoever asks for them.
    linked = _hashed(archive, PurePosixPath(feeds[0].filename).parent, found)
    for each in members:
        if each not in feeds and each.filename not in linked:
            found.left[each.filename[:MAX_PATH]] += 1
    return found


def _hashed(archive: zipfile.ZipFile, folder: PurePosixPath, found: Read) -> set[str]:
    """Says the SHA-256 of files whose bytes are there, up to MOST_BYTES of them, whatever the feed says that
    it is, and where they stand; returns which of the archive are linked to at all."""
    there = {each.filename: each for each in archive.infolist()}
    linked = {id_: _member(folder, place, there) for id_, place in found.places.items()}
    known: dict[str, str] = {}  # each is unfolded once, however many link to it
    left = MOST_BYTES
    for evidence in found.portfolio.evidence:
        member = there.get(linked.get(evidence.name, ""))
        if member and member.filename not in known and 0 < member.file_size <= left:
            left -= member.file_size
            known[member.filename] = _hash(archive, member)
        if member and (sha256 := known.get(member.filename)):
            evidence.sha256 = sha256
            found.packed[sha256] = member.filename
    return set(linked.values())


def _member(folder: PurePosixPath, place: str, there: Container[str]) -> str:
    """Returns the file that a link leads to, which may be quoted as addresses are; "" for none."""
    names = (str(folder / place), str(folder / unquote(place)))
    return next((each for each in names if each in there), "")


def unpack(file: BinaryIO, places: Sequence[str]) -> Iterator[tuple[int, BinaryIO]]:
    """Yields size and stream of files of an archive that was read, which has looked at all their bytes."""
    with opened(file, MAX_MEMBERS) as archive:
        for member in map(archive.getinfo, places):
            with archive.open(member) as stream:
                yield member.file_size, cast("BinaryIO", stream)


def _hash(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with opened_file(archive, member) as file:
        for chunk in iter(partial(file.read, CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


FORMAT = Format("application/zip", write, read, most_bytes=LARGE, left_out=left_out, unpack=unpack)
