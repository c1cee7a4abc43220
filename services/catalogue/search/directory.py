"""The index on disk: generations, of which one is current, switched atomically; and a reader that follows.

`<index_dir>/current` names the generation in use. A rebuild fills a new folder and then replaces that file,
so reads go on with the old one until the new one is whole. Each process reads; one of them (see `follower`)
writes.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import tantivy

from services.catalogue.search import ways
from services.catalogue.search.damage import IndexDamaged, guarded, is_damage, told
from services.catalogue.search.labelled import Labelled
from services.catalogue.search.places import Places
from services.catalogue.search.schema import COURSES, Design
from services.platform.db.ids import new_id

LOOK_AGAIN = 0.2  # seconds between looks at the disk
KEEP_OLD = 60  # seconds an old generation is left for readers that are about to open it


class Cursor(NamedTuple):
    """How far a generation follows the database: everything up to this change is in it."""

    xid: int
    course: str


class Directory:
    """The folder with all generations of one index; `design`: what the index consists of."""

    def __init__(self, path: Path, design: Design = COURSES) -> None:
        self.path = path
        self.design = design
        path.mkdir(parents=True, exist_ok=True)

    def current(self) -> Path | None:
        """Returns the folder in use; None when there is none of this schema."""
        try:
            name = (self.path / "current").read_text()
        except FileNotFoundError:
            return None
        folder = self.path / name
        return folder if name.startswith(f"{self.design.revision}-") and folder.is_dir() else None

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Makes the folder of a new generation, and deletes it unless it was switched to: what could not be
        finished must not fill the disk."""
        self.sweep()  # what a process that was killed has left
        folder = self.path / f"{self.design.revision}-{new_id()}"
        folder.mkdir()
        try:
            yield folder
        finally:
            if self.current() != folder:
                shutil.rmtree(folder, ignore_errors=True)

    def switch(self, folder: Path) -> None:
        """Makes a generation the current one, and forgets that the last was damaged."""
        _replace(self.path / "current", folder.name)
        (self.path / "damaged").unlink(missing_ok=True)

    def sweep(self, keep: float = KEEP_OLD) -> None:
        """Deletes generations not in use that are older than `keep` seconds."""
        used = self.current()
        for folder in self.path.glob("[0-9]*-*"):
            old = folder != used and folder.stat().st_mtime < time.time() - keep
            if old:
                shutil.rmtree(folder, ignore_errors=True)

    def report_damage(self) -> None:
        """Asks the writer for a rebuild."""
        (self.path / "damaged").touch()

    @property
    def damaged(self) -> bool:
        """True when a reader asked for a rebuild."""
        return (self.path / "damaged").exists()


def open_index(folder: Path, design: Design = COURSES) -> tantivy.Index:
    """Opens a generation; raises IndexDamaged."""
    index = told(tantivy.Index)(design.schema(), str(folder))
    design.register(index)
    return index


def open_writer(index: tantivy.Index, heap: int, threads: int) -> tantivy.IndexWriter:
    """Opens the one writer of an index, with `heap` bytes of memory; raises IndexDamaged."""
    return told(index.writer)(heap_size=heap, num_threads=threads)


def read_cursor(folder: Path) -> Cursor:
    """Returns how far a generation follows; raises IndexDamaged."""
    try:
        return Cursor(*json.loads((folder / "cursor.json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise IndexDamaged(str(error)) from error


def write_cursor(folder: Path, cursor: Cursor) -> None:
    """Notes how far a generation follows;

    After the commit of the index, so that it never promises too much.
    """
    _replace(folder / "cursor.json", json.dumps(cursor))


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


@dataclass(frozen=True)
class Snapshot:
    """One consistent view of the index; `ways`: in how many ways a course of it can be taken at most."""

    searcher: tantivy.Searcher
    places: Places
    labelled: Labelled
    ways: int

    @classmethod
    def of(cls, searcher: tantivy.Searcher, before: Snapshot | None = None) -> Snapshot:
        """Makes the view; the places of the one before are kept while they are the same."""
        searcher = guarded(searcher)
        terms = [term for term, _ in searcher.terms_with_prefix("place", "")]
        towns = [town for town, _ in searcher.terms_with_prefix("town", "")]
        if before is not None and (before.places.terms, before.places.towns) == (terms, towns):
            known = before.places  # nearly always; else 5 µs a place
        else:
            known = Places(terms, towns)
        return cls(searcher, known, Labelled(searcher), ways.most(searcher))


View = TypeVar("View")


class Reader(Generic[View]):
    """The newest view of an index, for the threads of one process.

    `view` makes one of a searcher and the view before, None the first time.
    """

    def __init__(self, directory: Directory, view: Callable[[tantivy.Searcher, View | None], View]) -> None:
        self.directory = directory
        self._view = view
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._seen: tuple[Path, int] | None = None
        self._index: tantivy.Index | None = None
        self._snapshot: View | None = None

    def snapshot(self) -> View | None:
        """Returns the newest view;

        None while there is no index. Looks at the disk every LOOK_AGAIN seconds.
        """
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=self._snapshot is None):
            try:
                self._look()
                self._next_look = time.monotonic() + LOOK_AGAIN
            finally:
                self._lock.release()
        return self._snapshot

    def forget(self) -> None:
        """Drops a view that turned out damaged and asks for a rebuild; the next look opens the disk anew."""
        self.directory.report_damage()
        with self._lock:
            self._seen = self._index = self._snapshot = None
            self._next_look = 0.0

    def _look(self) -> None:
        folder = self.directory.current()
        if folder is None:
            return
        try:
            seen = folder, (folder / "meta.json").stat().st_mtime_ns
            if seen == self._seen:
                return
            if self._index is None or self._seen is None or self._seen[0] != folder:
                self._index = open_index(folder, self.directory.design)
            self._index.reload()
            made = self._view(self._index.searcher(), self._snapshot)
        except BaseException as error:
            if not (isinstance(error, IndexDamaged) or is_damage(error)):
                raise
            self._seen = self._index = None
            self.directory.report_damage()
            return  # what was open before goes on being served
        self._seen, self._snapshot = seen, made
