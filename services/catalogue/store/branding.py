"""Statements on branding. A branch that has none is shown with that of the next above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, text

from services.catalogue.domain.organisations import DEEPEST
from services.catalogue.store.tables import organisations

_BRANDED = text(
    """
    WITH RECURSIVE above (origin, id, parent_id, logo_id, narratives, level) AS (
      SELECT id, id, parent_id, logo_id, narratives, 1 FROM organisations WHERE id = ANY(:ids)
      UNION ALL
      SELECT above.origin, o.id, o.parent_id, o.logo_id, o.narratives, above.level + 1
      FROM above JOIN organisations o ON o.id = above.parent_id
      WHERE above.logo_id IS NULL AND above.narratives = '{}' AND above.level < :deepest
    )
    SELECT origin, id, logo_id, narratives FROM above WHERE logo_id IS NOT NULL OR narratives <> '{}'
    """
).bindparams(bindparam("deepest", DEEPEST))


class Shown(NamedTuple):
    """An organisation as a hit shows it: display name, resource name of its logo where it has one, and its
    sector, or that of the next above it that says one."""

    display_name: str
    logo: str
    sector: int


def logo_name(organisation: str, logo: str | None) -> str:
    """Returns the resource name of a logo, "" for none."""
    return f"organisations/{organisation}/logos/{logo}" if logo else ""


def shown(connection: Connection) -> dict[str, Shown]:
    """Returns organisation id → how it is shown, of all."""
    row = organisations.c
    columns = (row.id, row.display_name, row.logo_id, row.parent_id, row.narratives, row.sector)
    found = connection.execute(select(*columns))
    rows = {each.id: each for each in found}
    return {
        key: Shown(each.display_name, _logo(rows, each), _sector(rows, each)) for key, each in rows.items()
    }


def branded(connection: Connection, ids: Iterable[str]) -> dict[str, Any]:
    """Returns organisation id → row (id, logo_id, narratives) of whose branding it is shown with, if any."""
    found = connection.execute(_BRANDED, {"ids": list(set(ids))})
    return {each.origin: each for each in found}


def _logo(rows: Mapping[str, Any], row: Any) -> str:
    for _ in range(DEEPEST):
        if row.logo_id or row.narratives or row.parent_id is None:
            break
        row = rows[row.parent_id]
    return logo_name(row.id, row.logo_id)


def _sector(rows: Mapping[str, Any], row: Any) -> int:
    for _ in range(DEEPEST):
        if row.sector or row.parent_id is None:
            break
        row = rows[row.parent_id]
    return int(row.sector)
