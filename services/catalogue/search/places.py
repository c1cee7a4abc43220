"""The places that courses are at, to find those within a circle.

They lie in cells, and these in larger cells, down from the first of SIDES. A cell that a circle holds
altogether is asked for as one, and one that it does not touch is passed by, so that only along its edge
places are compared and asked for one by one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.catalogue.domain.distance import EARTH_KM, Degrees
from services.catalogue.domain.labels import normal

SIDES = (1.0, 0.5, 0.25, 0.125)  # degrees

Point = tuple[float, float, float]  # on a sphere of radius 1


def term(latitude: float, longitude: float) -> str:
    """Returns the term of a place: degrees to five decimals, about a metre."""
    return f"{latitude:.5f},{longitude:.5f}"


def degrees(place: str) -> Degrees:
    """Returns latitude and longitude of a place (its term)."""
    latitude, longitude = map(float, place.split(","))
    return latitude, longitude


def cells(place: str) -> list[str]:
    """Returns the terms of the cells that a place (its term) lies in, the largest first."""
    latitude, longitude = map(float, place.split(","))
    return [f"{side}:{math.floor(latitude / side)},{math.floor(longitude / side)}" for side in SIDES]


def town(name: str, latitude: float, longitude: float) -> str:
    """Returns the term that says where a town is."""
    return f"{normal(name)}\t{term(latitude, longitude)}"


@dataclass(frozen=True)
class Found:
    """What lies within a circle: cells, and the places in none of them."""

    cells: list[str]
    places: list[str]


class Places:
    """Every place that courses are at. `terms`: of these places; `towns`: of the towns they are in."""

    def __init__(self, terms: Sequence[str], towns: Sequence[str] = ()) -> None:
        self.terms, self.towns = terms, towns
        self._named: defaultdict[str, list[Degrees]] = defaultdict(list)
        for name, _, place in (each.partition("\t") for each in towns):
            self._named[name].append(degrees(place))
        self._roots = _split([(cells(place), _point(place), place) for place in terms], 0)

    def within(self, latitude: float, longitude: float, radius_km: float) -> Found:
        """Returns what is at most `radius_km` away."""
        # The straight way through the earth is as good as the great circle to compare by, and far cheaper.
        limit = 2 * math.sin(min(radius_km / EARTH_KM, math.pi) / 2)
        middle, found = _on_sphere(latitude, longitude), Found([], [])
        away_from, looked_at = math.dist, list(self._roots)
        for cell in looked_at:  # it grows by what is within cells at the edge
            away = away_from(middle, cell.centre)
            if away + cell.reach < limit:
                found.cells.append(cell.name)
            elif away - cell.reach <= limit:
                looked_at += cell.inner
                found.places.extend(
                    [place for point, place in cell.members if away_from(middle, point) <= limit]
                )
        return found

    def named(self, name: str) -> list[Degrees]:
        """Returns where courses are in a town, none in one that nobody is in."""
        return self._named.get(normal(name), [])


_Member = tuple[list[str], Point, str]  # its cells, where it is, its term


class _Cell:
    """Places near each other: a centre among them, and how far the farthest is from it."""

    __slots__ = ("centre", "inner", "members", "name", "reach")

    def __init__(self, name: str, members: list[_Member], level: int) -> None:
        self.name = name
        self.centre = members[0][1]
        self.reach = max(math.dist(self.centre, point) for _, point, _ in members)
        self.inner = _split(members, level + 1) if level + 1 < len(SIDES) else []
        self.members = [] if self.inner else [(point, place) for _, point, place in members]


def _split(members: Sequence[_Member], level: int) -> list[_Cell]:
    parts: defaultdict[str, list[_Member]] = defaultdict(list)
    for member in members:
        parts[member[0][level]].append(member)
    return [_Cell(name, part, level) for name, part in parts.items()]


def _point(place: str) -> Point:
    return _on_sphere(*degrees(place))


def _on_sphere(latitude: float, longitude: float) -> Point:
    phi, turn = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(turn), math.cos(phi) * math.sin(turn), math.sin(phi)
