"""Courses that are pushed: what becomes of a stream that breaks off, and of one that has come to its end."""

from __future__ import annotations

from datetime import timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from waymark.catalogue.v1.feed_run_pb2 import FeedRun

from services.catalogue.store import feed_runs, pushes, uploads
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.platform.app import App

LONGEST = timedelta(hours=1)  # six times as long as a stream may last
TYPE = "application/json"


def break_off(tx: Transaction, run: str) -> None:
    """Ends a run whose stream came to no end: what it had sent changes nothing."""
    pushes.forget(tx, run)
    message = "The stream of courses broke off before its end."
    remedy = "Push all of them again, and say at the end how many they were."
    feed_runs.fail(tx, run, "PUSH_BROKEN_OFF", message, remedy)


def break_off_abandoned(app: App) -> None:
    """Ends runs whose stream has long been over."""
    with transaction(app) as tx:
        for run in pushes.abandoned(tx, LONGEST):
            break_off(tx, run)


def make_raw_copy(app: App, engine: Engine, run: str) -> None:
    """Stores what was pushed as a file, as if it had been uploaded; does nothing for other runs, or twice.

    `engine`: whose connections it takes.
    """
    with TemporaryFile() as file:
        with transaction(engine, read_only=True) as tx:
            row = feed_runs.read(tx.connection, run)
            if row.way != FeedRun.WAY_PUSH or row.upload_id:
                return
            for part in pushes.lines(tx, run):
                file.write(part)
        file.seek(0)
        upload = new_id()
        stored = app.objects.put(uploads.BUCKET, upload, cast("BinaryIO", file), content_type=TYPE)
    with transaction(engine) as tx:
        uploads.add_own(tx, upload, stored.size, stored.sha256, TYPE)
        feed_runs.change(tx, run, upload_id=upload)
        pushes.forget(tx, run)
