"""Periodic jobs of a service: each runs on one replica at a time and once per period over all of them."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text

from services.platform.db import requests
from services.platform.events import inbox
from services.platform.service import Job
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from services.platform.app import App

# One round trip, since jobs that look for work every second are most of what an idle consumer does.
_BEGIN = text(
    """
    WITH lock AS MATERIALIZED (SELECT pg_try_advisory_lock(:key) AS alone),
    start AS (
        INSERT INTO job_runs AS last (name, started_at) SELECT :name, now() FROM lock WHERE alone
        ON CONFLICT (name) DO UPDATE SET started_at = now() WHERE last.started_at <= now() - :every
        RETURNING true
    )
    SELECT alone, EXISTS (SELECT FROM start) AS due FROM lock
    """
)
_END = text("SELECT pg_advisory_unlock(:key)")
TICK = 0.5  # seconds between looks at this process's own clock
ASK_DATABASE = 30.0  # seconds at most between questions to the database whether a job is due
log = structlog.get_logger("jobs")


def _expire_request_ids(app: App) -> None:
    requests.expire(app.engine)


def _expire_inbox(app: App) -> None:
    inbox.expire(app.engine)


# Every service has these.
HOUSEKEEPING = (
    Job("expire-request-ids", timedelta(hours=1), _expire_request_ids),
    Job("expire-inbox", timedelta(hours=6), _expire_inbox),
)


def run_jobs(app: App, jobs: Sequence[Job], stop: threading.Event) -> None:
    """Runs due jobs until `stop` is set, the long ones each in a thread of its own. A failing job is logged,
    counted and tried again when next due."""
    jobs = [job for job in jobs if job.wanted(app)]
    apart = [
        threading.Thread(target=_run_in_turn, args=(app, [job], stop), name=job.name)
        for job in jobs
        if job.long
    ]
    for thread in apart:
        thread.start()
    _run_in_turn(app, [*HOUSEKEEPING, *(job for job in jobs if not job.long)], stop)
    for thread in apart:
        thread.join()


def _run_in_turn(app: App, jobs: Sequence[Job], stop: threading.Event) -> None:
    ask = dict.fromkeys(jobs, 0.0)
    while not stop.is_set():
        for job, when in ask.items():
            if time.monotonic() < when or stop.is_set():
                continue
            ask[job] = time.monotonic() + min(job.every.total_seconds(), ASK_DATABASE)
            try:
                run_if_due(app, job)
            except Exception:
                metrics.JOB_RUNS.labels(job.name, "failed").inc()
                log.exception("job_failed", job=job.name)
        stop.wait(TICK)


def run_if_due(app: App, job: Job) -> bool:
    """Runs the job if its period has passed and no other replica is at it; returns whether it ran."""
    with nullcontext(enter_result=True) if job.everywhere else _begun(app, job) as due:
        if not due:
            return False
        with metrics.JOB_SECONDS.labels(job.name).time():
            job.run(app)
        metrics.JOB_RUNS.labels(job.name, "ok").inc()
        return True


@contextmanager
def _begun(app: App, job: Job) -> Iterator[bool]:
    """Holds the job's advisory lock, on a connection of its own, and notes the start; yields False when
    another replica has the lock, or when the last start is less than a period ago by the database clock."""
    key = zlib.crc32(f"job {job.name}".encode())
    with app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        begun = connection.execute(_BEGIN, {"key": key, "name": job.name, "every": job.every}).one()
        try:
            yield begun.due
        finally:
            if begun.alone:
                connection.execute(_END, {"key": key})
