"""Sample feeds with their dates where they were when they were written: ahead of today, by whole weeks."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

WRITTEN = date(2026, 11, 2)  # the day that the samples are written for
_DAY = re.compile(rb"(?<![\w-])20\d\d-\d\d-\d\d(?![\d-])")


@contextmanager
def dated(sample: Path, today: date) -> Iterator[Path]:
    """Yields a file of the same name whose days are as far from `today` as the sample's are from WRITTEN."""
    ahead = timedelta(weeks=(today - WRITTEN).days // 7)

    def later(found: re.Match[bytes]) -> bytes:
        try:
            return str(date.fromisoformat(found[0].decode()) + ahead).encode()
        except ValueError:  # one that does not exist, which the import is to find
            return found[0]

    with tempfile.TemporaryDirectory(prefix="waymark-sample-") as folder:
        file = Path(folder, sample.name)
        file.write_bytes(_DAY.sub(later, sample.read_bytes()))
        yield file
