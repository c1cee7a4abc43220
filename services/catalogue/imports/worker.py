"""Works on waiting feed runs;

A job of `waymark consume catalogue`, so never two at a time over all replicas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from waymark.errors.v1 import reason_pb2

from services.catalogue.feeding.pushes import make_raw_copy
from services.catalogue.imports.pipeline import FeedImport
from services.catalogue.store import feed_runs, staging
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from services.platform.app import App

ATTEMPTS = 5
log = structlog.get_logger("imports")


def run_waiting(app: App) -> None:
    """Takes every queued run, and every one that a dead worker left, as far as it gets.

    A part that cannot be reached leaves the run for the next time, and that is no failure of it. A raw copy
    that is gone or altered, and a run that failed ATTEMPTS times, end as FAILED with a finding.
    """
    with transaction(app, read_only=True) as tx:
        runs = feed_runs.waiting(tx.connection)
    for run in runs:
        try:
            make_raw_copy(app, run)
            _go(FeedImport(app, run))
        except Refusal as refusal:
            if refusal.reason == reason_pb2.REASON_UNAVAILABLE:
                log.warning("feed_run_waits", run=run, reason=refusal.reason_name)
                continue
            _fail(app, run, "RAW_COPY_ALTERED", "The stored file is not the one that was uploaded.")
        except Exception:
            log.exception("feed_run_failed", run=run)
            with transaction(app, read_only=True) as tx:
                attempts = feed_runs.read(tx.connection, run).attempts
            if attempts >= ATTEMPTS:
                _fail(app, run, "IMPORT_FAILED", "The file could not be imported, for a fault on our side.")


def _go(work: FeedImport) -> None:
    try:
        work.go()
    except Refusal as refusal:
        if refusal.reason == reason_pb2.REASON_UNAVAILABLE:
            work.not_counted()
        raise


def count_held(app: App) -> None:
    """Tells operators how many runs wait for a person; a job."""
    with transaction(app, read_only=True) as tx:
        metrics.FEED_RUNS_HELD.set(feed_runs.count_held(tx))


def _fail(app: App, run: str, code: str, message: str) -> None:
    """Ends a run without further effect. Courses it had applied stay: each batch was whole."""
    with transaction(app) as tx:
        row = feed_runs.read(tx.connection, run, lock=True)
        staging.forget(tx, run)
        feed_runs.forget_findings(tx, run)
        feed_runs.fail(
            tx,
            run,
            code,
            message,
            "Upload the file again and start a new run.",
            records_accepted=0,
            records_held=0,
            records_rejected=row.records_in,
            warning_count=0,
        )
