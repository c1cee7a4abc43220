"""Works on waiting feed runs, several at a time, shared by every process of `waymark consume catalogue`.

Which run gets a place of this process: `domain.feed_places`. That no other process is at the same source is a
lock of the database, which ends with its holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Engine, Row
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.feed_places import choose
from services.catalogue.feeding.pushes import make_raw_copy
from services.catalogue.imports.pipeline import FeedImport
from services.catalogue.imports.tags import TagsInUse
from services.catalogue.imports.turn import Overtaken, Stopped
from services.catalogue.store import feed_runs, staging
from services.platform.crew import Crew
from services.platform.db.alone import alone
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp
    from services.platform.app import App

ATTEMPTS = 5
CONNECTIONS = 3  # of a run: its lock, reading, writing
GOING = (FeedRun.STATE_QUEUED, FeedRun.STATE_RUNNING)
log = structlog.get_logger("imports")


class Importer(Crew):
    """The runs that one process has under way."""

    def __init__(self, app: CatalogueApp) -> None:
        places = app.settings.feed_places
        super().__init__("import", places, app.settings.database_url, connections=CONNECTIONS)
        self._app, self._places = app, places
        self._tried: set[str] = set()
        self._tags = TagsInUse(self.engine)

    def look(self) -> None:
        """Starts what waits and has a place; what failed, or another process was at, is tried anew."""
        self._tried = set()
        self.round()

    def claim(self, tx: Transaction, room: int) -> Sequence[Row[Any]]:  # noqa: ARG002  told by what is under way
        """Returns runs to work on, each once between two looks."""
        busy = {row.id for row in self.under_way}
        waiting = [row for row in feed_runs.waiting(tx.connection) if row.id not in self._tried | busy]
        rows = choose(self._places, self.under_way, waiting)
        self._tried |= {row.id for row in rows}
        return rows

    def work(self, row: Row[Any]) -> None:
        """Takes a run as far as it gets, unless another process is at its source, or was faster.

        A part that cannot be reached leaves the run for the next time, and that is no failure of it. A raw
        copy that is gone or altered, and a run that failed ATTEMPTS times, end as FAILED with a finding.
        """
        with alone(self.engine, f"feed of {row.source_id}") as mine:
            if not mine or self._state(row.id).state not in GOING:
                return
            try:
                make_raw_copy(self._app, self.engine, row.id)
                self._go(row.id)
            except (Stopped, Overtaken) as left:
                log.info("feed_run_left", run=row.id, reason=type(left).__name__)
            except Refusal as refusal:
                if refusal.reason == reason_pb2.REASON_UNAVAILABLE:
                    log.warning("feed_run_waits", run=row.id, reason=refusal.reason_name)
                    return
                said = "The stored file is not the one that was uploaded."
                _fail(self.engine, row.id, "RAW_COPY_ALTERED", said)
            except Exception:
                log.exception("feed_run_failed", run=row.id)
                if self._state(row.id).attempts >= ATTEMPTS:
                    said = "The file could not be imported, for a fault on our side."
                    _fail(self.engine, row.id, "IMPORT_FAILED", said)

    def _go(self, run: str) -> None:
        work = FeedImport(self._app, run, self.engine, self.closing, self._tags)
        try:
            work.go()
        except Stopped:
            work.not_counted()
            raise
        except Refusal as refusal:
            if refusal.reason == reason_pb2.REASON_UNAVAILABLE:
                work.not_counted()
            raise

    def _state(self, run: str) -> Row[Any]:
        with transaction(self.engine, read_only=True) as tx:
            return feed_runs.read(tx.connection, run)


def count_held(app: App) -> None:
    """Tells operators how many runs wait for a person; a job."""
    with transaction(app, read_only=True) as tx:
        metrics.FEED_RUNS_HELD.set(feed_runs.count_held(tx))


def _fail(engine: Engine, run: str, code: str, message: str) -> None:
    """Ends a run without further effect. Courses it had applied stay: each batch was whole."""
    with transaction(engine) as tx:
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
