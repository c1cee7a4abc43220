"""Records of a JSON feed, cut out one at a time: one array, one object, a graph or list within one, or an
object a line.

The standard library reads each value out of what has come of the file so far. Streaming parsers written in C
were tried and did not stand hostile input, see docs/decisions/0065.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from services.catalogue.imports.feed import MAX_VALUES, Bounded, FeedBroken, values

MAX_DEPTH = 64  # of a record
_CHUNK = 65536
_TOKEN = 12  # characters; whatever may be cut off in the middle, but for a text, is shorter: \ud83d\ude00
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # or the beginning of one


class JsonReader:
    """What readers share whose records are kept as JSON."""

    def holds(self, raw: bytes, /) -> int:
        """Returns how many values a record holds, see `FeedReader`."""
        return values(raw)


class Cut(NamedTuple):
    """A record, the `@context` that stood before it (None without one), and its line."""

    value: Any
    context: Any
    line: int


def cut(stream: Bounded, containers: frozenset[str]) -> Iterator[Cut]:
    """Yields each record of the file as it ends.

    An object with an array in one of its fields `containers` stands for the values of that array. Numbers
    with a fraction are Decimal. Raises FeedBroken for what is no JSON, cut off, no UTF-8, nested too deep, or
    a record of too many values.
    """
    text = _Text(stream)
    try:
        if not text.peek():
            raise ValueError("The file is empty.")
        while char := text.peek():
            if char == "[":
                yield from _items(text, None)
            elif char == "{":
                yield from _object(text, containers)
            else:
                text.begin()
                yield Cut(text.value(), None, text.line)
    except RecursionError:
        raise _too_deep(text.line) from None
    except (ValueError, ArithmeticError) as error:  # no JSON, no UTF-8, a number of too many digits
        raise FeedBroken(
            "JSON_INVALID",
            text.line,
            "The file is no JSON, is cut off, or is not UTF-8.",
            "Produce the file again and check it with a JSON tool before uploading.",
            str(error)[:200],
        ) from error


def _items(text: _Text, context: Any) -> Iterator[Cut]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        text.begin()
        line = text.line
        yield Cut(text.value(), context, line)
        if text.take(",]") == "]":
            return


def _object(text: _Text, containers: frozenset[str]) -> Iterator[Cut]:
    """The object itself, or what is in its containers; then only the context is of use beside them."""
    found: dict[str, Any] = {}
    contains, line = False, text.line
    text.begin()
    text.take("{")
    while text.peek() != "}":
        name = text.value() if text.peek() == '"' else text.take('"')
        text.take(":")
        if name in containers and text.peek() == "[":
            contains = True
            yield from _items(text, found.get("@context"))
        else:
            text.peek()
            value = text.value()
            if not contains or name == "@context":
                found[name] = value
        if text.peek() != "}":
            text.take(",")
            if text.peek() != '"':
                text.take('"')
    text.take("}")
    if not contains:
        yield Cut(found, None, line)


class _Text:
    """What has been read of the file and not been taken yet."""

    def __init__(self, stream: Bounded) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._values = 0
        self.line = 1

    def begin(self) -> None:
        """Says that a record begins, so that counting its values starts again."""
        self._values = 0

    def peek(self) -> str:
        """Passes over space and returns the next character, "" at the end of the file."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._pass(match.end() if match else self._at)
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read()

    def take(self, expected: str) -> str:
        """Takes the next character; raises ValueError when it is none of `expected`."""
        found = self.peek()
        if not found or found not in expected:
            raise ValueError(f"{' or '.join(expected)} was expected, not {found or 'the end'}")
        self._at += 1
        return found

    def value(self) -> Any:
        """Takes the value that begins here, reading on for as long as it is not whole."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _TOKEN
                if self._ended or not cut_off:
                    raise
                self._count(len(self._text))  # all that has come is of this record
            else:
                if end < len(self._text) or self._ended or isinstance(value, dict | list | str):
                    self._values += self._count(end)
                    self._pass(end)
                    return _shallow(value, self.line)
            self._read()

    def _count(self, end: int) -> int:
        """Returns how many values stand before `end`; raises FeedBroken when the record has too many."""
        piece = self._text[self._at : end]
        found = 1 + values(piece)
        if self._values + found > MAX_VALUES:  # unless what looks like it is in texts
            found = 1 + values(_STRING.sub("", piece))
        if self._values + found > MAX_VALUES:
            raise FeedBroken(
                "JSON_TOO_MANY_VALUES",
                self.line,
                f"One record has more than {MAX_VALUES} values.",
                "Write a record for each course, with nothing in it that is not told of the course.",
            )
        return found

    def _read(self) -> None:
        """Reads on: a quarter of what a value has brought, so that trying again costs little in all."""
        parts = [self._text[self._at :]]
        wanted = max(_CHUNK, len(parts[0]) // 4)
        while wanted > 0 and not self._ended:
            data = self._stream.read(_CHUNK)
            self._ended = not data
            parts.append(self._decode(data, self._ended))
            wanted -= len(data)
        self._text, self._at = "".join(parts), 0

    def _pass(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end


def _shallow(value: Any, line: int) -> Any:
    """Returns the value; raises FeedBroken when it is nested deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return value
    raise _too_deep(line)


def _too_deep(line: int) -> FeedBroken:
    return FeedBroken(
        "JSON_TOO_DEEP",
        line,
        f"Objects and arrays are nested more than {MAX_DEPTH} deep.",
        "Write each course with its sessions, places and offers, and nothing below them.",
    )


def storable(value: Any, name_of: Callable[[str], str] = str) -> Any:
    """Returns a value with texts that a database can hold: without NUL and halves of characters.

    `name_of`: name of a field as it stands in the file → as it is to be.
    """
    if isinstance(value, dict):
        return {storable_text(name_of(name)): storable(each, name_of) for name, each in value.items()}
    if isinstance(value, list):
        return [storable(each, name_of) for each in value]
    return storable_text(value) if isinstance(value, str) else value


def storable_text(text: str) -> str:
    """Returns a text without NUL and halves of characters."""
    return text.replace("\0", " ").encode(errors="replace").decode()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
