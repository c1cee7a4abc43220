"""Files of figures: the project's own columns, and SDMX-CSV; read row by row, and written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from waymark.catalogue.v1.observation_pb2 import ObservationFormat as Format
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.observations import NAMES, STATUSES
from services.platform.errors import Refusal

MAX_BYTES = 64 << 20
MAX_ROWS = 500_000
_NEEDED = ("measure", "occupation", "region", "period", "value", "unit")
_SDMX = {
    "MEASURE": "measure",
    "OCCUPATION": "occupation",
    "REF_AREA": "region",
    "TIME_PERIOD": "period",
    "OBS_VALUE": "value",
    "UNIT_MEASURE": "unit",
    "OBS_STATUS": "status",
    "CONF_STATUS": "suppressed",
}
_SDMX_STATUS = {"": "", "A": "final", "P": "provisional", "E": "provisional", "F": "forecast"}
_STATUS_SDMX = {"final": "A", "provisional": "P", "forecast": "F"}
_STATUS = {number: word for word, number in STATUSES.items()}
Row = dict[str, str]


@dataclass
class Cursor:
    """How far a file has been read: byte, line, rows, and the columns that its header names."""

    offset: int = 0
    line: int = 0
    count: int = 0
    names: list[str] = field(default_factory=list)


def rows(stream: BinaryIO, form: int, cursor: Cursor | None = None) -> Iterator[tuple[int, Row]]:
    """Yields (line, row) of a file, rows by the columns of the CSV form whatever the format is. `stream`
    begins at the offset of the `cursor`, which goes along: once a row is out, it stands behind it.

    Raises Refusal(OBSERVATION_FILE_INVALID) that names the line of what cannot be read at all.
    """
    at = cursor or Cursor()
    reader = csv.reader(_lines(stream, at), strict=True)
    try:
        at.names = at.names or _names(next(reader, []), form)
        for values in filter(None, reader):
            at.count += 1
            if at.count > MAX_ROWS:
                raise _refused(at.line, f"is beyond the {MAX_ROWS} rows a file may have")
            if len(values) != len(at.names):
                raise _refused(at.line, f"has {len(values)} values, the header {len(at.names)}")
            row = {name: value for name, value in zip(at.names, values, strict=True) if name}
            yield at.line, _from_sdmx(row) if form == Format.OBSERVATION_FORMAT_SDMX_CSV else row
    except csv.Error as error:
        raise _refused(at.line, f"is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise _refused(at.line + 1, "or one soon after is not UTF-8") from None


def _lines(stream: BinaryIO, at: Cursor) -> Iterator[str]:
    """Yields lines with their ends, and counts them and their bytes."""
    for line in io.TextIOWrapper(stream, "utf-8", newline=""):
        at.offset += len(line.encode())
        at.line += 1
        yield line.removeprefix("\ufeff") if at.line == 1 else line


def _names(header: list[str], form: int) -> list[str]:
    """The columns in our words; "" for those passed over."""
    sdmx = form == Format.OBSERVATION_FORMAT_SDMX_CSV
    # SDMX-CSV may write a name as `ID: text in a language`.
    found = [_SDMX.get(name.partition(":")[0].strip().upper(), "") for name in header] if sdmx else []
    found = found or [name.strip().lower() for name in header]
    wanted = {ours: theirs for theirs, ours in _SDMX.items()}
    missing = [wanted[name] if sdmx else name for name in _NEEDED if name not in found]
    if missing:
        raise _refused(1, f"lacks the columns {', '.join(missing)}")
    twice = {name for name in found if name and found.count(name) > 1}
    if twice:
        raise _refused(1, f"has two columns for {', '.join(sorted(twice))}")
    return found


def _from_sdmx(row: Row) -> Row:
    """An SDMX row in our words; a code may be written as `ID: text`, which no URI is."""
    row = {name: _code(value) for name, value in row.items()}
    status = row.get("status", "").upper()
    secret = row.get("suppressed", "").upper() not in ("", "F") or status == "Q"
    return row | {
        "status": _SDMX_STATUS.get("" if status == "Q" else status, status),
        "suppressed": "yes" if secret else "",
    }


def _code(value: str) -> str:
    return value.strip() if "://" in value else value.partition(":")[0].strip()


def write(found: Iterable[Any], form: int) -> Iterator[bytes]:
    """Yields a file of observations (rows of the table), a part for each few rows."""
    sdmx = form == Format.OBSERVATION_FORMAT_SDMX_CSV
    columns = list(_SDMX) if sdmx else list(_SDMX.values())
    part = io.StringIO()
    writer = csv.writer(part, lineterminator="\r\n")
    writer.writerow([*(["DATAFLOW"] if sdmx else []), *columns, *([] if sdmx else ["source"])])
    for number, row in enumerate(found, 1):
        ours = _ours(row)
        if sdmx:
            ours |= {"status": _STATUS_SDMX[ours["status"]], "suppressed": "C" if row.hidden else "F"}
        values = [ours[name] for name in _SDMX.values()]
        writer.writerow([f"WAYMARK:LMI_{row.source_id}(1.0)", *values] if sdmx else [*values, row.source_id])
        if number % 1000 == 0:
            yield part.getvalue().encode()
            part.seek(0)
            part.truncate()
    yield part.getvalue().encode()


def _ours(row: Any) -> dict[str, str]:
    return {
        "measure": NAMES[row.measure],
        "occupation": row.occupation,
        "region": row.nuts_code,
        "period": row.period,
        "value": "" if row.value is None else f"{row.value:.15g}",
        "unit": row.unit,
        "status": _STATUS[row.status],
        "suppressed": "yes" if row.hidden else "no",
    }


def _refused(line: int, what: str) -> Refusal:
    return Refusal(reason_pb2.REASON_OBSERVATION_FILE_INVALID, f"Line {line} {what}.")
