"""Facts from a file: each row once whatever breaks off, what is wrong by line, the file gone at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from waymark.vouchers.v1 import learner_fact_file_pb2 as pb
from waymark.vouchers.v1 import learner_fact_pb2, operation_pb2

from services.platform.operations import runner
from services.vouchers import importing_facts, jobs
from services.vouchers.domain import fact_file
from services.vouchers.store import fact_files
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_simulation import finished
from tests.support.canary import everything
from tests.support.uploads import put
from tests.support.vouchers import World

HEADER = "learner,key,value,source,observed_date,valid_until\n"
NAME = "Anna-Canary"
Operation = operation_pb2.VoucherOperation


@pytest.fixture
def world(stored: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Files lie in an object store, in a bucket of their own: a test must not meet another's files."""
    bucket = f"waymark-test-{hashlib.sha256(stored.system.subject.encode()).hexdigest()[:20]}"
    monkeypatch.setattr(fact_files, "BUCKET", bucket)
    return stored


def handed_over(world: World, content: str | bytes) -> Any:
    """Makes a file and puts it there."""
    body = content if isinstance(content, bytes) else content.encode()
    request = pb.CreateLearnerFactFileRequest(size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest())
    made = world.system.fact_files.CreateLearnerFactFile(request)
    put(made.upload_uri, made.upload_headers, body).raise_for_status()
    return made


def started(world: World, file: Any, *, dry_run: bool = False) -> Any:
    """Begins an import."""
    request = pb.ImportLearnerFactsRequest(name=file.name, dry_run=dry_run)
    return world.system.fact_files.ImportLearnerFacts(request)


def imported(world: World, content: str | bytes, *, dry_run: bool = False) -> Operation:
    """Hands a file over and imports it to the end."""
    return finished(world, started(world, handed_over(world, content), dry_run=dry_run).name)


def findings(world: World, operation: Any) -> list[tuple[int, str, str]]:
    """Lists what is wrong, page by page: line, column, explanation."""
    found, token = [], ""
    while True:
        request = pb.ListLearnerFactFindingsRequest(parent=operation.name, page_size=2, page_token=token)
        page = world.system.fact_files.ListLearnerFactFindings(request)
        found += [(each.position, each.field, each.explanation) for each in page.findings]
        token = page.next_page_token
        if not token:
            return found


def facts_of(world: World, learner: str) -> dict[str, Any]:
    """Returns the facts kept about somebody, by key."""
    request = learner_fact_pb2.ListLearnerFactsRequest(parent=f"learners/{learner}")
    return {fact.key: fact for fact in world.caseworker.facts.ListLearnerFacts(request).facts}


def kept_files(world: World) -> list[str]:
    """Returns the keys of all files in the store."""
    client = world.app.objects._client
    if not client.bucket_exists(fact_files.BUCKET):
        return []
    return [str(found.object_name) for found in client.list_objects(fact_files.BUCKET, recursive=True)]


def rows(count: int) -> str:
    """Returns a file of that many facts, each about somebody else."""
    return HEADER + "".join(f"p{n},education_level,{n % 9},PES_REGISTER,,\n" for n in range(count))


def test_every_fact_is_stored_with_the_type_of_its_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_facts, "SIZE", 2)
    done = imported(
        world,
        "key,learner,value,valid_until,source,observed_date\r\n"
        "education_level,learners/a,4,,PES_REGISTER,2026-01-31\r\n"
        'has_disability,a,"TRUE",2030-12-31,PES_REGISTER,\r\n'
        "\r\n"
        "unemployed_since, a ,2025-02-28,,PES_REGISTER,\r\n"
        "residence_nuts,a,BE211,,SELF_DECLARED,\r\n"
        "education_level,a,5,,PES_REGISTER,2026-02-01\r\n",
    )
    assert (done.state, done.done_count, done.total_count) == (Operation.STATE_SUCCEEDED, 5, 5)
    result = done.learner_fact_import
    assert (result.stored_count, result.invalid_count, result.dry_run) == (5, 0, False)
    found = facts_of(world, "a")
    assert found["education_level"].number == 5  # the later row
    assert found["education_level"].observed_date.day == 1
    assert found["has_disability"].flag
    assert found["has_disability"].valid_until.year == 2030
    assert (found["unemployed_since"].date.month, found["unemployed_since"].date.day) == (2, 28)
    assert found["unemployed_since"].observed_date.day == world.today.day
    assert found["residence_nuts"].source == learner_fact_pb2.FACT_SOURCE_SELF_DECLARED
    assert kept_files(world) == []


