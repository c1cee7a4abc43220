"""Takes the XML files out of a PDF that has some attached: a task of a confined process, with nothing of ours
imported."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Iterable
from itertools import islice
from typing import Any, BinaryIO

import pypdf.filters  # noqa: F401  else it is loaded when no file can be opened any more
from pypdf import Configuration, PdfReader, apply_configuration

_XML = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")  # in UTF-8 and UTF-16


def main(most_files: str, most_bytes: str) -> None:
    """Writes what `attached` returns, as JSON with the files in base64."""
    with open(0, "rb") as file:
        found, others = attached(file, int(most_files), int(most_bytes))
    json.dump({"xml": [b64encode(each).decode() for each in found], "others": others}, sys.stdout)


def attached(file: BinaryIO, most_files: int, most_bytes: int) -> tuple[list[bytes], int]:
    """Returns the XML files that a PDF has attached, and how many others there are. Raises any Exception for
    one that is broken or locked, has more files, or unfolds to more bytes."""
    limits = Configuration(
        zlib_maximum_output_length=most_bytes,
        lzw_maximum_output_length=most_bytes,
        run_length_maximum_output_length=most_bytes,
        stream_decoding_work_maximum_length=4 * most_bytes,
        disable_legacy_handling=True,
    )
    with apply_configuration(limits):
        return _attached(PdfReader(file).attachment_list, most_files, most_bytes)


def _attached(listed: Iterable[Any], most_files: int, most_bytes: int) -> tuple[list[bytes], int]:
    found: list[bytes] = []
    others = size = 0
    for number, each in enumerate(islice(listed, most_files + 1)):
        content = each.content
        size += len(content)
        if number == most_files or size > most_bytes:
            raise ValueError("too much is attached")
        if content[:64].lstrip().startswith(_XML):
            found.append(content)
        else:
            others += 1
    return found, others
