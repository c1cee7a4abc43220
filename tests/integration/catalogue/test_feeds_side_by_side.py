"""Feed runs of several sources at a time: places, fairness, processes that share the work, and turns."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from sqlalchemy import text
from waymark.catalogue.v1 import events_pb2, feed_run_pb2

from services.catalogue.domain import feed_places
from services.catalogue.imports import pipeline, worker
from services.catalogue.imports.tags import TagsInUse
from services.catalogue.imports.worker import Importer
from services.catalogue.store import feed_runs, staging
from services.cli.feed import progress
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, many
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, run_waiting, with_taxonomy
from tests.support.waiting import eventually

Run = feed_run_pb2.FeedRun


class Gate:
    """Where runs of some sources stand still, before they read their file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.shut = threading.Event(), set[str]()
        self.reached: list[str] = []
        stage = pipeline.FeedImport.stage

        def waits(work: Any) -> None:
            if (source := str(work._source.id)) in self.shut:
                self.reached.append(source)
                assert self.opened.wait(60)
            stage(work)

        monkeypatch.setattr(pipeline.FeedImport, "stage", waits)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(monkeypatch)
    yield made
    made.opened.set()


@pytest.fixture
def importers(catalogue: Catalogue) -> Iterator[Callable[[int], Importer]]:
    """Makes what takes in feeds in a process, of so many places."""
    made: list[Importer] = []

    def make(places: int) -> Importer:
        object.__setattr__(catalogue.app.settings, "feed_places", places)
        made.append(Importer(catalogue.app))
        return made[-1]

    yield make
    for each in made:
        each.close()


def start(catalogue: Catalogue, source: str, count: int = 3) -> str:
    upload = catalogue.upload(feed(*many(count)))
    request = feed_run_pb2.StartFeedRunRequest(source=source, upload=upload)
    return str(catalogue.feed_runs().StartFeedRun(request).name)


def stands(gate: Gate, importer: Importer, *sources: str) -> None:
    """Lets runs of these sources begin, which then stand still."""
    gate.shut |= {source.rpartition("/")[2] for source in sources}
    importer.look()
    eventually(lambda: len(gate.reached) == len(sources))


def ended(catalogue: Catalogue, run: str) -> bool:
    return bool(catalogue.run(run).state == Run.STATE_SUCCEEDED)


def oldest_first(places: int, busy: Any, waiting: Any) -> Any:
    return waiting[: places - len(busy)]


@pytest.mark.parametrize("places", [2, 1], ids=["places", "control"])
def test_a_run_does_not_wait_for_another_partners(
    catalogue: Catalogue, gate: Gate, importers: Callable[[int], Importer], places: int
) -> None:
    first, second = (catalogue.source(catalogue.organisation(name)) for name in ("harbour", "quay"))
    importer = importers(places)
    held = start(catalogue, first)
    stands(gate, importer, first)
    run = start(catalogue, second)
    importer.look()
    if places == 2:
        eventually(lambda: ended(catalogue, run))
    else:
        assert catalogue.run(run).state == Run.STATE_QUEUED
    assert catalogue.run(held).state == Run.STATE_RUNNING
    gate.opened.set()
    importer.wait()
    assert ended(catalogue, held)
    assert ended(catalogue, run)


@pytest.mark.parametrize("fair", [True, False], ids=["fair", "control"])
def test_neither_one_organisation_nor_large_files_take_all_places(
    catalogue: Catalogue,
    gate: Gate,
    importers: Callable[[int], Importer],
    monkeypatch: pytest.MonkeyPatch,
    *,
    fair: bool,
) -> None:
    if not fair:
        monkeypatch.setattr(worker, "choose", oldest_first)
    monkeypatch.setattr(feed_places, "LARGE", len(feed(*many(3))))
    owners = [catalogue.organisation(name) for name in ("harbour", "harbour-two", "quay")]
    mine = [catalogue.source(owners[0]) for _ in range(2)]
    other, small = catalogue.source(owners[1]), catalogue.source(owners[2])
    importer = importers(2)
    runs = [start(catalogue, source, 9) for source in (*mine, other)]
    stands(gate, importer, *(mine[:1] if fair else mine))
    run = start(catalogue, small)
    importer.look()
    if fair:
        eventually(lambda: ended(catalogue, run))
    else:
        assert catalogue.run(run).state == Run.STATE_QUEUED
    assert [catalogue.run(each).state for each in runs].count(Run.STATE_RUNNING) == (1 if fair else 2)
    gate.opened.set()
    importer.look()
    eventually(lambda: all(ended(catalogue, each) for each in (*runs, run)))


def test_processes_share_the_work_and_one_that_dies_lets_another_go_on(
    catalogue: Catalogue, gate: Gate, importers: Callable[[int], Importer]
) -> None:
    first, second = (catalogue.source(catalogue.organisation(name)) for name in ("harbour", "quay"))
    one, other = importers(1), importers(1)
    held = start(catalogue, first)
    stands(gate, one, first)
    run = start(catalogue, second)
    other.look()  # meets the run of the first, too
    eventually(lambda: ended(catalogue, run))
    assert len(gate.reached) == 1
    other.wait()
    with catalogue.app.engine.connect() as connection:  # as when the process is killed
        killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.exec_driver_sql(
            killed + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).scalar_one()
    gate.shut.clear()

    def goes_on() -> bool:
        other.look()  # as its job does each second
        return ended(catalogue, held)

    eventually(goes_on)
    gate.opened.set()  # who had it finds itself overtaken


