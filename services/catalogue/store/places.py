"""Statements on imported tables of places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.gazetteer import Kind, Place
from services.catalogue.store.place_tables import place_versions, places
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

MOST = 500  # points of one name or postcode that are looked at
_COLUMNS = "places (country, version, kind, key, name, code, latitude, longitude)"


class PlaceRow(NamedTuple):
    """A postcode or town as a file tells of it; `key`: see `domain.gazetteer.keys`."""

    kind: Kind
    key: str
    name: str
    code: str
    latitude: float
    longitude: float


def add_version(tx: Transaction, country: str, version: str, found: Iterable[PlaceRow]) -> Row[Any]:
    """Adds a table whole; returns the row of its version. Raises Refusal(ALREADY_EXISTS)."""
    row = place_versions.c
    itself = row.country == country, row.version == version
    try:
        with tx.connection.begin_nested():
            tx.execute(insert(place_versions).values(country=country, version=version, place_count=0))
    except IntegrityError as error:
        detail = f"Version {version} of {country} is imported."
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS, detail) from error
    counted = count()  # as rows are written, so that no list of them is needed
    copy(
        tx.connection,
        _COLUMNS,
        ((country, version, *place) for place, _ in zip(found, counted, strict=False)),
    )
    statement = update(place_versions).where(*itself).values(place_count=next(counted))
    return tx.execute(statement.returning(place_versions)).one()


def listing() -> Select[Any]:
    """Selects the versions."""
    return select(place_versions)


def in_use(connection: Connection) -> dict[str, str]:
    """Returns country → version in use."""
    row = place_versions.c
    statement = select(row.country, row.version).order_by(row.import_time)
    return {each.country: each.version for each in connection.execute(statement)}


def find(connection: Connection, tables: Mapping[str, str], keys: Mapping[Kind, str]) -> list[Place]:
    """Returns the places that `domain.gazetteer.keys` names, in tables of these countries and versions."""
    row = places.c
    statement = (
        select(row.kind, row.name, row.country, row.code, row.latitude, row.longitude)
        .where(tuple_(row.kind, row.key).in_([(int(kind), key) for kind, key in keys.items() if key]))
        .where(tuple_(row.country, row.version).in_(list(tables.items())))
        .distinct()
        .order_by(row.country, row.kind, row.name)
        .limit(MOST)
    )
    return [Place(Kind(each[0]), *each[1:]) for each in connection.execute(statement)]
