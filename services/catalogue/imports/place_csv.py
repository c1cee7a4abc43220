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
        if at is None:
            problems.add(line, "latitude, longitude", "are no degrees of WGS 84 such as 51.2205 and 4.4003")
            continue
        postcode, town = _name(row, "postcode"), _name(row, "town")
        code_key, town_key = key_of(Kind.POSTCODE, postcode), key_of(Kind.TOWN, town)
        if code_key:
            yield PlaceRow(Kind.POSTCODE, code_key, town, postcode, *at)
        if town_key:
            yield PlaceRow(Kind.TOWN, town_key, town, "", *at)
        if code_key or town_key:
            empty = False
        else:
            problems.add(line, "postcode, town", "one of the two must be told")
    if empty:
        problems.add(0, "", "holds no places")
    problems.check()


def _name(row: dict[str, str], column: str) -> str:
    return clean(row.get(column, "")).strip()[:MAX_NAME]


def _degrees(row: dict[str, str]) -> tuple[float, float] | None:
    """Degrees to four decimals, about ten metres."""
    try:
        latitude, longitude = round(float(row["latitude"]), 4), round(float(row["longitude"]), 4)
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