def test_a_dry_run_finds_the_same_and_stores_nothing(world: World) -> None:
    content = HEADER + "a,education_level,4,PES_REGISTER,,\nb,education_level,many,PES_REGISTER,,\n"
    tried = imported(world, content, dry_run=True)
    assert facts_of(world, "a") == {}
    assert kept_files(world) == []
    done = imported(world, content)
    assert tried.learner_fact_import.dry_run
    counts = [
        (each.learner_fact_import.stored_count, each.learner_fact_import.invalid_count)
        for each in (tried, done)
    ]
    assert counts == [(1, 1), (1, 1)]
    assert findings(world, tried) == findings(world, done)
    assert facts_of(world, "a").keys() == {"education_level"}


def test_every_way_a_row_can_be_wrong_says_how_to_mend_it_and_repeats_nothing(world: World) -> None:
    lines = [
        f"{NAME} Peeters,education_level,4,PES_REGISTER,,",
        f"a,{NAME},4,PES_REGISTER,,",
        f"a,education_level,{NAME},PES_REGISTER,,",
        "a,education_level,9,PES_REGISTER,,",
        f"a,employment_status,{NAME},PES_REGISTER,,",
        f"a,has_disability,{NAME},PES_REGISTER,,",
        "a,unemployed_since,2026-02-30,PES_REGISTER,,",
        f"a,education_level,4,{NAME},,",
        f"a,education_level,4,PES_REGISTER,{NAME},20260101",
        "a,education_level,4,PES_REGISTER,2026-02-02,2026-01-01",
        f"a,education_level,4,PES_REGISTER,,,{NAME}",
        "a,education_level,²,PES_REGISTER,,",
        "b,education_level,4,PES_REGISTER,,",
    ]
    with structlog.testing.capture_logs() as logs:
        done = imported(world, HEADER + "\n".join(lines), dry_run=True)
    found = findings(world, done)
    assert [(line, column) for line, column, _ in found] == [
        (2, "learner"),
        (3, "key"),
        (4, "value"),
        (5, "value"),
        (6, "value"),
        (7, "value"),
        (8, "value"),
        (9, "source"),
        (10, "observed_date"),
        (10, "valid_until"),
        (11, "valid_until"),
        (12, ""),
        (13, "value"),
    ]
    assert all(text.endswith(".") or "must" in text for _, _, text in found)
    assert (done.learner_fact_import.invalid_count, done.learner_fact_import.stored_count) == (12, 1)
    assert NAME not in everything(world.app.engine)
    assert NAME not in str(logs)
    assert "learner_fact_import" in everything(world.app.engine)  # control: what is kept is found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"learner,key,value\na,b,c\n", "`source`"),
        (HEADER.replace("\n", ",name\n").encode(), "`name`"),
        (HEADER.encode() + b"a,education_level,4,PES_REGISTER,,\n\xff\xfe\n", "not UTF-8"),
        (HEADER.encode() + b'a,"education_level\n', "Close every quote"),
    ],
)
def test_a_file_that_is_none_stores_nothing_and_is_deleted(world: World, content: bytes, said: str) -> None:
    done = imported(world, content)
    assert (done.state, done.reason) == (Operation.STATE_FAILED, "LEARNER_FACT_FILE_INVALID")
    assert said in done.explanation
    assert kept_files(world) == []
    assert facts_of(world, "a") == {}


def test_more_rows_than_a_file_may_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_facts, "FORM", fact_file.FORM._replace(most=2))
    assert "more than 2 rows" in imported(world, rows(3)).explanation


def test_all_that_is_wrong_is_counted_and_some_of_it_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing_facts, "MOST_FINDINGS", 3)
    monkeypatch.setattr(importing_facts, "SIZE", 2)
    done = imported(world, rows(5).replace("PES_REGISTER", "HEARSAY"))
    assert done.learner_fact_import.invalid_count == 5
    assert [line for line, _, _ in findings(world, done)] == [2, 3, 4]


