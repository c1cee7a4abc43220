"""Leap2A archives that are larger than a request: the feed goes in one, the files by tickets of their own."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from lxml import etree

from services.cli.exits import ExitCode, Failure
from services.cli.uploads import measured, upload_evidence
from services.platform import xml
from services.platform.zipping import ZipStream, ZipUnsafeError, opened, opened_file

if TYPE_CHECKING:
    from services.cli.client import Caller

FEED = "leap2a.xml"
MOST = 5000  # files of an archive
FEED_BYTES = 8 << 20
ATOM = "{http://www.w3.org/2005/Atom}"


class Packed(NamedTuple):
    """A file of an archive: where it stands there, and as the feed says it, what it is called and what its
    name was."""

    info: zipfile.ZipInfo
    place: str
    title: str
    file_name: str


def small(file: Path, most: int) -> bytes:
    """Returns a document as it is, or of an archive of more than `most` bytes one with empty files beside its
    feed, whose names say what is not carried; raises Failure."""
    if file.stat().st_size <= most or not zipfile.is_zipfile(file):
        return file.read_bytes()
    archive = ZipStream(datetime.now(UTC))
    with _archive(file) as (packed, feed):
        made = list(archive.add(FEED, (_content(packed, feed),)))
        for each in packed.infolist():
            if each is not feed and not each.is_dir():
                made += archive.add(each.filename, ())
        return b"".join([*made, archive.end()])


class Uploaded(NamedTuple):
    """Files of an archive that were uploaded, as evidence; the SHA-256 of each there is, by its place."""

    evidence: list[dict[str, Any]]
    hashes: dict[str, str]


def upload_files(caller: Caller, holder: str, file: Path) -> Uploaded:
    """Uploads the files that the feed of an archive links to into the portfolio of `holders/{id}`, but for
    those that are there. Says which the service refuses; raises other Failures."""
    stored = caller.rest("GET", f"/v1/{holder}/evidence", page_size=500).get("evidence", [])
    here = {each["sha256"] for each in stored if each["state"] == "STATE_STORED"}
    made, hashes = [], dict[str, str]()
    with _archive(file) as (packed, feed), tempfile.TemporaryDirectory() as folder:
        for each in _linked(packed, feed):
            copy = Path(folder) / each.file_name
            with opened_file(packed, each.info) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            hashes[each.place] = digest = measured(copy)["sha256"]
            if digest not in here:
                here.add(digest)
                made += _uploaded(caller, holder, copy, each)
            copy.unlink()
    return Uploaded(made, hashes)


def _uploaded(caller: Caller, holder: str, copy: Path, each: Packed) -> list[dict[str, Any]]:
    try:
        return [upload_evidence(caller, holder, copy, each.title)]
    except Failure as failure:
        if failure.code is not ExitCode.REFUSED:
            raise
        typer.echo(f"{each.info.filename}: {failure.text}", err=True)
        return []


@contextmanager
def _archive(file: Path) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    """Opens an archive and finds its feed."""
    try:
        with file.open("rb") as stream, opened(stream, MOST) as packed:
            feeds = [each for each in packed.infolist() if PurePosixPath(each.filename).name == FEED]
            if len(feeds) != 1 or feeds[0].file_size > FEED_BYTES:
                raise ZipUnsafeError(f"no {FEED}, or several, or one that is too large")
            yield packed, feeds[0]
    except ZipUnsafeError as error:
        remedy = "Export it again where it comes from."
        raise Failure(ExitCode.USAGE, f"{file} cannot be read: {error}.", remedy=remedy) from error


def _content(packed: zipfile.ZipFile, feed: zipfile.ZipInfo) -> bytes:
    with opened_file(packed, feed) as stream:
        return stream.read()


def _linked(packed: zipfile.ZipFile, feed: zipfile.ZipInfo) -> Iterator[Packed]:
    """Yields the files that entries of a feed link to, each once."""
    base = PurePosixPath(feed.filename).parent
    members = {each.filename: each for each in packed.infolist() if not each.is_dir()}
    try:
        for _, entry in xml.events([_content(packed, feed)], ("end",), (f"{ATOM}entry",)):
            links = [each for each in entry.iter(f"{ATOM}link") if each.get("rel") == "enclosure"]
            outside = [each for each in entry.iter(f"{ATOM}content") if each.get("src")]
            for link in (*links, *outside):
                place = link.get("href") or link.get("src") or ""
                if info := members.pop(str(base / place), None):
                    name = PurePosixPath(link.get("title") or place).name.lstrip(".")
                    title = (entry.findtext(f"{ATOM}title") or "").strip()
                    yield Packed(info, place, title[:300], name[-60:] or "file")
    except (xml.DoctypeError, xml.PrologError, etree.XMLSyntaxError) as error:
        raise ZipUnsafeError(f"{FEED} is broken") from error
