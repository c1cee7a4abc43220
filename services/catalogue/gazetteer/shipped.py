"""The regions and towns that ship with the catalogue; where they come from: `data/README.md`."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from services.catalogue.domain.gazetteer import Kind, Place, country_of
from services.catalogue.domain.labels import normal

DATA = Path(__file__).with_name("data")
REVISION = "1"  # changes whenever the files do


class Shipped:
    """Regions by NUTS code, regions and towns by name."""

    def __init__(self) -> None:
        self.codes = set[str]()  # of all regions, also of those without a middle
        self.regions: dict[str, Place] = {}
        self._named: defaultdict[str, list[Place]] = defaultdict(list)
        self._also: defaultdict[str, list[Place]] = defaultdict(list)
        self.names: list[str] = []  # of towns, the first of each
        for row in _rows("nuts_2024.csv"):
            self.codes.add(row["code"])
            if row["latitude"]:
                self._add_region(row)
        for row in _rows("towns.csv"):
            self._add_town(row)

    def named(self, key: str) -> list[Place]:
        """Returns the towns and regions of a name, as of `domain.labels.normal`; where there are none, those
        that have it as another one."""
        return self._named.get(key) or self._also.get(key, [])

    def _add_region(self, row: dict[str, str]) -> None:
        code = row["code"]
        place = Place(Kind.REGION, row["name"], country_of(code), code, *_degrees(row))
        self.regions[code] = place
        self._named[normal(row["name"])].append(place)

    def _add_town(self, row: dict[str, str]) -> None:
        place = Place(Kind.TOWN, row["name"], row["country"], "", *_degrees(row))
        self.names.append(row["name"])
        self._named[normal(row["name"])].append(place)
        for name in filter(None, row["other_names"].split("|")):
            self._also[normal(name)].append(place)


@cache
def shipped() -> Shipped:
    """Returns what ships, read once a process."""
    return Shipped()


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _degrees(row: dict[str, str]) -> tuple[float, float]:
    return float(row["latitude"]), float(row["longitude"])