@pytest.mark.parametrize("together", [True, False], ids=["one transaction", "control"])
def test_a_crash_in_the_midst_repeats_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    """Killed between the rows and the place. Where the two are kept apart, the chunk is begun twice, and
    trips over its own findings."""
    monkeypatch.setattr(importing_facts, "SIZE", 2)
    monkeypatch.setattr(runner, "TRIES", 2)
    crashes: Iterator[bool] = iter([False, False, True])
    note = runner._note

    def crashing(tx: Any, row: Any, chunk: Any) -> None:
        crash = next(crashes, False)
        if crash and not together:
            tx.connection.commit()
        if crash:
            raise ConnectionError("the machine is gone")
        note(tx, row, chunk)

    monkeypatch.setattr(runner, "_note", crashing)
    done = imported(world, rows(6).replace("p3,education_level", "p3,nothing"))
    if not together:
        assert (done.state, done.reason) == (Operation.STATE_FAILED, "INTERNAL")
        return
    result = done.learner_fact_import
    assert (done.state, result.stored_count, result.invalid_count) == (Operation.STATE_SUCCEEDED, 5, 1)
    assert [facts_of(world, f"p{n}").keys() == {"education_level"} for n in range(6)] == [
        n != 3 for n in range(6)
    ]
    assert kept_files(world) == []


def test_a_crash_before_the_file_is_deleted_still_deletes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete, failures = world.app.objects.delete, iter([True])

    def failing(bucket: str, key: str) -> None:
        if next(failures, False):
            raise ConnectionError("the machine is gone")
        delete(bucket, key)

    operation = started(world, handed_over(world, rows(2)))
    monkeypatch.setattr(world.app.objects, "delete", failing)
    assert finished(world, operation.name).learner_fact_import.stored_count == 2
    assert kept_files(world) == []


def test_what_is_stopped_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_facts, "SIZE", 2)
    kinds = {importing_facts.KIND: importing_facts.take_in}
    operation = started(world, handed_over(world, rows(5)))
    for _ in range(2):  # the look at the whole, and two rows
        runner.run_chunk(world.app, kinds)
    stop = operation_pb2.CancelVoucherOperationRequest(name=operation.name)
    stopped = world.system.operations.CancelVoucherOperation(stop)
    assert (stopped.done_count, stopped.total_count) == (2, 5)
    jobs.work(world.app)
    assert facts_of(world, "p3") == {}
    world.system.operations.ResumeVoucherOperation(
        operation_pb2.ResumeVoucherOperationRequest(name=operation.name)
    )
    done = finished(world, operation.name)
    assert (done.learner_fact_import.stored_count, len(facts_of(world, "p3"))) == (5, 1)


def swept(world: World) -> list[str]:
    """Sweeps as if a day had gone by."""
    sweep = world.app.objects.sweep

    def at_once(bucket: str, known: Any, older: timedelta) -> list[str]:
        assert older >= timedelta(days=1)
        return sweep(bucket, known, timedelta(seconds=-5))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.app.objects, "sweep", at_once)
        jobs.sweep_facts(world.app)
    return kept_files(world)


def test_the_sweep_takes_what_is_left_over_and_leaves_what_is_being_worked_on(world: World) -> None:
    handed_over(world, rows(1))  # never asked for
    at_work = started(world, handed_over(world, rows(2)))
    stopped = started(world, handed_over(world, rows(3)))
    stop = operation_pb2.CancelVoucherOperationRequest(name=stopped.name)
    world.system.operations.CancelVoucherOperation(stop)
    assert len(kept_files(world)) == 3
    (left,) = swept(world)
    assert at_work.learner_fact_import.file.endswith(left)
    resume = operation_pb2.ResumeVoucherOperationRequest(name=stopped.name)
    world.system.operations.ResumeVoucherOperation(resume)
    assert finished(world, stopped.name).reason == "UPLOAD_MISSING"
    assert finished(world, at_work.name).learner_fact_import.stored_count == 2


def test_what_cannot_be_imported(world: World) -> None:
    digest = hashlib.sha256(b"learner\n").hexdigest()
    empty = world.system.fact_files.CreateLearnerFactFile(
        pb.CreateLearnerFactFileRequest(size_bytes=8, sha256=digest)
    )
    assert refused(lambda: started(world, empty)) == "UPLOAD_MISSING"
    once = handed_over(world, rows(1))
    operation = started(world, once)
    assert refused(lambda: started(world, once, dry_run=True)) == "WRONG_STATE"
    finished(world, operation.name)
    assert refused(lambda: started(world, once)) == "WRONG_STATE"
    empty.name = "learnerFactFiles/01980000-0000-7000-8000-000000000000"
    assert refused(lambda: started(world, empty)) == "NOT_FOUND"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing_facts, "KIND", "another")
        assert refused(lambda: findings(world, operation)) == "NOT_FOUND"
