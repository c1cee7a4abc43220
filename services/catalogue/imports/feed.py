"""What every feed format offers to the one import path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import ERROR, Finding, Findings, clean

MAX_RECORD_BYTES = 8 << 20  # of one record as it stands in the file
MAX_VALUES = 500_000  # of one record, counted as `values` does for JSON and `marks` for XML
MAX_ID = 500  # characters
MAX_KINDS = 1000  # that a run tells of once; a file with more has made them up


class FeedBroken(Exception):
    """The file cannot be read any further; carries the finding that says where and how to mend it."""

    def __init__(self, code: str, line: int, message: str, remedy: str, value: str = "") -> None:
        super().__init__(code)
        self.finding = Finding(code, ERROR, "", line, "", clean(value)[:200], message, remedy)


class Raw(NamedTuple):
    """A record cut out of the file and not looked into: id (empty when it has none), line, bytes, content."""

    external_id: str
    line: int
    raw: bytes
    content: Any


class Occupation(NamedTuple):
    """An occupation that a feed may name."""

    uri: str
    isco_code: str
    label: str


def values(text: str | bytes) -> int:
    """Returns about how many values a piece of JSON holds, by what opens one or stands between two; never
    less than half of them. What is in texts counts, too."""
    signs: tuple[Any, ...] = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")
    return sum(map(text.count, signs))


def marks(piece: bytes) -> int:
    """Returns about how many elements and attributes a piece of XML holds, by what opens one or assigns it;
    never less, in any encoding that has these as single bytes. What is in texts counts, too."""
    return piece.count(b"<") + piece.count(b"=")


def weight(raw: bytes, held: int) -> int:
    """Returns what a record counts for in memory, bytes; `held`: about how many values it holds. Many small
    ones take far more than in the file."""
    return max(len(raw), held * (MAX_RECORD_BYTES // MAX_VALUES))


def batches(reader: FeedReader, records: Iterator[Raw], count: int, size: int) -> Iterator[list[Raw]]:
    """Yields records together: up to `count`, and no further one once they have `size` bytes by `weight`."""
    batch: list[Raw] = []
    held = 0
    for raw in records:
        batch.append(raw)
        held += weight(raw.raw, reader.holds(raw.raw))
        if len(batch) == count or held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class Context:
    """What a reader needs to know beside the file.

    `occupations`: URI → occupation of the imported taxonomy. `told`: what this run has told of, see `once`.
    """

    default_language: str = "en"
    default_nuts_code: str = ""
    taxonomy_version: str = ""
    occupations: Mapping[str, Occupation] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def once(self, kind: str) -> bool:
        """True when a run asks for `kind` the first time: what is alike in every record is told once."""
        if kind in self.told or len(self.told) >= MAX_KINDS:
            return False
        self.told.add(kind)
        return True


class FeedReader(Protocol):
    """One format. `revision` changes whenever the same record would be read into another document."""

    revision: str

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Cuts the file into records, in memory that does not grow; raises FeedBroken."""

    def holds(self, raw: bytes, /) -> int:
        """Returns about how many values a record holds, by its bytes; never less than half of them."""

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads one record into a document (see `domain.courses`) for course id `course`.

        What is wrong with it goes into `findings`; an error there means the document must not be used.
        """


class Source(Protocol):
    """Anything with `read(n)`."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, none at the end."""


class Bounded:
    """A stream that stops a record from growing without end."""

    def __init__(self, stream: Source, limit: int = MAX_RECORD_BYTES) -> None:
        self._stream = stream
        self._limit = limit
        self._since = 0
        self._values = 0

    def record_done(self) -> None:
        """Says that a record was cut off, so that counting starts again."""
        self._since = self._values = 0

    def counted(self, found: int) -> int:
        """Counts values of the record in progress; returns how many it has by now."""
        self._values += found
        return self._values

    def read(self, size: int = -1) -> bytes:
        """Reads; raises FeedBroken when the record in progress is larger than the limit."""
        data = self._stream.read(min(size, 65536) if size > 0 else 65536)
        self._since += len(data)
        if self._since > self._limit:
            raise FeedBroken(
                "RECORD_TOO_LARGE",
                0,
                f"One record is larger than {self._limit >> 20} MiB.",
                "Check that every record is closed; shorten descriptions.",
            )
        return data
