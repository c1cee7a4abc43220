"""Files of an archive that is brought in: stored as evidence after the same checks as any upload, and before
the transaction that makes rows of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PureWindowsPath
from typing import BinaryIO, NamedTuple

import structlog
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal, reason_name
from services.platform.objects import sniff
from services.platform.objects.tickets import INCOMING
from services.platform.rpc.interceptors.validation import violations_of
from services.portfolio import checking
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import names, quotas
from services.portfolio.erasing import File, delete_files
from services.portfolio.formats.format import Read
from services.portfolio.formats.formats import FORMATS
from services.portfolio.store.evidence import BUCKET, EVIDENCE, known_keys
from services.portfolio.store.vault import Vault, open_vault

MARGIN = 4.0  # seconds that an import keeps for what follows; files for which no time is left wait as well
MOST = 200  # files that one import stores, as somebody waits for it; the next one goes on
# What is wrong with one file, and not with the store or the request.
_OF_A_FILE = (*checking.WRONG, reason_pb2.REASON_EVIDENCE_INFECTED, reason_pb2.REASON_INVALID_ARGUMENT)
log = structlog.get_logger("uploads")


class Stored(NamedTuple):
    """A file whose bytes are stored, under the name that its row will have."""

    evidence: Evidence
    checked: checking.Checked


class Unpacked(NamedTuple):
    """Files that are stored, the last of the document first; reasons for which others are not, by their
    SHA-256."""

    stored: list[Stored]
    refused: dict[str, int]


@contextmanager
def unpacked(
    app: PortfolioApp,
    request: pb.ImportDocumentRequest,
    read: Read,
    content: bytes,
    remaining: Callable[[], float],
) -> Iterator[Unpacked]:
    """Stores what of the files of a document is not in the portfolio, for `add` within; afterwards deletes
    what no row names. `remaining()`: seconds left to the caller. Raises Refusal(NOT_FOUND or UNAVAILABLE)."""
    files = Unpacked([], {})
    try:
        _store(app, request, read, content, remaining, files)
        yield files
    except Refusal:
        _let_go(app, files)
        raise
    # After anything else a row may still come to be: that is left to the sweep.
    _let_go(app, files)


def add(tx: Transaction, vault: Vault, files: Unpacked) -> tuple[list[Evidence], dict[str, int]]:
    """Makes rows of stored files, as many as the portfolio has room for; of a hash that is there none.
    Returns them, and the reasons for which files are not here, by their SHA-256."""
    here, made, refused = hashes(tx, vault), list[Evidence](), dict(files.refused)
    for evidence, checked in files.stored:
        if evidence.sha256 in here:
            continue
        try:
            made.append(checking.add(tx, vault, evidence, checked))
        except Refusal as refusal:
            if refusal.reason != reason_pb2.REASON_QUOTA_EXCEEDED:
                raise
            refused[evidence.sha256] = refusal.reason
    return made[::-1], refused


def hashes(tx: Transaction, vault: Vault) -> dict[str, str]:
    """Returns the names of the files of a portfolio whose bytes are there, by their SHA-256."""
    newest = EVIDENCE.newest(tx, vault, quotas.LIMITS["evidence"])
    return {each.sha256: each.name for each in newest if each.state != Evidence.STATE_AWAITING_UPLOAD}


def _store(
    app: PortfolioApp,
    request: pb.ImportDocumentRequest,
    read: Read,
    content: bytes,
    remaining: Callable[[], float],
    files: Unpacked,
) -> None:
    unpack = FORMATS[request.format].unpack
    if unpack is None or not read.packed:
        return
    (holder,) = names.parse(request.parent, "holders")
    with transaction(app, read_only=True) as tx:
        here = hashes(tx, open_vault(tx, app.keys, holder))
    # Backwards: the first of the document is to be the newest, which is how they are shown.
    packed = {each.sha256: each for each in reversed(read.portfolio.evidence) if each.sha256 in read.packed}
    missing = [each for sha256, each in packed.items() if sha256 not in here]
    wanted = missing[:MOST]
    files.refused.update((each.sha256, reason_pb2.REASON_QUOTA_EXCEEDED) for each in missing[MOST:])
    places = [read.packed[each.sha256] for each in wanted]
    opened = unpack(io.BytesIO(content), places)
    for said, place, (size, stream) in zip(wanted, places, opened, strict=True):
        left = remaining()
        if left < MARGIN:
            files.refused[said.sha256] = reason_pb2.REASON_DEADLINE_EXCEEDED
            continue
        head = stream.read(sniff.HEAD)
        stream.seek(0)
        evidence = _evidence(holder, said, place, size, head)
        try:
            files.stored.append(_stored(app, evidence, stream, left - MARGIN))
        except Refusal as refusal:
            if refusal.reason not in _OF_A_FILE:
                raise
            log.warning("file_refused", reason=reason_name(refusal.reason))
            files.refused[evidence.sha256] = refusal.reason


def _evidence(holder: str, said: Evidence, place: str, size: int, head: bytes) -> Evidence:
    """Returns a file by what its bytes say, and is called in the document."""
    called = PureWindowsPath(said.file_name).name or PureWindowsPath(place).name
    return Evidence(
        name=names.child(holder, EVIDENCE.segment, new_id()),
        title=said.title,
        file_name=called[-200:],
        content_type=sniff.kind_of(head),
        size_bytes=size,
        sha256=said.sha256,
    )


def _stored(app: PortfolioApp, evidence: Evidence, stream: BinaryIO, seconds: float) -> Stored:
    """Puts a file where an upload would be, and checks it as one, by a scan of at most so many seconds."""
    if violations_of(evidence):
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT)
    key, size, kind = names.last(evidence.name), evidence.size_bytes, evidence.content_type
    app.objects.put(BUCKET, INCOMING + key, stream, size=size, content_type=kind)
    return Stored(evidence, checking.at_once(app, evidence, seconds))


def _let_go(app: PortfolioApp, files: Unpacked) -> None:
    keys = [(names.last(evidence.name), evidence.size_bytes) for evidence, _ in files.stored]
    if not keys:
        return
    with transaction(app, read_only=True) as tx:
        named = known_keys(tx, [key for key, _ in keys])
    delete_files(app, [File(BUCKET, key, size) for key, size in keys if key not in named])
