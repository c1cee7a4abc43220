"""The walk's sample feeds never run out of courses that are still to come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.cli.demo.data import SAMPLES
from services.cli.demo.dating import WRITTEN, dated

FEED = b"id,start_date\na 2,2027-01-18\nHC-2020-01,2026-11-02T08:00:00Z\nb,2027-02-30\n"


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (0, FEED),
        (6, FEED),
        (7 * 52, b"id,start_date\na 2,2028-01-17\nHC-2020-01,2027-11-01T08:00:00Z\nb,2027-02-30\n"),
        (-14, b"id,start_date\na 2,2027-01-04\nHC-2020-01,2026-10-19T08:00:00Z\nb,2027-02-30\n"),
    ],
)
def test_days_move_by_whole_weeks_and_nothing_else_does(tmp_path: Path, days: int, found: bytes) -> None:
    sample = tmp_path / "feed.csv"
    sample.write_bytes(FEED)
    with dated(sample, WRITTEN + timedelta(days)) as file:
        assert (file.name, file.read_bytes()) == ("feed.csv", found)
    assert not file.exists()


def test_samples_can_be_dated() -> None:
    for sample in (SAMPLES / "feeds").iterdir():
        with dated(sample, WRITTEN) as file:
            assert file.read_bytes() == sample.read_bytes()
