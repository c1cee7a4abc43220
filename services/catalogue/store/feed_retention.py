"""Statements that let go of what runs have kept: raw copies, findings, changes. Runs and counts stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.store.feed_runs import ACTIVE
from services.platform.db.transaction import Transaction

# Runs that a roll-back could go back to, numbered from the newest of their source.
_GOOD = """
WITH good AS (
  SELECT id, row_number() OVER (PARTITION BY source_id ORDER BY create_time DESC) AS place FROM feed_runs
  WHERE state = :succeeded AND NOT dry_run AND complete AND NOT partial AND upload_id IS NOT NULL
)"""
# What was fetched last is compared with what comes next, so its copy stays even where others are newer.
_COPIES = text(
    f"""{_GOOD}
UPDATE feed_runs SET upload_id = NULL WHERE id IN (
  SELECT r.id FROM feed_runs r LEFT JOIN good ON good.id = r.id
  WHERE r.upload_id IS NOT NULL AND NOT r.state = ANY(:active)
    AND CASE WHEN good.id IS NULL THEN r.state_time < now() - :age ELSE good.place > :copies END
    AND NOT EXISTS (SELECT FROM sources s WHERE s.pull_run = r.id)
  ORDER BY r.id LIMIT :limit
)"""  # noqa: S608  constants
)
_DETAILS = text(
    f"""{_GOOD},
old AS (
  SELECT r.id FROM feed_runs r LEFT JOIN good ON good.id = r.id
  WHERE r.details_kept AND r.state_time < now() - :age AND NOT r.state = ANY(:active)
    AND coalesce(good.place, :copies + 1) > :copies
  ORDER BY r.state_time LIMIT :limit
),
findings AS (DELETE FROM feed_findings WHERE run_id IN (SELECT id FROM old)),
changes AS (DELETE FROM feed_changes WHERE run_id IN (SELECT id FROM old))
UPDATE feed_runs SET details_kept = false WHERE id IN (SELECT id FROM old)"""  # noqa: S608  constants
)


def let_go_of_copies(tx: Transaction, copies: int, age: timedelta, limit: int) -> int:
    """Unties raw copies from runs: of good ones from all but the newest `copies` of each source, of others
    once they are of that age; returns of how many."""
    return tx.execute(_COPIES, _values(copies, age, limit)).rowcount


def let_go_of_details(tx: Transaction, copies: int, age: timedelta, limit: int) -> int:
    """Deletes findings and changes of runs of that age that are not the newest `copies` good ones of their
    source; returns of how many."""
    return tx.execute(_DETAILS, _values(copies, age, limit)).rowcount


def _values(copies: int, age: timedelta, limit: int) -> dict[str, object]:
    known = {"succeeded": FeedRun.STATE_SUCCEEDED, "active": list(ACTIVE)}
    return known | {"copies": copies, "age": age, "limit": limit}
