"""The regions of NUTS 2024 (Regulation (EC) No 1059/2003) with their countries; where they come from:
`README.md`."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Region(NamedTuple):
    """A region or country. `level`: 0 (country) to 3. `degrees`: latitude and longitude of its middle, where
    its people are; None for one without."""

    code: str
    level: int
    name: str
    degrees: tuple[float, float] | None


def every() -> list[Region]:
    """Returns all regions, read anew."""
    path = Path(__file__).with_name("nuts_2024.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            Region(
                row["code"],
                int(row["level"]),
                row["name"],
                (float(row["latitude"]), float(row["longitude"])) if row["latitude"] else None,
            )
            for row in csv.DictReader(stream)
        ]


def beyond(code: str) -> frozenset[str]:
    """Returns `code` and the regions around it as far as NUTS 2024 has none of that code: nothing for a
    region of NUTS 2024, `PT17` and `PT170` for `PT170`, which were regions before."""
    return frozenset(code[:length] for length in range(2, len(code) + 1)) - _codes()


@cache
def _codes() -> frozenset[str]:
    return frozenset(region.code for region in every())
