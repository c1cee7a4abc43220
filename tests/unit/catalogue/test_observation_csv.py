"""Files of figures are read on from where reading stopped, not from their first row."""

from __future__ import annotations

import io
from itertools import islice

import pytest
from waymark.catalogue.v1.observation_pb2 import ObservationFormat as Format

from services.catalogue.imports.observation_csv import Cursor, rows

CSV = Format.OBSERVATION_FORMAT_CSV
HEAD = "measure,occupation,region,period,value,unit\r\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_read_on_from_any_row(mark: str, end: str) -> None:
    cells = ['"two\nlines"', "é", '"a ""word"""', "", "plain"]
    body = "".join(f"travel,2512,BE2,2026,{cell},minutes{end}{end}" for cell in cells)
    data = (mark + HEAD + body).encode()
    whole = list(rows(io.BytesIO(data), CSV))
    assert [row["value"] for _, row in whole] == ["two\nlines", "é", 'a "word"', "", "plain"]
    for size in (1, 2, 3):
        cursor, found = Cursor(), []
        while part := list(islice(rows(io.BytesIO(data[cursor.offset :]), CSV, cursor), size)):
            found += part
        assert found == whole
        assert cursor.count == len(cells)