def test_control_without_the_lock_two_processes_take_one_feed(
    catalogue: Catalogue,
    gate: Gate,
    importers: Callable[[int], Importer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "alone", lambda *_: nullcontext(enter_result=True))
    source = catalogue.source(catalogue.organisation("harbour"))
    one, other = importers(1), importers(1)
    run = start(catalogue, source)
    stands(gate, one, source)
    other.look()
    eventually(lambda: len(gate.reached) == 2)
    gate.opened.set()
    eventually(lambda: ended(catalogue, run))


@pytest.mark.parametrize("turns", [True, False], ids=["turns", "control"])
def test_who_was_overtaken_writes_nothing_more(
    catalogue: Catalogue,
    gate: Gate,
    importers: Callable[[int], Importer],
    monkeypatch: pytest.MonkeyPatch,
    *,
    turns: bool,
) -> None:
    source = catalogue.source(catalogue.organisation("harbour"))
    importer = importers(1)
    run = start(catalogue, source)
    stands(gate, importer, source)
    with catalogue.app.engine.begin() as connection:  # another has taken it up, and its process died
        connection.exec_driver_sql("UPDATE feed_runs SET turn = turn + 1")
    if not turns:
        monkeypatch.setattr(feed_runs, "hold", lambda *_: 1)
    gate.opened.set()
    eventually(lambda: not importer.under_way)
    assert ended(catalogue, run) is not turns
    assert (len(events(catalogue, events_pb2.CourseChanged)) == 0) is turns
    run_waiting(catalogue.app)
    assert ended(catalogue, run)
    assert len(events(catalogue, events_pb2.CourseChanged)) == 3


@pytest.mark.parametrize("skipping", [True, False], ids=["skipping", "control"])
def test_a_run_does_not_wait_for_the_counting_of_another(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, *, skipping: bool
) -> None:
    if not skipping:
        monkeypatch.setattr(staging, "analyze", lambda tx: tx.execute(text("ANALYZE feed_staged")))
    source = catalogue.source(catalogue.organisation("harbour"))
    run = start(catalogue, source)
    with transaction(catalogue.app) as tx:
        tx.execute(text("ANALYZE feed_staged"))  # as of a run that is about to be judged
        run_waiting(catalogue.app)
        assert ended(catalogue, run) is skipping
    run_waiting(catalogue.app)
    assert ended(catalogue, run)


def test_runs_side_by_side_share_one_taxonomy_until_another_is_in_use(catalogue: Catalogue) -> None:
    tags = TagsInUse(catalogue.app.engine)
    held = tags.get()
    assert tags.get() is held
    with_taxonomy(catalogue)
    newer = tags.get()
    assert (held.version, newer.version) == ("", "1.1.1")
    gone = weakref.ref(newer)
    del newer
    assert gone() is None  # none is kept while nobody reads


def test_a_process_that_ends_leaves_its_run_to_another(
    catalogue: Catalogue, gate: Gate, importers: Callable[[int], Importer]
) -> None:
    source = catalogue.source(catalogue.organisation("harbour"))
    importer = importers(1)
    run = start(catalogue, source)
    stands(gate, importer, source)
    importer.closing.set()
    gate.opened.set()
    importer.close()
    assert catalogue.run(run).state == Run.STATE_RUNNING
    with catalogue.app.engine.connect() as connection:  # it has not failed
        assert connection.exec_driver_sql("SELECT attempts FROM feed_runs").scalar_one() == 0
    run_waiting(catalogue.app)
    assert ended(catalogue, run)


def test_what_is_written_so_far_is_told(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "APPLY_BATCH", 4)
    source = catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)
    catalogue.feed(source, feed(*many(3)))
    told: list[str] = []
    leave_out = pipeline.FeedImport.remove

    def tells(work: Any) -> None:
        leave_out(work)
        run = catalogue.run(f"feedRuns/{work._run}")
        told.append(progress(MessageToDict(run)))

    apply_batch = pipeline.apply_batch

    def tells_too(*args: Any) -> None:
        apply_batch(*args)
        run = catalogue.feed_runs().ListFeedRuns(feed_run_pb2.ListFeedRunsRequest()).feed_runs[0]
        told.append(progress(MessageToDict(run)))

    monkeypatch.setattr(pipeline, "apply_batch", tells_too)
    monkeypatch.setattr(pipeline.FeedImport, "remove", tells)
    run = catalogue.feed(source, feed(*many(11)[1:]))
    assert told == [
        "running: 0 of 9 courses written",
        "running: 4 of 9 courses written",
        "running: 9 of 9 courses written",
    ]
    assert run.applied_count == 9
