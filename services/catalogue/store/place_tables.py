"""Tables of places that countries import."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
)

from services.catalogue.store.columns import metadata, moment

place_versions = Table(
    "place_versions",
    metadata,
    Column("country", Text, primary_key=True),  # ISO 3166-1 alpha 2
    Column("version", Text, primary_key=True),
    Column("place_count", Integer, nullable=False),
    moment("import_time", now=True),  # of a country the one imported last is in use
    Index("place_versions_newest", "import_time", "country", "version"),
)

# Written with their version in one transaction and never again, so that nothing has to be checked row by row.
places = Table(
    "places",
    metadata,
    Column("country", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # domain.gazetteer.Kind
    Column("key", Text(collation="C"), nullable=False),  # domain.gazetteer.keys
    Column("name", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Index("places_key", "key", "country", "version"),
)
