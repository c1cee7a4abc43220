"""Tells partners what became of their runs, by signed webhooks, tried for as long as their specification has.

The latest state of a run is what counts: a run that was held and goes on is told of again when it has ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from google.protobuf.json_format import MessageToDict
from sqlalchemy import Row
from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.api.messages import finding
from services.catalogue.feeding.run_message import run_message
from services.catalogue.store import feed_reports, feed_runs
from services.platform.crew import Crew
from services.platform.db.transaction import Transaction, transaction
from services.platform.outgoing.webhooks import GONE, Outcome, headers, send, wait_after

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

THREADS = 2
LEASE = timedelta(minutes=2)
TOLD = 100  # findings in a report
log = structlog.get_logger("reports")


class Reporter(Crew):
    """Reports that one process has on their way."""

    def __init__(self, app: CatalogueApp) -> None:
        super().__init__("report", THREADS, app.settings.database_url)
        self._app = app

    def claim(self, tx: Transaction, room: int) -> Sequence[Row[Any]]:
        """Returns runs to tell of."""
        return feed_reports.claim_due(tx, room, LEASE)

    def work(self, row: Row[Any]) -> None:
        """Tells of a run once."""
        with transaction(self.engine, read_only=True) as tx:
            run = feed_runs.read(tx.connection, row.id)
            worst = tx.execute(feed_runs.worst_findings(row.id, TOLD)).all()
        if run.state_time != row.state_time:
            return  # told anew, of its present state
        body = report_of(run, worst)
        place = f"sources/{row.source_id}/report"
        kept = [each for each in (row.report_secret, row.report_former) if each]
        keys = [self._app.seals.open(place, each) for each in kept]
        name = f"{row.id}-{row.state}"
        signed = headers(keys, name, int(row.claimed_at.timestamp()), body)
        self._settle(row, send(row.report_url, signed, body, self._app.settings.reach))

    def _settle(self, row: Row[Any], outcome: Outcome) -> None:
        error = f"STATUS {outcome.status}" if outcome.error == "STATUS" else outcome.error
        values: dict[str, Any] = {"report_error": error}
        wait = None if outcome.status == GONE else wait_after(row.report_attempts)
        with transaction(self.engine) as tx:
            if not outcome.error:
                values["report_state"] = FeedRun.REPORT_STATE_DELIVERED
            elif wait is None:
                values["report_state"] = FeedRun.REPORT_STATE_FAILED
            else:
                values["report_next_time"] = tx.now + wait
            feed_reports.write(tx, row, values)
        if outcome.error:
            log.info("report_refused", run=row.id, error=error)


def report_of(run: Row[Any], worst: Sequence[Row[Any]]) -> bytes:
    """Returns the body of a report: the same bytes in every attempt."""
    held = run.state == FeedRun.STATE_HELD
    data = {"feedRun": _told(run), "findings": [MessageToDict(finding(each)) for each in worst]}
    moment = run.state_time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": "feedRun.held" if held else "feedRun.ended", "timestamp": moment, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _told(run: Row[Any]) -> dict[str, Any]:
    """The run without what is known of the report itself: that changes from attempt to attempt."""
    message = run_message(run)
    for name in ("report_state", "report_attempts", "report_error"):
        message.ClearField(name)
    return MessageToDict(message)
