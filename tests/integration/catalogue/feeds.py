"""Feeds in the CSV template for tests."""

from __future__ import annotations

import csv
import io

from services.catalogue.imports.csv_template import COLUMNS


def row(key: str, title: str, **values: str) -> dict[str, str]:
    """Returns a row with one session that can be booked in 2030."""
    return {
        "course_id": key,
        "title": title,
        "language": "en",
        "session_id": "S1",
        "start_date": "2030-03-01",
        "price": "100.00",
        "mode": "on_site",
        "instruction_language": "nl",
        "nuts_code": "BE211",
        "eqf_level": "4",
        **values,
    }


def feed(*rows: dict[str, str]) -> bytes:
    """Returns the file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def many(count: int) -> list[dict[str, str]]:
    """Returns rows C0, C1, …"""
    return [row(f"C{number}", f"Course number {number}") for number in range(count)]
