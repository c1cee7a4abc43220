"""Reads a CV that is a PDF by what is attached to it, as the Europass portal attaches its data; of its pages
nothing is read."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from pathlib import Path
from typing import Any, BinaryIO

from services.platform.confined.running import Limits, made_of
from services.portfolio.formats import candidate, candidate_reading, europass_files, markup
from services.portfolio.formats.format import DocumentBrokenError, NothingAttachedError, Read

MOST_FILES = 20
MOST_BYTES = markup.MAX_BYTES  # of all that is attached, and of any part of the PDF, unfolded
MEMORY = 128 * 1024 * 1024  # bytes of data
ADDRESSES = 256 * 1024 * 1024
SECONDS = 10  # of processor
PATIENCE = 60  # seconds by the clock: somebody waits for the answer
_TASK = Path(__file__).with_name("pdf_attached.py")
_READERS = {candidate.ROOT: candidate_reading.read_root, europass_files.ROOT: europass_files.read_root}


def read(file: BinaryIO, language: str) -> Read:
    """Reads the first attached file that is a document of Europass; others are told. Raises
    NothingAttachedError where there is none, and DocumentBrokenError."""
    limits = Limits(MEMORY, ADDRESSES, SECONDS, PATIENCE, 2 * MOST_BYTES)
    made = made_of(file.read(), _TASK, limits, MOST_FILES, MOST_BYTES)
    if made is None:
        raise DocumentBrokenError("no PDF, or one that is broken, locked or too large")
    said = json.loads(made)
    return of_attached([b64decode(each) for each in said["xml"]], said["others"], language)


def of_attached(files: list[bytes], others: int, language: str) -> Read:
    """The same of XML files that were attached, beside others."""
    _, root = document_in(files)
    found = _READERS[markup.local(root)](root, language)
    if more := len(files) - 1 + others:
        found.left["attachment"] += more
    return found


def document_in(files: list[bytes]) -> tuple[bytes, Any]:
    """Returns the first of XML files that is a document of Europass, with its root element."""
    for file in files:
        root = markup.root_of(io.BytesIO(file))
        if markup.local(root) in _READERS:
            return file, root
    raise NothingAttachedError("a PDF with no document of Europass attached")
