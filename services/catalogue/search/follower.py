"""Keeps the index like the database: builds it, follows changes, and builds it anew when it is damaged.

Runs as a thread of the server processes, of which one writes (see `writing`). Changes are read by
(transaction, course) below the horizon of running transactions, so none that commits late is missed, and each
row appears once, with its last state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import tantivy
from sqlalchemy import select, text
from tantivy import Query

from services.catalogue.search import directory as disk
from services.catalogue.search.damage import IndexDamaged, guarded, told
from services.catalogue.search.directory import Cursor, Directory
from services.catalogue.search.documents import document, outdated
from services.catalogue.search.writing import alone
from services.platform.db import horizon
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

PAUSE = 0.5  # seconds between looks at the database
CHECK = 60.0  # seconds between comparisons of counts
BATCH = 2000
HEAP = 20_000_000  # bytes of the writer that follows
BUILD_HEAP = 120_000_000  # bytes of the writer that builds
PIECE = 15_000  # courses that it surely holds
MERGED = 8  # segments about as large, which Tantivy merges into one
FIRST = Cursor(0, "00000000-0000-0000-0000-000000000000")

_HORIZON = select(horizon.HORIZON)
_CHANGES = text(
    f"""
    SELECT id::text, organisation_id, document, skills, same_as, removed_time, changed_xid FROM courses
    WHERE (changed_xid, id) > (:xid, CAST(:course AS uuid))
      AND changed_xid < {horizon.SQL}
    ORDER BY changed_xid, id LIMIT :size
    """  # noqa: S608  a constant
)
_PAGE = text(
    """
    SELECT id::text, organisation_id, document, skills, same_as FROM courses
    WHERE removed_time IS NULL AND id > CAST(:after AS uuid) ORDER BY id LIMIT :size
    """
)
_THESE = text(
    """
    SELECT id::text, organisation_id, document, skills, same_as FROM courses
    WHERE removed_time IS NULL AND id = ANY(CAST(:ids AS uuid[]))
    """
)
_COUNT = text("SELECT count(*) FROM courses WHERE removed_time IS NULL")
log = structlog.get_logger("search")


def follow(app: CatalogueApp, stop: threading.Event) -> None:
    """Follows until `stop` is set; waits while another process does."""
    where = Directory(app.settings.index_dir)
    alone(where, stop, lambda: Follower(app, where).run(stop))


class Follower:
    """The one writer."""

    def __init__(self, app: CatalogueApp, where: Directory) -> None:
        self._app = app
        self._where = where

    def run(self, stop: threading.Event) -> None:
        """Follows until `stop`; raises IndexDamaged when the index must be built anew."""
        folder = self._where.current()
        if folder is None or self._where.damaged:
            folder = self.rebuild(stop)
        if folder is None:
            return
        index = disk.open_index(folder)
        cursor = disk.read_cursor(folder)
        if cursor.xid > self.horizon():
            raise IndexDamaged("the database is older than the index")
        writer = disk.open_writer(index, HEAP, 1)
        check_at = time.monotonic() + CHECK
        try:
            self.make_current(writer, index)
            while not stop.is_set():
                moved = self.catch_up(writer, folder, cursor)
                if moved == cursor:
                    if self._where.damaged:
                        return
                    if time.monotonic() >= check_at:
                        self.make_current(writer, index)
                        self.check(index)
                        self._where.sweep()
                        check_at = time.monotonic() + CHECK
                    stop.wait(PAUSE)
                cursor = moved
        finally:
            del writer  # gives back the lock that Tantivy holds on the folder

    def horizon(self) -> int:
        """Returns the transaction below which every one has ended."""
        with transaction(self._app, read_only=True) as tx:
            return int(tx.execute(_HORIZON).scalar_one())

    def catch_up(self, writer: tantivy.IndexWriter, folder: Path, cursor: Cursor) -> Cursor:
        """Takes over the next changes, if any; returns how far it got."""
        with transaction(self._app, read_only=True) as tx:
            rows = tx.execute(_CHANGES, {**cursor._asdict(), "size": BATCH}).all()
            today = tx.today
        if not rows:
            return cursor
        for row in rows:
            told(writer.delete_documents_by_term)("id", row.id)
            if row.removed_time is None:
                told(writer.add_document)(document(row, today))
        told(writer.commit)()
        moved = Cursor(rows[-1].changed_xid, rows[-1].id)
        disk.write_cursor(folder, moved)
        return moved

    def make_current(self, writer: tantivy.IndexWriter, index: tantivy.Index) -> None:
        """Makes anew what is outdated because a session can no longer be booked: after midnight (UTC) the
        courses with one that could be until yesterday."""
        while True:
            with transaction(self._app, read_only=True) as tx:
                today = tx.today
                ids = _found(index, outdated(today))
                rows = tx.execute(_THESE, {"ids": ids}).all() if ids else []
            if not ids:
                return
            for course in ids:
                told(writer.delete_documents_by_term)("id", course)
            for row in rows:
                told(writer.add_document)(document(row, today))
            told(writer.commit)()

    def check(self, index: tantivy.Index) -> None:
        """Raises IndexDamaged when index and database differ in their number of courses while nothing
        changes.
        """
        index.reload()
        found = index.searcher().num_docs
        with transaction(self._app, read_only=True) as tx:
            wanted = tx.execute(_COUNT).scalar_one()
            unseen = tx.execute(_CHANGES, {**disk.read_cursor(self.current())._asdict(), "size": 1}).first()
        if found != wanted and unseen is None and self._settled(wanted):
            raise IndexDamaged(f"the index has {found} courses, the database {wanted}")

    def current(self) -> Path:
        """Returns the folder of the generation in use; raises IndexDamaged when there is none."""
        folder = self._where.current()
        if folder is None:
            raise IndexDamaged("no current generation")
        return folder

    def _settled(self, wanted: int) -> bool:
        """True when no transaction is under way that could explain a difference."""
        with transaction(self._app, read_only=True) as tx:
            quiet = "SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) FROM pg_current_snapshot() s"
            return bool(tx.execute(text(quiet)).scalar_one() and tx.execute(_COUNT).scalar_one() == wanted)

    def rebuild(self, stop: threading.Event) -> Path | None:
        """Builds a new generation beside the one in use and switches to it; None when stopped."""
        started = time.monotonic()
        start = Cursor(self.horizon() - 1, "ffffffff-ffff-ffff-ffff-ffffffffffff")
        with self._where.building() as folder:
            count = self._fill(folder, stop)
            if count is None:
                return None
            disk.write_cursor(folder, start)
            self._where.switch(folder)
        log.info("index_built", courses=count, seconds=round(time.monotonic() - started, 2))
        return folder

    def _fill(self, folder: Path, stop: threading.Event) -> int | None:
        """Writes all courses on offer into a new index; returns how many, None when stopped."""
        writer = disk.open_writer(disk.open_index(folder), BUILD_HEAP, 1)
        piece, count = piece_of(self._count()), 0
        try:
            for rows, today in self._pages():
                if stop.is_set():
                    return None
                for count, row in enumerate(rows, count + 1):  # noqa: B020  goes on counting
                    writer.add_document(document(row, today))
                    if count % piece == 0:
                        writer.commit()
            writer.commit()
            writer.wait_merging_threads()
        finally:
            del writer  # ends its threads, before the folder goes
        return count

    def _count(self) -> int:
        with transaction(self._app, read_only=True) as tx:
            return int(tx.execute(_COUNT).scalar_one())

    def _pages(self) -> Iterator[tuple[Sequence[Any], date]]:
        """Yields all courses on offer and the day, a short transaction a page, so that nothing is held
        up."""
        after = FIRST.course
        while True:
            with transaction(self._app, read_only=True) as tx:
                rows = tx.execute(_PAGE, {"after": after, "size": BATCH}).all()
                today = tx.today
            if not rows:
                return
            yield rows, today
            after = rows[-1].id


def _found(index: tantivy.Index, query: Query) -> list[str]:
    """Returns the ids of some of the courses that a query finds."""
    index.reload()
    searcher = guarded(index.searcher())
    return [
        str(searcher.doc(at).get_first("id")) for _, at in searcher.search(query, BATCH, count=False).hits
    ]


def piece_of(count: int) -> int:
    """Returns how many courses to put into each segment for all of them to end in one.

    Whatever a search asks for is looked up in each segment.
    """
    while count > PIECE:
        count = -(-count // MERGED)
    return max(count, 1)
