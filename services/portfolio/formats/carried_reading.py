"""Reads a CV that is for people by the data that it carries: a PDF by what is attached to it, as the Europass
portal attaches its data, a web page by the alternates in its links. Of what they show nothing is read."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from pathlib import Path
from typing import BinaryIO, NamedTuple

from waymark.portfolio.v1.document_pb2 import (
    DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML,
    DOCUMENT_FORMAT_EUROPASS_XML,
)

from services.platform.confined.running import Limits, made_of
from services.portfolio.formats import candidate, candidate_reading, europass_files, markup
from services.portfolio.formats.format import (
    DocumentBrokenError,
    NothingAttachedError,
    NothingLinkedError,
    Read,
)

MOST_FILES = 20
MOST_BYTES = markup.MAX_BYTES  # of all that is carried, and of any part of a PDF, unfolded
MEMORY = 128 * 1024 * 1024  # bytes of data
ADDRESSES = 256 * 1024 * 1024
SECONDS = 10  # of processor
PATIENCE = 60  # seconds by the clock: somebody waits for the answer
# By the root element, with the format of such a document.
_READERS = {
    candidate.ROOT: (candidate_reading.read_root, DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML),
    europass_files.ROOT: (europass_files.read_root, DOCUMENT_FORMAT_EUROPASS_XML),
}


class Carrier(NamedTuple):
    """A kind of file that carries documents: the task that takes them out of it, what such a file is called,
    as what those that are not read are told, and what is raised where none can be read."""

    task: str
    called: str
    path: str
    bare: type[DocumentBrokenError]


PDF = Carrier("pdf_attached.py", "PDF", "attachment", NothingAttachedError)
PAGE = Carrier("html_linked.py", "page", "link", NothingLinkedError)


def read(carrier: Carrier, file: BinaryIO, language: str) -> Read:
    """Reads the first document of Europass that a file carries; others are told. Raises `carrier.bare` where
    there is none, and DocumentBrokenError."""
    limits = Limits(MEMORY, ADDRESSES, SECONDS, PATIENCE, 2 * MOST_BYTES)
    task = Path(__file__).with_name(carrier.task)
    made = made_of(file.read(), task, limits, MOST_FILES, MOST_BYTES)
    if made is None:
        raise DocumentBrokenError(f"no {carrier.called}, or one that is broken, locked or too large")
    said = json.loads(made)
    return of_carried(carrier, [b64decode(each) for each in said["xml"]], said["others"], language)


def of_carried(carrier: Carrier, files: list[bytes], others: int, language: str) -> Read:
    """The same of XML files that were carried, beside others."""
    for file in files:
        root = markup.root_of(io.BytesIO(file))
        if known := _READERS.get(markup.local(root)):
            reader, format_ = known
            found = reader(root, language)
            found.carried = format_
            if more := len(files) - 1 + others:
                found.left[carrier.path] += more
            return found
    raise carrier.bare(f"a {carrier.called} with no document of Europass in it")
