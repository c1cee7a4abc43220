"""Tables of places: postcodes and towns of a country, with where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import clean
from services.catalogue.domain.gazetteer import Kind, keys
from services.catalogue.imports.csv_rows import Limits, Problems, rows
from services.catalogue.store.places import PlaceRow

LIMITS = Limits(rows=2_000_000, bytes=256 << 20)
MAX_NAME = 100  # characters


def read_places(stream: BinaryIO) -> Iterator[PlaceRow]:
    """Yields postcodes and towns, each point of one once; see `ImportPlacesRequest.upload`.

    Raises Refusal(PLACE_FILE_INVALID) at the end of the file, when something in it is wrong.
    """
    problems = Problems(reason_pb2.REASON_PLACE_FILE_INVALID)
    seen: set[tuple[Kind, str, float, float]] = set()
    for line, row in rows(stream, ("latitude", "longitude"), LIMITS, problems):
        at = _degrees(row)
        postcode, town = (clean(row.get(name, "")).strip()[:MAX_NAME] for name in ("postcode", "town"))
        found = [
            PlaceRow(kind, keys(text)[kind], town, postcode if kind == Kind.POSTCODE else "", *at)
            for kind, text in ((Kind.POSTCODE, postcode), (Kind.TOWN, town))
            if at and keys(text)[kind]
        ]
        if at is None:
            problems.add(line, "latitude, longitude", "are no degrees of WGS 84 such as 51.2205 and 4.4003")
        elif not found:
            problems.add(line, "postcode, town", "one of the two must be told")
        for place in found:
            if (key := (place.kind, place.key, place.latitude, place.longitude)) not in seen:
                seen.add(key)
                yield place
    if not seen:
        problems.add(0, "", "holds no places")
    problems.check()


def _degrees(row: dict[str, str]) -> tuple[float, float] | None:
    """Degrees to four decimals, about ten metres."""
    try:
        latitude, longitude = (round(float(row[name]), 4) for name in ("latitude", "longitude"))
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
