"""What a name, postcode or NUTS code may mean, by what ships and by the tables in use; and where that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.distance import Degrees, middle
from services.catalogue.domain.gazetteer import (
    Kind,
    Place,
    country_of,
    in_country,
    keys,
    near_names,
    region_code,
)
from services.catalogue.gazetteer.shipped import shipped
from services.catalogue.store import places
from services.platform.errors import Refusal

TOLD = 10  # places or names that a refusal lists


def ships(text: str, country: str = "") -> list[Place]:
    """Returns what ships and goes by a text, in a country (see `domain.gazetteer.country_of`) or any."""
    known = shipped()
    region = known.regions.get(region_code(text))
    if region is not None:
        return in_country([region], country)
    return in_country(known.named(keys(text)[Kind.TOWN]), country)


def find(connection: Connection, tables: Mapping[str, str], text: str, country: str = "") -> list[Place]:
    """Returns the places that a text may mean. Of a country with a table (country → version) that knows it,
    they are the table's."""
    country = country_of(country)
    wanted = {key: version for key, version in tables.items() if country in ("", key)}
    if not wanted or (region_code(text) in shipped().regions):
        return ships(text, country)
    found = places.find(connection, wanted, keys(text))
    told = {place.country for place in found}
    return found + [place for place in ships(text, country) if place.country not in told]


def where(text: str, found: Sequence[Place]) -> Degrees:
    """Returns where the places that a text may mean are; raises Refusal PLACE_UNKNOWN or PLACE_AMBIGUOUS."""
    if not found:
        raise unknown(text)
    at = middle([(place.latitude, place.longitude) for place in found])
    if at is None:
        raise ambiguous(found)
    return at


def spot(found: Sequence[Place]) -> Degrees | None:
    """Returns where the one town or postcode among places is; None for none, or several far apart."""
    points = [(place.latitude, place.longitude) for place in found if place.kind != Kind.REGION]
    return middle(points) if points else None


def unknown(text: str) -> Refusal:
    """Returns the refusal of a text that nothing goes by, with names like it."""
    near = "; ".join(near_names(text, shipped().names))
    detail = f"Nothing goes by that name; names like it: {near}." if near else ""
    return Refusal(reason_pb2.REASON_PLACE_UNKNOWN, detail, metadata={"near_names": near})


def ambiguous(found: Sequence[Place]) -> Refusal:
    """Returns the refusal of a text that several places go by, with which."""
    told = dict.fromkeys(f"{place.name or place.code}, {place.country}" for place in found)
    names = "; ".join([*told][:TOLD])
    detail = f"Places far from each other go by this name: {names}." if names else ""
    return Refusal(reason_pb2.REASON_PLACE_AMBIGUOUS, detail, metadata={"places": names})
