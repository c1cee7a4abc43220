"""Feed runs: the one path, its guards with their controls, and what a kill leaves behind."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import course_pb2, events_pb2, feed_run_pb2

from services.catalogue.domain import guard
from services.catalogue.imports import pipeline, worker
from services.catalogue.store import uploads
from services.platform.db.transaction import transaction
from services.platform.objects.store import Objects
from tests.integration.catalogue.feeds import feed, many, row
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import DEVELOPER, XML, Catalogue, run_waiting, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token

Run = feed_run_pb2.FeedRun


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    return catalogue.source(catalogue.organisation("harbour"))


def courses(catalogue: Catalogue) -> dict[str, Any]:
    answer = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest(page_size=200))
    return {course.external_id: course for course in answer.courses}


def accounted(run: Any) -> bool:
    return bool(run.records_in == run.records_accepted + run.records_rejected + run.records_held)


def test_bad_records_stay_out_and_are_explained(catalogue: Catalogue, source: str) -> None:
    run = catalogue.feed(
        source,
        feed(
            row("A", "Good"), row("B", ""), row("C", "Bad day", start_date="2030-02-30"), row("", "Nameless")
        ),
    )
    assert run.state == Run.STATE_SUCCEEDED
    assert (run.records_in, run.records_accepted, run.records_rejected, run.error_count) == (4, 1, 3, 3)
    assert {(f.code, f.record, f.line) for f in catalogue.findings(run.name)} == {
        ("TITLE_MISSING", "B", 3),
        ("DATE_INVALID", "C", 4),
        ("ID_MISSING", "", 5),
    }
    assert list(courses(catalogue)) == ["A"]
    severe = feed_run_pb2.ListFeedFindingsRequest(parent=run.name, minimum_severity=3, page_size=2)
    page = catalogue.feed_runs().ListFeedFindings(severe)
    assert (len(page.findings), bool(page.next_page_token)) == (2, True)


def test_a_nul_character_rejects_its_record_alone(catalogue: Catalogue, source: str) -> None:
    bad = {"session_id": "S\0"}, {"url": "https://p.example/\0"}
    long = row("A", "Good", description="x" * 9_000)  # what an upload begins with is looked at before
    rows = long, row("N\0", "Bad"), *(row(f"B{n}", "Bad", **each) for n, each in enumerate(bad))
    run = catalogue.feed(source, feed(*rows))
    assert (run.state, run.records_accepted, run.records_rejected) == (Run.STATE_SUCCEEDED, 1, 3)
    found = [finding.code for finding in catalogue.findings(run.name)]
    assert found == ["ID_MISSING", "NUL_CHARACTER", "NUL_CHARACTER"]
    assert list(courses(catalogue)) == ["A"]


def test_dry_run_changes_nothing(catalogue: Catalogue, source: str) -> None:
    run = catalogue.feed(source, feed(*many(3)), dry_run=True)
    assert (run.state, run.courses_created, run.records_accepted) == (Run.STATE_SUCCEEDED, 3, 3)
    assert not courses(catalogue)
    assert not events(catalogue, events_pb2.CourseChanged)


def test_changes_unchanged_and_removed(catalogue: Catalogue, source: str) -> None:
    rows = many(10)
    catalogue.feed(source, feed(*rows))
    rows[0]["title"] = "Another title"
    run = catalogue.feed(source, feed(*rows[:9]))
    assert (run.courses_updated, run.courses_unchanged, run.courses_removed) == (1, 8, 1)
    assert courses(catalogue)["C0"].titles["en"] == "Another title"
    assert "C9" not in courses(catalogue)
    told = [(e.version, e.removed) for e in events(catalogue, events_pb2.CourseChanged)]
    assert len(told) == 12
    assert (2, True) in told
    back = catalogue.feed(source, feed(*rows))
    assert (back.courses_created + back.courses_updated, len(courses(catalogue))) == (1, 10)


def test_rejected_records_are_not_removed(catalogue: Catalogue, source: str) -> None:
    rows = many(10)
    catalogue.feed(source, feed(*rows))
    rows[0]["title"] = ""
    run = catalogue.feed(source, feed(*rows))
    assert (run.records_rejected, run.courses_removed) == (1, 0)
    assert courses(catalogue)["C0"].titles["en"] == "Course number 0"


def test_partial_feed_never_removes(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, feed(*many(5)))
    run = catalogue.feed(source, feed(*many(1)), partial=True)
    assert (run.state, run.courses_removed, len(courses(catalogue))) == (Run.STATE_SUCCEEDED, 0, 5)


@pytest.mark.parametrize(("left", "reason"), [(0, Run.HOLD_REASON_EMPTY_FEED), (7, 2)])
def test_guard_holds_until_a_person_decides(
    catalogue: Catalogue, source: str, left: int, reason: int
) -> None:
    catalogue.feed(source, feed(*many(10)))
    run = catalogue.feed(source, feed(*many(left)))
    assert (run.state, run.hold_reason, run.records_held) == (Run.STATE_HELD, reason, left)
    assert accounted(run)
    assert len(courses(catalogue)) == 10
    start = feed_run_pb2.StartFeedRunRequest(source=source, upload=catalogue.upload(feed(*many(9))))
    assert reason_of(catalogue.feed_runs().StartFeedRun, start) == "FEED_RUN_ACTIVE"
    rejected = catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=run.name))
    assert (rejected.state, rejected.records_rejected) == (Run.STATE_REJECTED, left)
    approve = feed_run_pb2.ApproveFeedRunRequest(name=run.name)
    assert reason_of(catalogue.feed_runs().ApproveFeedRun, approve) == "WRONG_STATE"

    run = catalogue.feed(source, feed(*many(left)))
    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=run.name))
    run_waiting(catalogue.app)
    run = catalogue.run(run.name)
    assert (run.state, run.records_accepted, run.courses_removed) == (Run.STATE_SUCCEEDED, left, 10 - left)
    assert len(courses(catalogue)) == left


def test_what_goes_night_by_night_is_held_as_what_goes_at_once(catalogue: Catalogue, source: str) -> None:
    left = [many(count) for count in (30, 28, 26, 25)]
    runs = [catalogue.feed(source, feed(*rows)) for rows in left]
    assert [run.courses_removed for run in runs] == [0, 2, 2, 1]
    held = catalogue.feed(source, feed(*left[0][:24]))  # the sixth of thirty
    assert (held.state, held.hold_reason) == (Run.STATE_HELD, Run.HOLD_REASON_REMOVALS_ABOVE_LIMIT)
    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=held.name))
    run_waiting(catalogue.app)
    assert catalogue.feed(source, feed(*many(21))).courses_removed == 3  # a person has looked: counted anew
    held = catalogue.feed(source, feed(*many(19)))
    assert held.state == Run.STATE_HELD
    catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=held.name))
    with transaction(catalogue.app) as tx:  # a week later
        tx.execute(text("UPDATE courses SET removed_time = removed_time - interval '7 days'"))
    assert catalogue.feed(source, feed(*many(19))).courses_removed == 2


def test_control_without_guard_everything_goes(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.feed(source, feed(*many(10)))
    monkeypatch.setattr(guard, "judge", lambda _: guard.Verdict(guard.NONE, removes=True))
    assert catalogue.feed(source, feed()).state == Run.STATE_SUCCEEDED
    assert not courses(catalogue)


@pytest.mark.parametrize(
    "data", [feed(*many(3)) + b'C9,"cut', feed(*many(3)).replace(b"number 2", b"n\xff"), b"a;b\n1;2\n"]
)
def test_a_broken_feed_leaves_the_last_good_one(catalogue: Catalogue, source: str, data: bytes) -> None:
    catalogue.feed(source, feed(*many(5)))
    run = catalogue.feed(source, data)
    assert (run.state, run.complete) == (Run.STATE_FAILED, False)
    assert accounted(run)
    assert run.error_count == 1
    assert catalogue.findings(run.name)[0].remedy
    assert len(courses(catalogue)) == 5


def test_one_partner_never_touches_anothers_courses(catalogue: Catalogue, source: str) -> None:
    other = catalogue.source(catalogue.organisation("quayside"))
    catalogue.feed(source, feed(row("A", "Mine")))
    catalogue.feed(other, feed(row("A", "Theirs")))
    found = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    assert {(c.organisation, c.titles["en"]) for c in found} == {
        ("organisations/harbour", "Mine"),
        ("organisations/quayside", "Theirs"),
    }
    provider = catalogue.feed_runs(token("provider", org="organisations/quayside"))
    request = feed_run_pb2.StartFeedRunRequest(source=source, upload=catalogue.upload(feed()))
    assert reason_of(provider.StartFeedRun, request) == "NOT_FOUND"
    assert len(provider.ListFeedRuns(feed_run_pb2.ListFeedRunsRequest()).feed_runs) == 1


def test_doubled_ids_even_far_apart(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "READ_BATCH", 2)
    run = catalogue.feed(source, feed(row("A", "First"), *many(4), row("A", "Second")))
    assert (run.records_in, run.records_rejected) == (6, 1)
    assert courses(catalogue)["A"].titles["en"] == "First"


def test_an_id_of_a_batch_still_being_written_is_known(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "READ_BATCH", 2)
    write = pipeline.FeedImport._write_batch

    def slowly(self: Any, *args: Any) -> None:
        time.sleep(0.3)
        write(self, *args)

    monkeypatch.setattr(pipeline.FeedImport, "_write_batch", slowly)
    run = catalogue.feed(source, feed(row("A", "First"), *many(1), row("A", "Second")))
    assert (run.records_in, run.records_rejected) == (3, 1)
    assert courses(catalogue)["A"].titles["en"] == "First"


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("point", ["_read_batch", "_write_batch", "judge", "apply", "remove", "finish"])
def test_killed_anywhere_the_next_worker_ends_it_once(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(pipeline, "APPLY_BATCH", 3)
    catalogue.feed(source, feed(*many(12)))
    rows = many(11)
    for each in rows:
        each["title"] += " anew"
    whole = getattr(pipeline.FeedImport, point)

    def dies(self: Any, *args: Any) -> Any:
        whole(self, *args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.FeedImport, point, dies)
        with pytest.raises(Killed):
            catalogue.feed(source, feed(*rows))
    run_waiting(catalogue.app)
    run = catalogue.feed_runs().ListFeedRuns(feed_run_pb2.ListFeedRunsRequest()).feed_runs[0]
    assert run.state == Run.STATE_SUCCEEDED
    assert accounted(run)
    versions = [(e.course, e.version) for e in events(catalogue, events_pb2.CourseChanged)]
    assert len(versions) == len(set(versions)) == 12 + 11 + 1
    assert len(courses(catalogue)) == 11


@pytest.mark.parametrize("point", ["judge", "apply", "finish"])
def test_what_fails_again_and_again_ends_and_lets_the_next_feed_in(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(worker, "ATTEMPTS", 3)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.FeedImport, point, lambda _: 1 / 0)
        run = catalogue.feed(source, feed(*many(2)))
        assert run.state == Run.STATE_RUNNING
        for _ in range(2):
            run_waiting(catalogue.app)
    assert catalogue.run(run.name).state == Run.STATE_FAILED
    assert [finding.code for finding in catalogue.findings(run.name)] == ["IMPORT_FAILED"]
    assert catalogue.feed(source, feed(*many(2))).state == Run.STATE_SUCCEEDED


def test_an_altered_raw_copy_is_refused(catalogue: Catalogue, source: str) -> None:
    upload = catalogue.upload(feed(*many(2)))
    started = catalogue.feed_runs().StartFeedRun(
        feed_run_pb2.StartFeedRunRequest(source=source, upload=upload)
    )
    import io

    catalogue.app.objects.put(uploads.BUCKET, upload.split("/")[1], io.BytesIO(feed(*many(3))))
    run_waiting(catalogue.app)
    run = catalogue.run(started.name)
    assert run.state == Run.STATE_FAILED
    assert [f.code for f in catalogue.findings(run.name)] == ["RAW_COPY_ALTERED"]
    assert not courses(catalogue)


def test_a_store_that_is_away_is_no_failure_of_the_run(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = catalogue.upload(feed(*many(2)))
    start = feed_run_pb2.StartFeedRunRequest(source=source, upload=upload)
    run = catalogue.feed_runs().StartFeedRun(start).name
    monkeypatch.setattr(worker, "ATTEMPTS", 1)
    with monkeypatch.context() as patch:
        away = Objects(replace(catalogue.app.settings, s3_endpoint="http://127.0.0.1:9"))
        patch.setattr(catalogue.app, "objects", away)
        run_waiting(catalogue.app)
    assert catalogue.run(run).state == Run.STATE_RUNNING
    with monkeypatch.context() as patch:
        patch.setattr(pipeline.FeedImport, "stage", lambda _: 1 / 0)  # control: this counts, as the first one
        patch.setattr(worker, "ATTEMPTS", 2)
        run_waiting(catalogue.app)
    assert catalogue.run(run).state == Run.STATE_RUNNING
    run_waiting(catalogue.app)
    assert catalogue.run(run).state == Run.STATE_SUCCEEDED


def test_tags_of_partner_and_model(catalogue: Catalogue, source: str) -> None:
    with_taxonomy(catalogue)
    catalogue.feed(source, feed(row("A", "Software development"), row("B", "Secrets", occupations=DEVELOPER)))
    found = courses(catalogue)
    model, partner = found["A"].occupations[0], found["B"].occupations[0]
    assert (model.uri, model.origin, partner.origin) == (DEVELOPER, 2, 1)
    assert 0.5 < model.confidence < partner.confidence == 1.0
    assert model.taxonomy_version == "1.1.1"


def test_laughs_end_as_a_finding(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("joker"), "XCRI_CAP_1_2")
    data = (
        b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        b'<catalog xmlns="http://xcri.org/profiles/1.2/catalog"><course>&b;</course></catalog>'
    )
    run = catalogue.feed(source, data, XML)
    assert run.state == Run.STATE_FAILED
    assert [f.code for f in catalogue.findings(run.name)] == ["DTD_FORBIDDEN"]


def test_the_database_wants_every_record_accounted_for(catalogue: Catalogue, source: str) -> None:
    catalogue.feed(source, feed(*many(2)))
    with pytest.raises(Exception, match="accounts_for_all"), transaction(catalogue.app) as tx:
        tx.connection.exec_driver_sql("UPDATE feed_runs SET records_accepted = 1")
