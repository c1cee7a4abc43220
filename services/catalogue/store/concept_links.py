"""Links between concepts of versions: what replaces what, and crosswalks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import insert
from waymark.catalogue.v1.taxonomy_change_pb2 import LINK_STRENGTH_CLOSE

from services.catalogue.store.tables import concepts
from services.catalogue.store.taxonomy_tables import concept_links
from services.platform.db.transaction import Transaction

Version = tuple[str, str]  # scheme, version
_l = concept_links.c
ORDER = [_l.source_id, _l.target_scheme, _l.target_version, _l.target_id]
AT_ONCE = 5000
_SUCCESSORS = text(
    """
    WITH RECURSIVE moved (origin, uri) AS (
      SELECT uri, uri FROM unnest(CAST(:uris AS text[])) AS named (uri)
      UNION
      SELECT m.origin, new.uri FROM moved m
      JOIN concepts old ON old.uri = m.uri AND old.scheme = :scheme
      JOIN concept_links l
        ON (l.source_scheme, l.source_version, l.source_id) = (old.scheme, old.version, old.id)
        AND l.strength <= :close
      JOIN concepts new
        ON (new.scheme, new.version, new.id) = (l.target_scheme, l.target_version, l.target_id)
      WHERE new.scheme = :scheme
    )
    SELECT origin, uri FROM moved WHERE uri <> origin
    """
)


def put(tx: Transaction, source: Version, target: Version, links: Iterable[tuple[str, str, int]]) -> None:
    """Adds links (source id, target id, LinkStrength); those there already take the new strength."""
    rows = [
        {
            "source_scheme": source[0],
            "source_version": source[1],
            "source_id": source_id,
            "target_scheme": target[0],
            "target_version": target[1],
            "target_id": target_id,
            "strength": strength,
        }
        for source_id, target_id, strength in links
    ]
    statement = insert(concept_links)
    statement = statement.on_conflict_do_update(
        constraint=concept_links.primary_key, set_={"strength": statement.excluded.strength}
    )
    for start in range(0, len(rows), AT_ONCE):
        tx.execute(statement, rows[start : start + AT_ONCE])


def listing(source: Version, target: Version | None) -> Select[Any]:
    """Selects the links from a version, to one version or (None) all."""
    statement = select(concept_links).where(_l.source_scheme == source[0], _l.source_version == source[1])
    if target is None:
        return statement
    return statement.where(_l.target_scheme == target[0], _l.target_version == target[1])


def replacements(tx: Transaction, scheme: str, before: str, after: str) -> dict[str, list[str]]:
    """Returns URI of one version → URIs of another that stand for it: by links that are exact or close where
    it has any, else by all."""
    old, new = concepts.alias(), concepts.alias()
    statement = (
        listing((scheme, before), (scheme, after))
        .with_only_columns(old.c.uri.label("old"), new.c.uri.label("new"), _l.strength)
        .join(
            old,
            (old.c.scheme == _l.source_scheme)
            & (old.c.version == _l.source_version)
            & (old.c.id == _l.source_id),
        )
        .join(
            new,
            (new.c.scheme == _l.target_scheme)
            & (new.c.version == _l.target_version)
            & (new.c.id == _l.target_id),
        )
    )
    near: defaultdict[str, list[str]] = defaultdict(list)
    every: defaultdict[str, list[str]] = defaultdict(list)
    for row in tx.execute(statement):
        every[row.old].append(row.new)
        if row.strength <= LINK_STRENGTH_CLOSE:
            near[row.old].append(row.new)
    return {**every, **near}


def successors(tx: Transaction, scheme: str, uris: Collection[str]) -> dict[str, list[str]]:
    """Returns URI → URIs of whatever versions that stand for it by exact or close links, of those that have
    any."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    values = {"uris": list(uris), "scheme": scheme, "close": LINK_STRENGTH_CLOSE}
    for row in tx.execute(_SUCCESSORS, values) if uris else ():
        found[row.origin].append(row.uri)
    return found
