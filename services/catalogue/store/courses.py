"""Statements on courses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, func, not_, or_, select, text, update
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.courses import Document
from services.catalogue.store.feed_tables import sources
from services.catalogue.store.quality_holds import ON_HOLD
from services.catalogue.store.staging import Action
from services.catalogue.store.tables import courses
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal

AT_ONCE = 200  # courses of a stream that are in memory together
EVERYBODY = "-"  # who sees what is nobody's own
_TOUCHED = {"version": courses.c.version + 1, "update_time": func.now()}
_UPSERT = text(
    """
    INSERT INTO courses (id, source_id, external_id, organisation_id, raw_hash, document, imported)
    SELECT course_id, :source, external_id, :organisation, raw_hash, document, imported
    FROM feed_staged
    WHERE run_id = :run AND external_id > :after AND external_id <= :last AND action IN (1, 2)
    ORDER BY course_id
    ON CONFLICT (source_id, external_id) DO UPDATE SET
      raw_hash = excluded.raw_hash, document = excluded.document, imported = excluded.imported,
      removed_time = NULL, missing_time = NULL, missing_run = NULL, missing_feeds = 0,
      version = courses.version + 1, update_time = now()
    RETURNING id::text, version
    """
)


def upsert(
    tx: Transaction, source: str, organisation: str, run: str, span: tuple[str, str]
) -> dict[str, int]:
    """Writes staged courses, those after `span[0]` up to `span[1]`, in one statement;

    Returns id → version.
    """
    after, last = span
    values = {"source": source, "organisation": organisation, "run": run, "after": after, "last": last}
    return {row.id: row.version for row in tx.execute(_UPSERT, values)}


# All of them in one order: who writes several courses at a time waits for another, never for each other.
_CORRECTIONS = text(
    """
    WITH locked AS MATERIALIZED (
      SELECT id, corrections FROM courses WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
    )
    SELECT id::text, corrections FROM locked WHERE corrections <> '{}'::jsonb
    """
)


def corrections(tx: Transaction, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Locks courses, so that no correction gets lost; returns id → corrections of those that have some."""
    return {row.id: row.corrections for row in tx.execute(_CORRECTIONS, {"ids": list(ids)})}


# A document with its offerings, of which none has a session any more.
_CLOSED = """jsonb_set({column}, '{{offerings}}', (
        SELECT coalesce(jsonb_agg(jsonb_set(offering, '{{sessions}}', '[]') ORDER BY place), '[]')
        FROM jsonb_array_elements({column} -> 'offerings') WITH ORDINALITY AS every (offering, place)))"""
_LEAVE_OUT = text(
    f"""
    WITH missing AS (
      SELECT c.id, c.missing_feeds >= :grace AS goes, c.missing_feeds = 0 AS fresh FROM courses c
      WHERE c.source_id = :source AND c.removed_time IS NULL AND c.missing_run IS DISTINCT FROM :run
        AND NOT EXISTS (SELECT FROM feed_staged s WHERE s.run_id = :run AND s.external_id = c.external_id)
      ORDER BY c.id LIMIT :size
      FOR UPDATE
    )
    UPDATE courses c SET
      missing_feeds = c.missing_feeds + 1, missing_run = :run, missing_time = coalesce(c.missing_time, now()),
      removed_time = CASE WHEN goes THEN now() END,
      document = CASE WHEN goes THEN c.document ELSE {_CLOSED.format(column="c.document")} END,
      imported = CASE WHEN goes THEN c.imported ELSE {_CLOSED.format(column="c.imported")} END,
      version = c.version + (goes OR fresh)::int,
      update_time = CASE WHEN goes OR fresh THEN now() ELSE c.update_time END
    FROM missing WHERE c.id = missing.id
    RETURNING c.id, c.version, c.document, goes, goes OR fresh AS told
    """  # noqa: S608  constants
).bindparams(bindparam("run", type_=courses.c.missing_run.type))


