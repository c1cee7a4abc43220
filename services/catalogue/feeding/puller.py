"""Fetches feeds that are due: claims their sources, fetches beside the jobs, and makes a run of what came.

A source whose process dies while it fetches is due again when its claim runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import structlog
from sqlalchemy import Row
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.catalogue.v1.source_pb2 import FeedFormat
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.pull_schedule import kept_schedule
from services.catalogue.feeding import credentials
from services.catalogue.feeding.ooapi_pages import Pages
from services.catalogue.store import feed_runs, sources, uploads
from services.platform.crew import Crew
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.objects.tickets import Stored
from services.platform.outgoing.fetching import LIMITS, Answer, FetchError, Limits, Wanted, fetch

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

THREADS = 4
LEASE = timedelta(minutes=30)  # longer than all pages of a feed may take
LARGE = 1500.0  # seconds that a feed beyond the usual size may take, within the lease
SMALL = Limits(size=1 << 20, seconds=60.0)  # of an answer that is no feed
WHILE_BUSY = timedelta(minutes=1)
TYPES = {FeedFormat.FEED_FORMAT_CSV_TEMPLATE: "text/csv"} | dict.fromkeys(
    (FeedFormat.FEED_FORMAT_OOAPI_6, FeedFormat.FEED_FORMAT_SCHEMA_ORG), "application/json"
)
log = structlog.get_logger("pulls")


class Puller(Crew):
    """What one process is fetching."""

    def __init__(self, app: CatalogueApp) -> None:
        super().__init__("pull", THREADS, app.settings.database_url)
        self._app = app

    def claim(self, tx: Transaction, room: int) -> Sequence[Row[Any]]:
        """Returns sources to fetch from."""
        return sources.claim_due(tx, room, LEASE)

    def work(self, row: Row[Any]) -> None:
        """Fetches the feed of a source."""
        with TemporaryFile() as file:
            try:
                answer = self._fetched(row, cast("BinaryIO", file))
            except FetchError as error:
                log.info("feed_not_fetched", source=row.id, reason=str(error))
                self._settle(row, partial(_failed, row, str(error)))
                return
            if answer.status == 304:
                self._settle(row, partial(_unchanged, row))
                return
            upload, kind = new_id(), TYPES.get(row.format, "application/xml")
            file.seek(0)
            stored = self._app.objects.put(uploads.BUCKET, upload, file, content_type=kind)
        if not self._settle(row, partial(_taken, row, answer, upload, stored, kind)):
            self._app.objects.delete(uploads.BUCKET, upload)

    def _fetched(self, row: Row[Any], file: BinaryIO) -> Answer:
        """Fetches the feed into a file; raises FetchError."""
        reach = self._app.feeds_reach
        kept = credentials.opened(self._app.seals, row.id, row.pull_credentials)
        secret = credentials.headers(kept, lambda wanted, into: fetch(wanted, into, reach, SMALL))
        if row.format == FeedFormat.FEED_FORMAT_OOAPI_6:

            def fetched(wanted: Wanted, into: BinaryIO, limits: Limits) -> Answer:
                return fetch(wanted, into, reach, limits)

            return Pages(row.pull_url, secret, fetched, row.max_feed_mib << 20).collect(file)
        known = {"if-none-match": row.etag, "if-modified-since": row.modified}
        wanted = Wanted(row.pull_url, {name: value for name, value in known.items() if value}, secret)
        return fetch(wanted, file, reach, _limits(row.max_feed_mib << 20))

    def _settle(self, row: Row[Any], note: Callable[[Transaction], bool]) -> bool:
        """Notes what came, by `note`, unless the claim has run out or the source was changed; True when it
        kept what was fetched."""
        with transaction(self.engine) as tx:
            source = sources.read(tx.connection, row.id, lock=True)
            if (source.pull_next_time, source.pull_url) != (row.pull_next_time, row.pull_url):
                return False
            due = kept_schedule(source.pull_schedule).next_after(row.pull_last_time)
            try:
                kept = note(tx)
            except Refusal as refusal:
                if refusal.reason != reason_pb2.REASON_FEED_RUN_ACTIVE:
                    raise
                kept, due = False, tx.now + WHILE_BUSY  # a file was uploaded meanwhile
            sources.note_pull(tx, row.id, pull_next_time=due)
        return kept


def _limits(size: int) -> Limits:
    """What a feed of up to so many bytes may cost: a large one takes until shortly before its claim ends."""
    return replace(LIMITS, size=size, seconds=LIMITS.seconds if size <= LIMITS.size else LARGE)


def _unchanged(row: Row[Any], tx: Transaction) -> bool:
    feed_runs.add(tx, row.id, None, way=FeedRun.WAY_PULL, state=FeedRun.STATE_UNCHANGED)
    return False


def _taken(
    row: Row[Any], answer: Answer, upload: str, stored: Stored, content_type: str, tx: Transaction
) -> bool:
    """Queues a run of what came, unless it is, to the byte, what the last run has read."""
    etag, modified = (answer.headers.get(name, "")[:1000] for name in ("etag", "last-modified"))
    values = {"pull_etag": etag, "pull_modified": modified}
    if row.known and uploads.sha256_of_run(tx, row.pull_run) == stored.sha256:
        sources.note_pull(tx, row.id, **values)
        return _unchanged(row, tx)
    uploads.add_own(tx, upload, stored.size, stored.sha256, content_type)
    run = feed_runs.add(tx, row.id, upload, way=FeedRun.WAY_PULL)
    sources.note_pull(tx, row.id, pull_run=run, **values)
    return True


def _failed(row: Row[Any], said: str, tx: Transaction) -> bool:
    run = feed_runs.add(tx, row.id, None, way=FeedRun.WAY_PULL)
    message = "The feed could not be fetched; what was served before stays."
    remedy = "See docs/feeds.md for what the code means; the feed is fetched again at its next time."
    feed_runs.fail(tx, run, "FETCH_FAILED", message, remedy, value=said)
    return False
