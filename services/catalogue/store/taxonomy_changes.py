"""Statements on changes of the version of a scheme that is in use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.taxonomy_change import Move
from services.catalogue.store.tables import courses, taxonomy_versions
from services.catalogue.store.taxonomy_tables import (
    taxonomy_change_courses,
    taxonomy_change_items,
    taxonomy_changes,
)
from services.platform.db.copying import copy
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.operations.table import operations

_c = taxonomy_changes.c


class State(IntEnum):
    """As in `TaxonomyChange.State`."""

    COUNTING = 1
    PROPOSED = 2
    APPLYING = 3
    APPLIED = 4
    UNDOING = 5
    UNDONE = 6


def add(tx: Transaction, scheme: str, before: str, after: str) -> str:
    """Adds a change proposed by the caller; returns its id."""
    values = {
        "id": new_id(),
        "scheme": scheme,
        "from_version": before,
        "to_version": after,
        "state": int(State.COUNTING),
        "proposed_by": tx.principal.subject,
    }
    tx.execute(insert(taxonomy_changes).values(values))
    return values["id"]  # type: ignore[return-value]


def read(tx: Transaction, change: str, *, lock: bool = False) -> Row[Any]:
    """Returns the change with its operation (`op_…`); raises Refusal(NOT_FOUND)."""
    o = operations.c
    columns = (o.state.label("op_state"), o.done, o.total, o.reason)
    joined = taxonomy_changes.outerjoin(operations, o.id == _c.operation_id)
    statement = select(taxonomy_changes, *columns).select_from(joined).where(_c.id == change)
    if lock:
        statement = statement.with_for_update(of=taxonomy_changes)
    row = tx.execute(statement).first()
    if row is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, "There is no such change.")
    return row


def set_values(tx: Transaction, change: str, **values: Any) -> None:
    """Changes columns."""
    tx.execute(update(taxonomy_changes).where(_c.id == change).values(**values))


def take_in_use(tx: Transaction, scheme: str, version: str, *, use: bool) -> None:
    """Makes a version the one in use, or no more, so that the one before it is."""
    v = taxonomy_versions.c
    statement = update(taxonomy_versions).where(v.scheme == scheme, v.version == version)
    tx.execute(statement.values(in_use_time=func.now() if use else None))


def add_items(
    tx: Transaction, change: str, moves: Iterable[Move], hangs_on: Mapping[str, Mapping[str, int]]
) -> None:
    """Adds the concepts that move. `hangs_on`: column → URI → count."""
    counted = ("courses", "corrections", "shortage_entries", "observations")
    copy(
        tx.connection,
        f"taxonomy_change_items (change_id, uri, kind, label, targets, {', '.join(counted)})",
        (
            (
                change,
                move.uri,
                int(move.kind),
                move.label,
                list(move.targets),
                *(hangs_on[name].get(move.uri, 0) for name in counted),
            )
            for move in moves
        ),
    )


def listing_items(change: str) -> Select[Any]:
    """Selects the concepts that move."""
    return select(taxonomy_change_items).where(taxonomy_change_items.c.change_id == change)


_COURSES = """
    SELECT tag ->> 'uri' AS uri, count(*) AS number
    FROM courses c, jsonb_array_elements(c.document -> 'occupations') AS tag
    WHERE c.removed_time IS NULL AND tag ->> 'uri' = ANY(:uris) {only} GROUP BY 1
"""
_HANGS_ON = {
    "courses": _COURSES.format(only=""),
    "corrections": _COURSES.format(only="AND c.corrections ? 'occupations'"),
    "shortage_entries": "SELECT uri, count(*) AS number FROM shortage_entries"
    " WHERE uri <> '' AND uri = ANY(:uris) GROUP BY 1",
    "observations": "SELECT occupation AS uri, count(*) AS number FROM observations"
    " WHERE occupation = ANY(:uris) GROUP BY 1",
}


def hangs_on(tx: Transaction, uris: Collection[str]) -> dict[str, dict[str, int]]:
    """Returns column of `taxonomy_change_items` → URI → how many of these name it."""
    return {
        name: {row.uri: row.number for row in tx.execute(text(statement), {"uris": list(uris)})}
        for name, statement in _HANGS_ON.items()
    }


def targets(tx: Transaction, change: str, uris: Collection[str]) -> dict[str, list[str]]:
    """Returns URI → URIs of the new version, of those that move by the report."""
    i = taxonomy_change_items.c
    statement = select(i.uri, i.targets).where(i.change_id == change, i.uri.in_(uris))
    return {row.uri: list(row.targets) for row in tx.execute(statement)}


def count_courses(tx: Transaction) -> int:
    """Returns how many courses there are."""
    return int(tx.execute(select(func.count()).select_from(courses)).scalar_one())


def next_courses(tx: Transaction, after: str | None, size: int) -> Sequence[Row[Any]]:
    """Returns the courses after one, by id, locked."""
    statement = select(courses).order_by(courses.c.id).limit(size).with_for_update()
    return tx.execute(statement.where(courses.c.id > after) if after else statement).all()


def retag(tx: Transaction, course: str, document: Any, imported: Any) -> int:
    """Writes the tags of a course into what is served and what its feed says, None: not; returns its
    version."""
    values = {"course": course, "document": document, "imported": imported}
    return int(tx.execute(_RETAG, values).scalar_one())


_RETAG = text(
    """
    UPDATE courses SET
      document = CASE WHEN :document IS NULL THEN document
        ELSE jsonb_set(document, '{occupations}', :document) END,
      imported = CASE WHEN :imported IS NULL THEN imported
        ELSE jsonb_set(imported, '{occupations}', :imported) END,
      version = version + 1, update_time = now()
    WHERE id = :course RETURNING version
    """
).bindparams(
    bindparam("document", type_=JSONB(none_as_null=True)),
    bindparam("imported", type_=JSONB(none_as_null=True)),
    bindparam("course", type_=courses.c.id.type),
)


def keep(tx: Transaction, change: str, retagged: Sequence[tuple[str, Any, Any]]) -> None:
    """Keeps what tags were and became, by course, to undo it."""
    rows = [
        {"change_id": change, "course_id": course, "before": before, "after": after}
        for course, before, after in retagged
    ]
    if rows:
        tx.execute(insert(taxonomy_change_courses), rows)


def kept(tx: Transaction, change: str, after: str | None, size: int) -> Sequence[Row[Any]]:
    """Returns the next courses that a change re-tagged, with what they were and are, locked."""
    k = taxonomy_change_courses.c
    statement = (
        select(courses, k.before, k.after)
        .join_from(taxonomy_change_courses, courses, courses.c.id == k.course_id)
        .where(k.change_id == change)
        .order_by(courses.c.id)
        .limit(size)
        .with_for_update(of=courses)
    )
    return tx.execute(statement.where(courses.c.id > after) if after else statement).all()


def count_kept(tx: Transaction, change: str) -> int:
    """Returns how many courses a change re-tagged."""
    k = taxonomy_change_courses.c
    statement = select(func.count()).select_from(taxonomy_change_courses).where(k.change_id == change)
    return int(tx.execute(statement).scalar_one())
