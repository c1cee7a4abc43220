"""Circles around a point: what is found is what the great circle says, wherever on earth."""

from __future__ import annotations

import random

import pytest

from services.catalogue.domain.distance import distance, middle
from services.catalogue.search.places import Places, cells, term, town


@pytest.mark.parametrize("radius", [0.01, 1.0, 50.0, 500.0])
@pytest.mark.parametrize("centre", [(50.5, 4.5), (0.0, 179.99), (-89.5, 10.0), (69.9, -179.99)])
def test_within_a_circle(centre: tuple[float, float], radius: float) -> None:
    pick = random.Random(5)
    spread = 2 * radius / 111
    points = [
        (
            round(max(-90.0, min(90.0, centre[0] + pick.uniform(-spread, spread))), 5),
            round((centre[1] + pick.uniform(-spread, spread) + 180) % 360 - 180, 5),
        )
        for _ in range(500)
    ]
    found = Places([term(*point) for point in points]).within(*centre, radius)
    expected = {term(*point) for point in points if distance(*centre, *point) <= radius}
    whole = set(found.cells)
    inside = {term(*point) for point in points if whole.intersection(cells(term(*point)))}
    assert inside.isdisjoint(found.places)
    assert inside.union(found.places) == expected
    assert 0 < len(expected) < len(points)


def test_towns_by_name_whatever_case_and_accents() -> None:
    towns = [town("Liège", 50.63, 5.57), town("Liège", 50.65, 5.59), town("Halle", 50.73, 4.23)]
    known = Places([], [*towns, town("Halle", 51.48, 11.97)])
    assert known.named("LIEGE") == [(50.63, 5.57), (50.65, 5.59)]
    assert middle(known.named("Liège")) == pytest.approx((50.64, 5.58))
    assert known.named("Nowhere") == []
    assert middle(known.named("halle")) is None  # one in Belgium, one in Germany
