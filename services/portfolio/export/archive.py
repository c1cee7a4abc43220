"""The archive: each kind of things as a page and as JSON, files byte for byte, and an index of it all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, NamedTuple

import filetype
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from waymark.portfolio.v1.credential_pb2 import ListCredentialsRequest
from waymark.portfolio.v1.evidence_pb2 import Evidence, ListEvidenceRequest

from services.platform.db.transaction import Transaction
from services.platform.zipping import ZipStream
from services.portfolio.domain import names
from services.portfolio.domain.credentials.reading import ENDINGS, JWT
from services.portfolio.domain.scan_states import is_served
from services.portfolio.export.pages import Pages
from services.portfolio.export.parts import PARTS
from services.portfolio.export.reader import Reader
from services.portfolio.store import credentials, posters
from services.portfolio.store.credentials import AS_IT_CAME, CREDENTIALS
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.vault import Vault


class File(NamedTuple):
    """A file of the holder: where in the archive, of which resource, what it is; `size` in bytes."""

    path: str
    resource: str
    title: str
    size: int
    sha256: str


class _Counted:
    """Passes messages on and counts them."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = messages
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for message in self._messages:
            self.count += 1
            yield MessageToDict(message)


def written(reader: Reader, day: date, language: str, *, without_files: bool = False) -> Iterator[bytes]:
    """Yields the archive as it is made, a file at a time; `day` (UTC) is on its index, which is in one of
    `pages.LANGUAGES` beside this file.

    Raises what `Reader` raises, which leaves the archive without its end.
    """
    archive, pages = ZipStream(datetime(day.year, day.month, day.day, tzinfo=UTC)), Pages(language)
    counts, files = [], list[File]()
    for part in PARTS:
        counted = _Counted(part.rows(reader))
        yield from archive.add(f"data/{part.name}.json", _json(counted))
        yield from archive.add(f"pages/{part.name}.html", pages.page(part.name, part.rows(reader)))
        counts.append((part.name, counted.count))
    yield from _credentials(archive, reader, files)
    if not without_files:
        yield from _evidence(archive, reader, files)
    yield from archive.add("data/files.json", _json(file._asdict() for file in files))
    facts = {"counts": counts, "files": files, "without_files": without_files}
    index = pages.index(day, names.holder(reader.holder), **facts)
    yield from archive.add("index.html", index)
    yield archive.end()


def _evidence(archive: ZipStream, reader: Reader, files: list[File]) -> Iterator[bytes]:
    """Adds the files that were uploaded whole and may be had, and notes them."""
    for evidence in reader.pages(ListEvidenceRequest, EVIDENCE.page):
        if evidence.state != Evidence.STATE_STORED or not is_served(evidence, to_holder=True):
            continue
        path = f"evidence/{names.last(evidence.name)}-{_harmless(evidence.file_name)}"
        yield from archive.add(path, reader.file(evidence), packed=False)
        title = evidence.title or evidence.file_name
        files.append(File(path, evidence.name, title, evidence.size_bytes, evidence.sha256))
        if evidence.has_poster:
            image = reader.look(partial(_poster, names.last(evidence.name)))
            path = f"posters/{names.last(evidence.name)}.{filetype.guess_extension(image)}"
            yield from archive.add(path, (image,), packed=False)
            files.append(File(path, evidence.name, title, len(image), hashlib.sha256(image).hexdigest()))


def _credentials(archive: ZipStream, reader: Reader, files: list[File]) -> Iterator[bytes]:
    """Adds each credential in every form that is kept of it, and notes them."""
    for credential in reader.pages(ListCredentialsRequest, CREDENTIALS.page):
        for form, content in reader.look(partial(_forms, names.last(credential.name))):
            ending = ENDINGS[credential.content_type if form == AS_IT_CAME else JWT]
            path = f"credentials/{names.last(credential.name)}{ending}"
            yield from archive.add(path, (content,))
            sha256 = hashlib.sha256(content).hexdigest()
            files.append(File(path, credential.name, credential.summary.title, len(content), sha256))


def _forms(credential_id: str, tx: Transaction, vault: Vault) -> list[tuple[int, bytes]]:
    return credentials.files_of(tx, vault, credential_id)


def _poster(evidence_id: str, tx: Transaction, vault: Vault) -> bytes:
    return posters.read(tx, vault, evidence_id)


def _json(things: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yields a list of things as JSON, one a line, so that a program may read it by and by. Sorted: maps come
    in another order in each process, and an archive that is made again must be the same."""
    before = b"["
    for thing in things:
        yield before + b"\n" + json.dumps(thing, ensure_ascii=False, sort_keys=True).encode()
        before = b","
    yield before[:-1] + b"\n]\n" if before == b"," else b"[]\n"


def _harmless(name: str) -> str:
    """Returns a file name that no system takes for anything else: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "_", name)[-80:].lstrip(".")
