"""Writes what a list holds as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.cli import output
from services.cli.exits import ExitCode, Failure


def write_rows(file: Path, columns: Mapping[str, str], rows: Iterable[output.Row], *, remedy: str) -> int:
    """Writes rows with the named columns as they come, header first; returns how many. Raises Failure, with
    `remedy` where the file cannot be written."""
    count = 0
    try:
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            for count, row in enumerate(rows, 1):  # noqa: B007 - the last one counts
                writer.writerow([output.text(output.at(row, path)) for path in columns.values()])
    except OSError as error:
        text = f"{file} cannot be written: {error.strerror}."
        raise Failure(ExitCode.OTHER, text, remedy=remedy) from error
    return count
