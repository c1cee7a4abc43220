"""The towns that ship with the catalogue (`data/README.md`), and the regions of NUTS 2024, by name."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from services.catalogue.domain.gazetteer import Kind, Place, country_of
from services.catalogue.domain.labels import normal
from services.platform.regions import Region, every

TOWNS = Path(__file__).with_name("data") / "towns.csv"
REVISION = "1"  # changes whenever the files do


class Shipped:
    """Regions by NUTS code, regions and towns by name."""

    def __init__(self) -> None:
        self.regions: dict[str, Place] = {}
        self._named: defaultdict[str, list[Place]] = defaultdict(list)
        self._also: defaultdict[str, list[Place]] = defaultdict(list)
        self.names: list[str] = []  # of towns, the first of each
        for region in every():
            if region.degrees:
                self._add_region(region, region.degrees)
        for row in _towns():
            self._add_town(row)

    def named(self, key: str) -> list[Place]:
        """Returns the towns and regions of a name, as of `domain.labels.normal`; where there are none, those
        that have it as another one."""
        return self._named.get(key) or self._also.get(key, [])

    def _add_region(self, region: Region, middle: tuple[float, float]) -> None:
        place = Place(Kind.REGION, region.name, country_of(region.code), region.code, *middle)
        self.regions[region.code] = place
        self._named[normal(region.name)].append(place)

    def _add_town(self, row: dict[str, str]) -> None:
        degrees = float(row["latitude"]), float(row["longitude"])
        place = Place(Kind.TOWN, row["name"], row["country"], "", *degrees)
        self.names.append(row["name"])
        self._named[normal(row["name"])].append(place)
        for name in filter(None, row["other_names"].split("|")):
            self._also[normal(name)].append(place)


@cache
def shipped() -> Shipped:
    """Returns what ships, read once a process."""
    return Shipped()


def _towns() -> Iterator[dict[str, str]]:
    with TOWNS.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
