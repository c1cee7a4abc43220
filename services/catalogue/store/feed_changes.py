"""Statements on what feed runs do to courses."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select, text

from services.catalogue.store.feed_tables import feed_changes
from services.platform.db.transaction import Transaction

KEPT = 10_000  # a run, of courses that vanish, and of others
_NOTE = text(
    """
    INSERT INTO feed_changes (run_id, seq, kind, course_id, external_id, titles, fields)
    SELECT :run, row_number() OVER (ORDER BY kind, external_id), kind, id, external_id, titles, fields
    FROM (
      (SELECT CASE WHEN c.missing_feeds >= :grace THEN 1 ELSE 2 END AS kind, c.id, c.external_id,
              c.document -> 'titles' AS titles, '{}'::text[] AS fields
       FROM courses c
       WHERE :removes AND c.source_id = :source AND c.removed_time IS NULL
         AND NOT EXISTS (SELECT FROM feed_staged s WHERE s.run_id = :run AND s.external_id = c.external_id)
       ORDER BY kind, c.external_id LIMIT :kept)
      UNION ALL
      (SELECT CASE s.action WHEN 2 THEN 3 ELSE 4 END, s.course_id, s.external_id, s.document -> 'titles',
              CASE s.action WHEN 2 THEN ARRAY(
                SELECT field FROM jsonb_each(s.document) AS said (field, value)
                WHERE value IS DISTINCT FROM coalesce(c.imported, c.document) -> field ORDER BY field
              ) ELSE '{}' END
       FROM feed_staged s LEFT JOIN courses c ON c.id = s.course_id
       WHERE s.run_id = :run AND s.action IN (1, 2)
       ORDER BY s.action DESC, s.external_id LIMIT :kept)
    ) every
    """
)


def note(tx: Transaction, source: str, run: str, grace: int, *, removes: bool) -> None:
    """Notes what a run that is staged would do, the first KEPT courses that vanish and KEPT others.

    `removes`: what it does not name goes, after a `grace` of so many feeds.
    """
    values = {"source": source, "run": run, "grace": grace, "removes": removes, "kept": KEPT}
    tx.execute(_NOTE, values)


def forget(tx: Transaction, run: str) -> None:
    """Removes what was noted of a run that starts again."""
    tx.execute(feed_changes.delete().where(feed_changes.c.run_id == run))


def listing(run: str) -> Select[Any]:
    """Selects what a run does."""
    return select(feed_changes).where(feed_changes.c.run_id == run)
