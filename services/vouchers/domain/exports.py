"""Rows as files, a part at a time: CSV and Apache Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from services.vouchers.domain.statements import csv_lines, moment_text

CHUNK = 256 * 1024  # bytes of one message at most


class Type(Enum):
    """What a column holds: text, whole numbers (cents), moments in UTC."""

    TEXT = auto()
    CENTS = auto()
    TIME = auto()


class Column(NamedTuple):
    """Name and type of a column."""

    name: str
    type: Type = Type.TEXT


Rows = Iterable[Sequence[Sequence[Any]]]  # some at a time


def as_csv(columns: Sequence[Column], rows: Rows) -> Iterator[bytes]:
    """Yields a CSV file (RFC 4180) in UTF-8, header first."""
    yield csv_lines([[column.name for column in columns]])
    for some in rows:
        yield from _chunks(csv_lines(map(_cells, some)))


def as_parquet(columns: Sequence[Column], rows: Rows) -> Iterator[bytes]:
    """Yields a Parquet file, a row group for each of `rows`; the footer comes last."""
    # Here, because hardly any process writes Parquet, and the library takes long to load.
    import pyarrow
    from pyarrow import parquet

    types = {
        Type.TEXT: pyarrow.string(),
        Type.CENTS: pyarrow.int64(),
        Type.TIME: pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema([(column.name, types[column.type]) for column in columns])
    # The library's own pools keep what they once had; the system's gets it back.
    pool = pyarrow.system_memory_pool()
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for some in rows:
            arrays = [
                pyarrow.array(values, field.type, memory_pool=pool)
                for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield from _chunks(sink.taken())
    yield from _chunks(sink.taken())


class _Sink:
    """A file that is written once, from which what was written is taken as it comes."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> bytes:
        """Returns what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def _cells(row: Sequence[Any]) -> list[str]:
    return [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    return "" if value is None else str(value)
