"""The text blocks of pages: lines that are headings, lists or paragraphs, and no other markup at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

_HEADING, _ITEM = "# ", "- "


class Piece(NamedTuple):
    """A part of a text, in plain words: `heading`, `paragraph`, or `list` with a text for each item."""

    kind: str
    texts: Sequence[str]


def pieces(text: str) -> list[Piece]:
    """Returns the parts of a text in order. An empty line ends a paragraph; what looks like markup of another
    kind is words like all others."""
    found = []
    for kind, lines in groupby(text.splitlines(), _kind):
        said = [line.strip() for line in lines]
        if kind == "heading":
            found += [Piece(kind, [line.removeprefix(_HEADING).strip()]) for line in said]
        elif kind == "list":
            found.append(Piece(kind, [line.removeprefix(_ITEM).strip() for line in said]))
        elif kind == "paragraph":
            found.append(Piece(kind, [" ".join(said)]))
    return found


def _kind(line: str) -> str:
    words = line.strip()
    if words.startswith(_HEADING):
        return "heading"
    if words.startswith(_ITEM):
        return "list"
    return "paragraph" if words else ""
