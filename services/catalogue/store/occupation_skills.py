"""Statements on which skills occupations need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text, tuple_, update

from services.catalogue.store import taxonomies
from services.catalogue.store.tables import concepts, taxonomy_versions
from services.catalogue.store.taxonomy_tables import occupation_skills
from services.platform.db.copying import copy
from services.platform.db.transaction import Transaction

_o = occupation_skills.c


class NeededRow(NamedTuple):
    """An occupation with the skills it needs."""

    scheme: str
    version: str
    uri: str
    isco_code: str
    essential: list[str]
    optional: list[str]


def add(tx: Transaction, scheme: str, version: str, needs: Mapping[tuple[str, str], bool]) -> None:
    """Adds skills, (concept id, skill URI) → essential, to a version; those there already stay."""
    statement = select(_o.concept_id, _o.skill_uri).where(_o.scheme == scheme, _o.version == version)
    known = {tuple(row) for row in tx.execute(statement)}
    fresh = [(scheme, version, *key, essential) for key, essential in needs.items() if key not in known]
    copy(tx.connection, "occupation_skills (scheme, version, concept_id, skill_uri, essential)", fresh)
    tx.execute(text("ANALYZE occupation_skills"))
    of_version = (taxonomy_versions.c.scheme == scheme) & (taxonomy_versions.c.version == version)
    tx.execute(
        update(taxonomy_versions).where(of_version).values(occupation_skill_count=len(known) + len(fresh))
    )


def state(connection: Connection) -> str:
    """Returns what changes whenever `all_needs` does."""
    table = taxonomy_versions.c
    current = list(taxonomies.in_use(connection).items())
    statement = select(table.scheme, table.version, table.occupation_skill_count).where(
        tuple_(table.scheme, table.version).in_(current), table.occupation_skill_count > 0
    )
    rows = connection.execute(statement.order_by(table.scheme))
    return ";".join(f"{row.scheme}/{row.version}/{row.occupation_skill_count}" for row in rows)


def all_needs(connection: Connection) -> list[NeededRow]:
    """Returns the occupations of the versions in use whose skills are known, with these."""
    current = list(taxonomies.in_use(connection).items())
    statement = (
        select(
            _o.scheme,
            _o.version,
            concepts.c.uri,
            concepts.c.isco_code,
            func.coalesce(func.array_agg(_o.skill_uri).filter(_o.essential), text("'{}'")),
            func.coalesce(func.array_agg(_o.skill_uri).filter(~_o.essential), text("'{}'")),
        )
        .join_from(
            occupation_skills,
            concepts,
            (_o.scheme == concepts.c.scheme)
            & (_o.version == concepts.c.version)
            & (_o.concept_id == concepts.c.id),
        )
        .where(tuple_(_o.scheme, _o.version).in_(current))
        .group_by(_o.scheme, _o.version, concepts.c.uri, concepts.c.isco_code)
        .order_by(concepts.c.uri)
    )
    return list(map(NeededRow._make, connection.execute(statement)))
