"""A feed run as callers and partners are told of it."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.store.feed_tables import COUNTS

COPIED = (
    *("dry_run", "partial", "hold_reason", "state", "complete", "way", "requested_by"),
    *("report_state", "report_attempts", "report_error"),
    *COUNTS,
    "read_count",
    "applied_count",
)


def run_message(row: Any) -> FeedRun:
    """Returns the message for a row of `feed_runs`."""
    answer = FeedRun(
        name=f"feedRuns/{row.id}",
        source=f"sources/{row.source_id}",
        upload=f"catalogueUploads/{row.upload_id}" if row.upload_id else "",
        **{name: getattr(row, name) for name in COPIED},
    )
    if row.rolls_back_to:
        answer.rolls_back_to = f"feedRuns/{row.rolls_back_to}"
    if row.rolled_back_by:
        answer.rolled_back_by = f"feedRuns/{row.rolled_back_by}"
    answer.create_time.FromDatetime(row.create_time)
    answer.state_time.FromDatetime(row.state_time)
    return answer