def leave_out(tx: Transaction, source: str, run: str, grace: int, size: int) -> Sequence[Row[Any]]:
    """Counts up to `size` courses that the run did not name as left out once more, each once a run.

    More than `grace` times in a row: it is removed. Until then it is served without sessions, so that nobody
    can book it. Returns (id, version, document, goes: removed now, told: others have to hear of it).
    """
    values = {"source": source, "run": run, "grace": grace, "size": size}
    return tx.execute(_LEAVE_OUT, values).all()


_NOT_LEFT_OUT = text(
    f"""
    WITH named AS MATERIALIZED (
      SELECT c.id FROM courses c JOIN feed_staged s ON s.external_id = c.external_id
      WHERE s.run_id = :run AND s.action = {Action.REJECTED}
        AND c.source_id = :source AND c.removed_time IS NULL AND c.missing_feeds > 0
      ORDER BY c.id FOR UPDATE OF c
    )
    UPDATE courses c SET missing_feeds = 0 FROM named WHERE c.id = named.id
    """  # noqa: S608  constants
)


def not_left_out(tx: Transaction, source: str, run: str) -> None:
    """Begins anew to count how often those courses are left out that the run named in rejected records."""
    tx.execute(_NOT_LEFT_OUT, {"source": source, "run": run})


# Who approved a held run, or rolled back, has looked at what went by it.
_PRESENT = text(
    f"""
    SELECT count(*) AS present, count(*) FILTER (WHERE missing) AS missing,
           count(*) FILTER (WHERE missing AND missing_feeds >= :grace) AS going,
           (SELECT count(*) FROM courses g WHERE g.source_id = :source AND g.removed_time > greatest(
              now() - :week, (SELECT max(r.state_time) FROM feed_runs r
                WHERE r.source_id = :source AND NOT r.dry_run AND r.state = {FeedRun.STATE_SUCCEEDED}
                  AND (r.hold_reason > 0 OR r.rolls_back_to IS NOT NULL)))) AS gone
    FROM (
      SELECT c.missing_feeds, NOT EXISTS (
        SELECT FROM feed_staged s WHERE s.run_id = :run AND s.external_id = c.external_id) AS missing
      FROM courses c WHERE c.source_id = :source AND c.removed_time IS NULL
    ) offered
    """  # noqa: S608  constants
)


class Present(NamedTuple):
    """Courses a source offers now; those of them a run did not name; those of these it would remove; those
    that went lately, since a person looked."""

    present: int
    missing: int
    going: int
    gone: int


def count_present(tx: Transaction, source: str, run: str, grace: int, week: timedelta) -> Present:
    """Counts what a source offers now against what the run named; what went within a `week` counts as gone
    lately."""
    row = tx.execute(_PRESENT, {"source": source, "run": run, "grace": grace, "week": week}).one()
    return Present(row.present, row.missing, row.going, row.gone)


def known_hashes(tx: Transaction, source: str, external_ids: Sequence[str]) -> dict[str, bytes]:
    """Returns external id → hash of courses that are offered; b"missing", which is none, for one that feeds
    leave out, and b"" for a removed one."""
    statement = text(
        "SELECT external_id, CASE WHEN removed_time IS NOT NULL THEN '' "
        "WHEN missing_time IS NOT NULL THEN 'missing' ELSE raw_hash END AS raw_hash "
        "FROM courses WHERE source_id = :source AND external_id = ANY(:external_ids)"
    )
    rows = tx.execute(statement, {"source": source, "external_ids": list(external_ids)})
    return {row.external_id: bytes(row.raw_hash) for row in rows}


def read(connection: Connection, course: str, *, lock: bool = False) -> Row[Any]:
    """Returns the course, locked where asked; raises Refusal(NOT_FOUND)."""
    statement = select(courses).where(courses.c.id == course)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise _unknown(course)
    return row


def touch(tx: Transaction, course: str) -> Row[Any]:
    """Counts the version of a course up, so that others hear of it anew; returns the row."""
    statement = update(courses).where(courses.c.id == course).values(_TOUCHED)
    return tx.execute(statement.returning(courses)).one()


def touch_next(tx: Transaction, organisation: str, after: str, size: int) -> Sequence[str]:
    """Does so with up to `size` courses of an organisation, by id, those after one; returns their ids."""
    found = select(courses.c.id).where(courses.c.organisation_id == organisation, courses.c.id > after)
    found = found.where(courses.c.removed_time.is_(None)).order_by(courses.c.id).limit(size)
    ids = tx.execute(found.with_for_update()).scalars().all()
    tx.execute(update(courses).where(courses.c.id.in_(ids)).values(_TOUCHED))
    return ids


