"""Distances on the earth."""

from __future__ import annotations

import math
from collections.abc import Sequence

EARTH_KM = 6371.0088
FAR = 25.0  # kilometres from the middle of a town that may still be it

Degrees = tuple[float, float]  # latitude and longitude, WGS 84


def distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Returns kilometres between two points on the great circle (haversine)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    turn = math.radians(lon2 - lon1)
    a = math.sin((phi2 - phi1) / 2) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(turn / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))


def middle(points: Sequence[Degrees]) -> Degrees | None:
    """Returns the middle of points; None when one of them is more than FAR from it: they are no one place."""
    latitude, longitude = (sum(values) / len(points) for values in zip(*points, strict=True))
    apart = max(distance(latitude, longitude, *point) for point in points)
    return (latitude, longitude) if apart <= FAR else None
