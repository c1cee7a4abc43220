"""Files of questions: what is read, and what is said of one that holds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.exits import Failure
from services.cli.shortage_questions import questions


def test_rows_with_and_without_a_day(tmp_path: Path) -> None:
    file = tmp_path / "asked.csv"
    file.write_bytes(b"\xef\xbb\xbfregion,occupation,date\r\nBE2,7212,2026-01-01\r\nBE,25\r\n")
    assert [(row["occupation"], row["region"], row["date"]) for row in questions(file)] == [
        ("7212", "BE2", "2026-01-01"),
        ("25", "BE", ""),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "lacks occupation, region"),
        (b"occupation,date\n7212,\n", "lacks region"),
        (b"occupation,region\n", "has no rows"),
        (b"occupation,region\n\xff,BE\n", "utf-8"),
    ],
)
def test_a_file_without_questions_is_told_apart(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "asked.csv"
    file.write_bytes(content)
    with pytest.raises(Failure, match=why):
        questions(file)