def remove_next(tx: Transaction, source: str, size: int) -> Sequence[Row[Any]]:
    """Removes up to `size` courses of a source, by id; returns (id, version, document)."""
    found = select(courses.c.id).where(courses.c.source_id == source, courses.c.removed_time.is_(None))
    ids = tx.execute(found.order_by(courses.c.id).limit(size).with_for_update()).scalars().all()
    gone = update(courses).where(courses.c.id.in_(ids)).values({**_TOUCHED, "removed_time": func.now()})
    return tx.execute(gone.returning(courses.c.id, courses.c.version, courses.c.document)).all()


def restore_next(
    tx: Transaction, source: str, since: datetime, until: datetime, size: int
) -> Sequence[Row[Any]]:
    """Brings back up to `size` courses of a source that were removed from `since` to `until`, by id; returns
    (id, version, document)."""
    c = courses.c
    found = select(c.id).where(c.source_id == source, c.removed_time.between(since, until))
    ids = tx.execute(found.order_by(c.id).limit(size).with_for_update()).scalars().all()
    back = update(courses).where(c.id.in_(ids)).values({**_TOUCHED, "removed_time": None})
    return tx.execute(back.returning(c.id, c.version, c.document)).all()


def offered(tx: Transaction, organisation: str) -> Iterator[Row[Any]]:
    """Yields (id, offerings) of the courses of an organisation, by id, in flat memory."""
    c = courses.c
    wanted = select(c.id, c.document["offerings"].label("offerings"))
    wanted = wanted.where(c.organisation_id == organisation, c.removed_time.is_(None))
    for part in tx.parts(wanted.order_by(c.id), AT_ONCE):
        yield from part


def _unknown(course: str) -> Refusal:
    return Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no course {course}.")


def with_same(tx: Transaction, course: str) -> Sequence[Row[Any]]:
    """Returns a course and those that it stands for, each with `precedence` and `field_precedence` of its
    source, and whether it is `on_hold`. Raises Refusal(NOT_FOUND).
    """
    itself = courses.c.id == course
    statement = (
        select(courses, sources.c.precedence, sources.c.field_precedence, ON_HOLD.label("on_hold"))
        .join(sources, sources.c.id == courses.c.source_id)
        .where(or_(itself, courses.c.same_as == course))
        .order_by(itself.desc(), courses.c.create_time, courses.c.id)
    )
    rows = tx.execute(statement).all()
    if not rows or rows[0].id != course:
        raise _unknown(course)
    return rows


def listing(organisation: str, source: str, own: str) -> Select[Any]:
    """Selects the courses that are offered, of one organisation and one source where named; of those that are
    held back only the ones of the organisation `own`, all where it is empty."""
    statement = select(courses).where(courses.c.removed_time.is_(None))
    if own:
        statement = statement.where(or_(courses.c.organisation_id == own, not_(ON_HOLD)))
    if organisation:
        statement = statement.where(courses.c.organisation_id == organisation)
    return statement.where(courses.c.source_id == source) if source else statement


def stream(tx: Transaction, organisation: str, source: str) -> Iterator[Row[Any]]:
    """Yields the courses of `listing` that everybody sees, by source and partner's id, in flat memory."""
    order = courses.c.source_id, courses.c.external_id
    for part in tx.parts(listing(organisation, source, EVERYBODY).order_by(*order), AT_ONCE):
        yield from part


def correct(
    tx: Transaction,
    course: str,
    *,
    document: Document,
    imported: Document | None,
    corrections: dict[str, Any],
) -> Row[Any]:
    """Writes a corrected course, counts the version up, returns the row."""
    statement = (
        update(courses)
        .where(courses.c.id == course)
        .values(
            document=document,
            imported=imported,
            corrections=corrections,
            version=courses.c.version + 1,
            update_time=func.now(),
        )
        .returning(courses)
    )
    return tx.execute(statement).one()
