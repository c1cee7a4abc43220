"""A run that is stopped while it reads goes on with what it has not read, and counts each record once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import feed_run_pb2

from services.catalogue.imports import pipeline
from services.catalogue.imports.csv_template import CsvTemplate
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, many, row
from tests.support.catalogue import Catalogue, run_waiting, with_taxonomy

Run = feed_run_pb2.FeedRun
COUNTS = [name for name in Run.DESCRIPTOR.fields_by_name if name.startswith(("records_", "courses_"))]
# Two that are read, one refused, one without a name, and one that stands there twice.
ROWS = [
    *many(4),
    row("C4", ""),
    row("", "Nameless"),
    *many(7)[5:],
    row("C0", "Again"),
    row("C1", "", eqf_level="x"),
]


def start(catalogue: Catalogue, name: str) -> str:
    source = catalogue.source(catalogue.organisation(name))
    request = feed_run_pb2.StartFeedRunRequest(source=source, upload=catalogue.upload(feed(*ROWS)))
    return str(catalogue.feed_runs().StartFeedRun(request).name)


def told(catalogue: Catalogue, run: str) -> tuple[list[int], list[tuple[str, str]]]:
    """What a run has counted, and its findings."""
    ended = catalogue.run(run)
    assert ended.state == Run.STATE_SUCCEEDED
    asked = feed_run_pb2.ListFeedFindingsRequest(parent=run, page_size=100)
    found = catalogue.feed_runs().ListFeedFindings(asked).findings
    return [getattr(ended, name) for name in [*COUNTS, "error_count", "warning_count"]], [
        (each.code, each.record) for each in found
    ]


@pytest.mark.parametrize("lost", ["", "DELETE FROM feed_staged WHERE external_id = 'C1'", "taxonomy"])
def test_a_run_that_was_stopped_reads_on(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(pipeline, "READ_BATCH", 2)
    whole = start(catalogue, "quay")
    run_waiting(catalogue.app)
    read: list[str] = []
    reads, writes = CsvTemplate.read, pipeline.FeedImport._write_batch
    monkeypatch.setattr(
        CsvTemplate, "read", lambda me, raw, *rest: (read.append(raw.external_id), reads(me, raw, *rest))[1]
    )
    closing = catalogue.app.importer.closing

    def ends(work: Any, *args: Any) -> None:
        writes(work, *args)
        written.append(args)
        if len(written) == 3:
            closing.set()

    written: list[Any] = []
    monkeypatch.setattr(pipeline.FeedImport, "_write_batch", ends)
    run = start(catalogue, "harbour")
    run_waiting(catalogue.app)
    stopped = catalogue.run(run)
    assert (stopped.state, stopped.read_count) == (Run.STATE_RUNNING, 6)
    closing.clear()
    before = len(read)
    if lost == "taxonomy":  # what was read before would now be read otherwise
        with_taxonomy(catalogue)
    elif lost:  # as the database may after a crash
        with transaction(catalogue.app) as tx:
            tx.execute(text(lost))
    run_waiting(catalogue.app)
    assert told(catalogue, run) == told(catalogue, whole)
    again = read[before:]
    assert (again[0], len(again)) == (("C0", 7) if lost else ("C5", 2))
