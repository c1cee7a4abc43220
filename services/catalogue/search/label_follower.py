"""Keeps the index of labels like the taxonomies: made whole, beside the one in use, when they changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import tantivy

from services.catalogue.search import directory as disk
from services.catalogue.search.directory import Directory
from services.catalogue.search.label_index import documents, labels_directory
from services.catalogue.search.schema import Design
from services.catalogue.search.writing import alone
from services.catalogue.store import taxonomies
from services.platform.db.transaction import transaction

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp

PAUSE = 1.0  # seconds between looks at the database
HEAP = 60_000_000  # bytes of the writer
log = structlog.get_logger("search")


def follow_labels(app: CatalogueApp, stop: threading.Event) -> None:
    """Follows until `stop` is set; waits while another process does."""
    where = labels_directory(app.settings.index_dir)

    def run() -> None:
        while not stop.wait(PAUSE):
            renew(app, where)

    alone(where, stop, run)


def renew(app: CatalogueApp, where: Directory) -> None:
    """Makes the index anew when it is missing, damaged or of another state of the taxonomies."""
    with transaction(app, read_only=True) as tx:
        state = taxonomies.state(tx.connection)
    folder = where.current()
    if folder is not None and not where.damaged and _state(folder) == state:
        return
    started = time.monotonic()
    with where.building() as folder:
        count = _fill(folder, where.design, _documents(app))
        (folder / "state").write_text(state)
        where.switch(folder)
    where.sweep()
    log.info("labels_indexed", documents=count, seconds=round(time.monotonic() - started, 2))


def _fill(folder: Path, design: Design, made: Iterator[tantivy.Document]) -> int:
    """Writes a new index; returns the number of documents."""
    writer = disk.open_writer(disk.open_index(folder, design), HEAP, 1)
    count = 0
    try:
        for each in made:
            writer.add_document(each)
            count += 1
        writer.commit()
        writer.wait_merging_threads()
    finally:
        del writer  # ends its threads, before the folder goes
    return count


def _state(folder: Path) -> str | None:
    try:
        return (folder / "state").read_text()
    except OSError:
        return None


def _documents(app: CatalogueApp) -> Iterator[tantivy.Document]:
    """Yields the documents of the versions in use, a short transaction for each scheme and language."""
    with transaction(app, read_only=True) as tx:
        versions = taxonomies.in_use(tx.connection)
        languages = {
            scheme: taxonomies.find_version(tx.connection, scheme, version).languages  # type: ignore[union-attr]
            for scheme, version in versions.items()
        }
    for scheme, version in versions.items():
        for language in languages[scheme]:
            with transaction(app, read_only=True) as tx:
                rows = list(taxonomies.labels_in(tx.connection, scheme, version, language))
                told = taxonomies.descriptions(tx.connection, scheme, version, language)
            yield from documents(rows, told)
