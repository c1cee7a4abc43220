"""Statements on reports of feed runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text, update
from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.store.feed_tables import feed_runs
from services.platform.db.transaction import Transaction

_CLAIM = text("""
WITH due AS (
  SELECT id FROM feed_runs WHERE report_state = 1 AND report_next_time <= now()
  ORDER BY report_next_time LIMIT :room FOR UPDATE SKIP LOCKED
)
UPDATE feed_runs r SET report_attempts = r.report_attempts + 1, report_next_time = now() + :lease
FROM due, sources s WHERE r.id = due.id AND s.id = r.source_id
RETURNING r.id::text, r.source_id::text, r.state, r.state_time, r.report_attempts, now() AS claimed_at,
  s.report_url, s.report_secret,
  CASE WHEN s.report_former_until > now() THEN s.report_former END AS report_former
""")


def claim_due(tx: Transaction, room: int, lease: timedelta) -> Sequence[Row[Any]]:
    """Takes up to `room` reports that are due, for the time of `lease`, with address and sealed secrets."""
    return tx.execute(_CLAIM, {"room": room, "lease": lease}).all()


def write(tx: Transaction, row: Row[Any], values: Mapping[str, Any]) -> None:
    """Writes what came of an attempt, unless the run went on or was claimed anew meanwhile."""
    c = feed_runs.c
    place = (
        c.id == row.id,
        c.state_time == row.state_time,
        c.report_attempts == row.report_attempts,
        c.report_state == FeedRun.REPORT_STATE_PENDING,
    )
    tx.execute(update(feed_runs).where(*place).values(values))
