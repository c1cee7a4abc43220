"""A file of rows reads on from anywhere as from the start, and a row of facts says what is wrong with it."""

from __future__ import annotations

import io
from datetime import date
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.fact_file import read
from services.vouchers.domain.facts import Fact, Source, Told
from services.vouchers.domain.row_files import FileRow, Form, Place, Rows

DAY = date(2026, 11, 26)
FORM = Form(("a", "b"), ("c",), 1000, reason_pb2.REASON_LEARNER_FACT_FILE_INVALID)
CELLS = st.text(st.sampled_from('ab ü€,;"\n\r\ufeff'), max_size=4)


def quoted(cells: list[str], end: str, separator: str = ",") -> str:
    return separator.join('"' + cell.replace('"', '""') + '"' for cell in cells) + end


def rows_of(content: bytes, place: Place | None = None, most: int = 10_000) -> tuple[list[FileRow], Place]:
    """Reads rows from a place on; returns them and the place after them."""
    stream = io.BytesIO(content[place.offset :] if place else content)
    rows = Rows(stream, FORM, place)
    return list(islice(rows, most)), rows.place


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(",;"),
    st.booleans(),
    st.integers(1, 3),
)
def test_a_file_read_in_parts_is_the_file_read_whole(
    table: list[list[str]], end: str, separator: str, marked: bool, part: int
) -> None:
    header = ("\ufeff" if marked else "") + quoted(["a", "b"], end, separator)
    text = header + "".join(quoted(row, end, separator) for row in table)
    whole, last = rows_of(text.encode())
    assert [list(row.values.values()) for row in whole] == [
        [cell.strip() for cell in row] for row in table if any(row)
    ]
    found, place = rows_of(text.encode(), None, 0)
    while some := rows_of(text.encode(), place, part):
        found, place = found + some[0], some[1]
        if len(some[0]) < part:
            break
    assert found == whole
    assert place == last


def test_too_many_rows_are_too_many_also_when_read_in_parts() -> None:
    content = b"a,b\n" + b"1,2\n" * 1001
    _, place = rows_of(content, None, 600)
    with pytest.raises(Refusal, match="more than 1000 rows"):
        rows_of(content, place)


def row(**changed: str) -> FileRow:
    values = {"learner": "x", "key": "education_level", "value": "4", "source": "PES_REGISTER"}
    return FileRow(2, {**values, **changed}, "")


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("education_level", "8", 8),
        ("has_disability", "False", False),
        ("employment_status", "unemployed", "unemployed"),
        ("unemployed_since", "2024-02-29", date(2024, 2, 29)),
    ],
)
def test_a_value_has_the_type_of_its_key(key: str, written: str, value: object) -> None:
    told = read(row(key=key, value=written), DAY)
    assert told == Told("learners/x", Fact(key, value, Source.PES_REGISTER, DAY))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("education_level", "4.0"),
        ("education_level", "+4"),
        ("education_level", "٤"),
        ("education_level", "9" * 5000),
        ("education_level", ""),
        ("has_disability", "1"),
        ("has_disability", "yes"),
        ("unemployed_since", "2026-W01-1"),
        ("unemployed_since", "20260101"),
        ("unemployed_since", "2026-13-01"),
        ("residence_nuts", "Antwerp"),
    ],
)
def test_a_value_written_otherwise_is_a_finding_without_the_value(key: str, written: str) -> None:
    (wrong,) = read(row(key=key, value=written), DAY)
    assert isinstance(wrong, tuple)
    assert wrong.field == "value"  # type: ignore[union-attr]
    assert wrong.description.startswith("must be")  # type: ignore[union-attr]
    assert not written or written not in wrong.description  # type: ignore[union-attr]


def test_all_cells_that_are_wrong_are_told() -> None:
    found = read(row(learner="", key="", source="pes_register", observed_date="today"), DAY)
    assert [each.field for each in found] == ["learner", "key", "source", "observed_date"]  # type: ignore[union-attr]
