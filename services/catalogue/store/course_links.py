"""Statements on courses that look alike, and on which of those that are the same stands for the others."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from waymark.catalogue.v1.course_link_pb2 import CourseLink

from services.catalogue.domain.likeness import RULE, Features, keys
from services.catalogue.store.derived_tables import course_features, course_links
from services.catalogue.store.quality_holds import ON_HOLD_SQL
from services.platform.db.transaction import Transaction

MOST = 50  # courses that one is compared with
_f, _l = course_features.c, course_links.c

_ALIKE = text(
    """
    SELECT mine.course_id AS course, other.* FROM course_features mine
    CROSS JOIN LATERAL (
      SELECT * FROM course_features every
      WHERE every.keys && mine.keys AND every.source_id <> mine.source_id
      LIMIT :most
    ) other
    WHERE mine.course_id = ANY(CAST(:courses AS uuid[]))
    """
)
_REGROUP = text(
    f"""
    WITH RECURSIVE same (id) AS (
      SELECT CAST(:course AS uuid)
      UNION
      SELECT CASE WHEN l.low = s.id THEN l.high ELSE l.low END
      FROM same s JOIN course_links l ON l.verdict = 1 AND s.id IN (l.low, l.high)
    ), head AS (
      SELECT courses.id FROM courses JOIN same USING (id) JOIN sources s ON s.id = courses.source_id
      WHERE courses.removed_time IS NULL
      ORDER BY ({ON_HOLD_SQL}), s.precedence DESC, courses.create_time, courses.id LIMIT 1
    ), wanted AS (
      SELECT c.id, CASE WHEN c.removed_time IS NULL THEN nullif((SELECT id FROM head), c.id) END AS same_as
      FROM courses c JOIN same USING (id)
    )
    UPDATE courses c SET same_as = w.same_as, version = c.version + 1, update_time = now()
    FROM wanted w WHERE c.id = w.id AND c.same_as IS DISTINCT FROM w.same_as
    """  # noqa: S608  a constant
)


class Link(NamedTuple):
    """Two courses and how alike they are."""

    one: str
    other: str
    score: float


def features_of(row: Any) -> Features:
    """Returns the features in a row."""
    return Features(row.titles, row.places, row.starts, row.provider)


def known(tx: Transaction, courses: Collection[str]) -> dict[str, Features]:
    """Returns the features, by this RULE, of those of the courses that have some."""
    statement = select(course_features).where(_f.course_id.in_(courses), _f.rule_version == RULE)
    rows = tx.execute(statement)
    return {row.course_id: features_of(row) for row in rows}


def put(tx: Transaction, source_of: Mapping[str, str], found: Mapping[str, Features]) -> None:
    """Writes the features of courses anew."""
    rows = [
        {
            "course_id": course,
            "source_id": source_of[course],
            "keys": keys(features.titles),
            "rule_version": RULE,
            **features._asdict(),
        }
        for course, features in found.items()
    ]
    statement = insert(course_features)
    changed = {name: statement.excluded[name] for name in (*Features._fields, "keys", "rule_version")}
    tx.execute(statement.on_conflict_do_update(index_elements=["course_id"], set_=changed), rows)


def forget(tx: Transaction, courses: Collection[str]) -> None:
    """Removes the features of courses that are gone."""
    tx.execute(delete(course_features).where(_f.course_id.in_(courses)))


def unlink(tx: Transaction, courses: Collection[str]) -> None:
    """Removes the links of courses of which nobody has said anything."""
    either = or_(_l.low.in_(courses), _l.high.in_(courses))
    tx.execute(delete(course_links).where(either, _l.verdict == CourseLink.VERDICT_UNSPECIFIED))


def alike(tx: Transaction, courses: Collection[str]) -> Sequence[Row[Any]]:
    """Returns for each of the courses up to MOST of other sources that may be alike: `course`, and a row of
    features."""
    return tx.execute(_ALIKE, {"courses": list(courses), "most": MOST}).all()


def add(tx: Transaction, links: Iterable[Link]) -> None:
    """Writes links; what a person has said of one stays."""
    rows = {}
    for link in links:
        low, high = sorted((link.one, link.other))
        id_ = str(uuid.uuid5(uuid.UUID(low), high))
        rows[id_] = {"id": id_, "low": low, "high": high, "score": link.score, "rule_version": RULE}
    if rows:
        statement = insert(course_links)
        changed = {name: statement.excluded[name] for name in ("score", "rule_version")}
        tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), list(rows.values()))


def same(tx: Transaction, courses: Collection[str]) -> list[str]:
    """Returns those of the courses that a person has said are the same as another."""
    decided = select(_l.low, _l.high).where(
        _l.verdict == CourseLink.VERDICT_SAME, or_(_l.low.in_(courses), _l.high.in_(courses))
    )
    linked = {id_ for row in tx.execute(decided) for id_ in row}
    return sorted(linked & set(courses))


def regroup(tx: Transaction, course: str) -> None:
    """Lets one of a course and those that are the same stand for the others: one that is not held back, of
    those that of the source that comes first, of two such the older one."""
    tx.execute(_REGROUP, {"course": course})


def read(tx: Transaction, link: str) -> Row[Any]:
    """Returns the link, locked; raises Refusal(NOT_FOUND)."""
    return tx.one(select(course_links).where(_l.id == link).with_for_update())


def listing(verdict: int, course: str) -> Select[Any]:
    """Selects links with a verdict, of a course where named."""
    statement = select(course_links).where(_l.verdict == verdict)
    return statement.where(or_(_l.low == course, _l.high == course)) if course else statement


def decide(tx: Transaction, link: str, verdict: int) -> Row[Any]:
    """Writes what the caller says of a link, or (0) that nobody has said anything; returns the row."""
    values = {"verdict": verdict, "decided_by": tx.principal.subject, "decide_time": func.now()}
    if not verdict:
        values |= {"decided_by": "", "decide_time": None}
    statement = update(course_links).where(_l.id == link).values(values).returning(course_links)
    return tx.execute(statement).one()
