"""Tables of places: postcodes and towns of a country, with where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import clean
from services.catalogue.domain.gazetteer import Kind, key_of
from services.catalogue.imports.csv_rows import Limits, Problems, rows
from services.catalogue.store.places import PlaceRow

LIMITS = Limits(rows=200_000, bytes=32 << 20)  # what one call takes in within its deadline
MAX_NAME = 100  # characters


def read_places(stream: BinaryIO) -> Iterator[PlaceRow]:
    """Yields postcodes and towns; see `ImportPlacesRequest.upload`.

    Raises Refusal(PLACE_FILE_INVALID) at the end of the file, when something in it is wrong.
    """
    problems = Problems(reason_pb2.REASON_PLACE_FILE_INVALID)
    empty = True
    for line, row in rows(stream, ("latitude", "longitude"), LIMITS, problems):
        at = _degrees(row)
        postcode, town = (clean(row.get(name, "")).strip()[:MAX_NAME] for name in ("postcode", "town"))
        found = [
            PlaceRow(kind, key, town, code, *at)
            for kind, text, code in ((Kind.POSTCODE, postcode, postcode), (Kind.TOWN, town, ""))
            if at and (key := key_of(kind, text))
        ]
        if at is None:
            problems.add(line, "latitude, longitude", "are no degrees of WGS 84 such as 51.2205 and 4.4003")
        elif not found:
            problems.add(line, "postcode, town", "one of the two must be told")
        empty = empty and not found
        yield from found
    if empty:
        problems.add(0, "", "holds no places")
    problems.check()


def _degrees(row: dict[str, str]) -> tuple[float, float] | None:
    """Degrees to four decimals, about ten metres."""
    try:
        latitude, longitude = (round(float(row[name]), 4) for name in ("latitude", "longitude"))
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
