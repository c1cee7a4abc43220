"""Takes the XML files out of a web page that carries some as alternates: a task of a confined process, with
nothing of ours imported."""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from lxml import etree

CHUNK = 1 << 16
_SCHEME = "data:"


def main(most_files: str, most_bytes: str) -> None:
    """Writes what `linked` returns, as JSON with the files in base64."""
    with open(0, "rb") as file:
        found, others = linked(file, int(most_files), int(most_bytes))
    json.dump({"xml": [b64encode(each).decode() for each in found], "others": others}, sys.stdout)


def linked(file: BinaryIO, most_files: int, most_bytes: int) -> tuple[list[bytes], int]:
    """Returns the XML files that links of a page carry in their addresses (HTML, `rel=alternate`; RFC 2397),
    and how many others there are; no address is gone to. Raises ValueError or etree.XMLSyntaxError for a page
    that has more files or bytes of them, or one that is cut off, and for no page."""
    links = _Links(most_files, most_bytes)
    target: Any = links  # the stubs want more of one than lxml does
    parser = etree.HTMLParser(target=target, no_network=True)  # makes no tree
    for chunk in iter(partial(file.read, CHUNK), b""):
        parser.feed(chunk)
    parser.close()
    return links.found, links.others


class _Links:
    """What a parser tells of a page, of which only links are of interest."""

    def __init__(self, most_files: int, most_bytes: int) -> None:
        self.found: list[bytes] = []
        self.others = 0
        self._most = most_files, most_bytes

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Keeps what a link carries."""
        address = attributes.get("href", "").strip()
        alternate = "alternate" in attributes.get("rel", "").lower().split()
        if tag == "link" and alternate and address[: len(_SCHEME)].lower() == _SCHEME:
            self._keep(address[len(_SCHEME) :])

    def close(self) -> None:
        """Is asked for at the end."""

    def _keep(self, said: str) -> None:
        about, _, data = said.partition(",")
        kind, *parameters = (each.strip().lower() for each in about.split(";"))
        if kind.endswith(("/xml", "+xml")):
            content = unquote_to_bytes(data)
            self.found.append(b64decode(content) if "base64" in parameters[-1:] else content)
        else:
            self.others += 1
        files, size = len(self.found) + self.others, sum(map(len, self.found))
        if files > self._most[0] or size > self._most[1]:
            raise ValueError("too much is carried")
