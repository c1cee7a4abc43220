"""What a bad feed did is shown by name and taken back by one call, from the raw copy that is kept."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import course_pb2, feed_run_pb2, source_pb2

from services.catalogue.imports import pipeline, worker
from services.catalogue.store import feed_runs
from tests.integration.catalogue.copies import served
from tests.integration.catalogue.feeds import HOURLY, feed, many, pull, row
from tests.support.catalogue import MANAGER, Catalogue, run_waiting
from tests.support.origins import Origin, Reply
from tests.support.portfolio import reason_of
from tests.support.servers import token

Run = feed_run_pb2.FeedRun
Kind = feed_run_pb2.FeedChange.Kind
GOOD = many(10)
BAD = [*(row(f"C{number}", "Lorem ipsum") for number in range(5)), row("X", "Not ours")]


@pytest.fixture
def source(catalogue: Catalogue) -> str:
    return catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)


def roll_back(catalogue: Catalogue, source: str, to: str = "", *, dry: bool = False) -> Any:
    request = source_pb2.RollBackSourceRequest(name=source, feed_run=to, dry_run=dry)
    started = catalogue.sources().RollBackSource(request)
    run_waiting(catalogue.app)
    return catalogue.run(started.name)


def changes(catalogue: Catalogue, run: str) -> list[tuple[str, str, str]]:
    """Kind, partner's id and fields that differ, page by page."""
    request = feed_run_pb2.ListFeedChangesRequest(parent=run, page_size=3)
    found = []
    while True:
        answer = catalogue.feed_runs().ListFeedChanges(request)
        found += [
            (Kind.Name(each.kind)[5:], each.external_id, ",".join(each.changed_fields))
            for each in answer.feed_changes
        ]
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def states(catalogue: Catalogue) -> dict[str, Any]:
    """What is served, by the partner's id, without what grows with each change."""
    found = {course.external_id: course for course in served(catalogue).values()}
    for course in found.values():
        course.ClearField("etag")
        course.ClearField("update_time")
    return found


def correct(catalogue: Catalogue, external_id: str, title: str) -> None:
    name = states(catalogue)[external_id].name
    given = course_pb2.Course(name=name, titles={"en": title})
    mask = FieldMask(paths=["titles"])
    catalogue.courses().CorrectCourse(course_pb2.CorrectCourseRequest(course=given, update_mask=mask))


def test_a_bad_feed_is_taken_back_as_the_preview_says_and_a_second_time_changes_nothing(
    catalogue: Catalogue, source: str
) -> None:
    good = catalogue.feed(source, feed(*GOOD))
    correct(catalogue, "C0", "Corrected")
    before = states(catalogue)
    bad = catalogue.feed(source, feed(*BAD))
    spoilt = states(catalogue)
    assert (len(spoilt), spoilt["C0"].titles["en"], spoilt["C1"].titles["en"]) == (
        6,
        "Corrected",
        "Lorem ipsum",
    )
    preview = roll_back(catalogue, source, dry=True)
    told = changes(catalogue, preview.name)
    assert told == [
        ("REMOVED", "X", ""),
        *(("UPDATED", f"C{number}", "titles") for number in range(5)),
        *(("CREATED", f"C{number}", "") for number in range(5, 10)),
    ]
    assert (preview.courses_removed, preview.courses_updated, preview.courses_created) == (1, 5, 5)
    assert states(catalogue) == spoilt
    run = roll_back(catalogue, source)
    assert changes(catalogue, run.name) == told
    assert states(catalogue) == before
    assert (run.state, run.rolls_back_to, run.upload) == (Run.STATE_SUCCEEDED, good.name, good.upload)
    assert (run.requested_by, catalogue.run(bad.name).rolled_back_by) == (MANAGER, run.name)
    again = roll_back(catalogue, source)
    assert (again.rolls_back_to, again.courses_unchanged, changes(catalogue, again.name)) == (
        good.name,
        10,
        [],
    )
    assert states(catalogue) == before


def test_control_without_the_mark_a_second_time_brings_the_bad_feed_back(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.feed(source, feed(*GOOD))
    bad = catalogue.feed(source, feed(*BAD))
    monkeypatch.setattr(feed_runs, "mark_rolled_back", lambda *_: None)
    roll_back(catalogue, source)
    assert roll_back(catalogue, source).rolls_back_to == bad.name
    assert "X" in states(catalogue)


def test_it_goes_back_to_the_run_that_is_named_past_partial_and_dry_runs(
    catalogue: Catalogue, source: str
) -> None:
    first = catalogue.feed(source, feed(*many(3)))
    second = catalogue.feed(source, feed(*many(4)))
    dry = catalogue.feed(source, feed(*many(9)), dry_run=True)
    partial = catalogue.feed(source, feed(row("P", "Part")), partial=True)
    assert roll_back(catalogue, source, dry=True).rolls_back_to == second.name
    assert len(states(catalogue)) == 5
    assert roll_back(catalogue, source, first.name).state == Run.STATE_SUCCEEDED
    assert len(states(catalogue)) == 3
    assert catalogue.run(second.name).rolled_back_by
    assert not catalogue.run(dry.name).rolled_back_by
    for wrong in (dry, partial):
        request = source_pb2.RollBackSourceRequest(name=source, feed_run=wrong.name)
        assert reason_of(catalogue.sources().RollBackSource, request) == "NOTHING_TO_ROLL_BACK"
    other = catalogue.source("organisations/harbour")
    request = source_pb2.RollBackSourceRequest(name=other)
    assert reason_of(catalogue.sources().RollBackSource, request) == "NOTHING_TO_ROLL_BACK"
    request.feed_run = first.name
    assert reason_of(catalogue.sources().RollBackSource, request) == "NOT_FOUND"
    stranger = catalogue.sources(token("provider", org=catalogue.organisation("quayside")))
    assert reason_of(stranger.RollBackSource, source_pb2.RollBackSourceRequest(name=source)) == "NOT_FOUND"


def test_the_guard_holds_a_roll_back_too_and_the_grace_does_not_delay_it(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("harbour"), removal_grace_feeds=3)
    catalogue.feed(source, feed(*many(4)))
    catalogue.feed(source, feed(*many(8)))
    run = roll_back(catalogue, source)
    assert (run.state, run.hold_reason) == (Run.STATE_HELD, Run.HOLD_REASON_REMOVALS_ABOVE_LIMIT)
    assert changes(catalogue, run.name) == [("REMOVED", f"C{number}", "") for number in range(4, 8)]
    assert len(states(catalogue)) == 8
    catalogue.feed_runs().ApproveFeedRun(feed_run_pb2.ApproveFeedRunRequest(name=run.name))
    run_waiting(catalogue.app)
    assert len(states(catalogue)) == 4
    missing = catalogue.feed(source, feed(*many(4)[1:]))  # control: the grace of feeds stays
    assert missing.state == Run.STATE_HELD
    assert changes(catalogue, missing.name) == [("MISSING", "C0", "")]


def test_a_run_that_failed_half_way_can_be_taken_back(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = catalogue.feed(source, feed(*GOOD))
    before = states(catalogue)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "APPLY_BATCH", 3)
        patch.setattr(worker, "ATTEMPTS", 1)
        patch.setattr(pipeline.FeedImport, "remove", lambda _: 1 / 0)
        bad = catalogue.feed(source, feed(*BAD))
    assert (bad.state, states(catalogue)["C1"].titles["en"]) == (Run.STATE_FAILED, "Lorem ipsum")
    assert roll_back(catalogue, source).rolls_back_to == good.name
    assert states(catalogue) == before


def test_what_was_taken_back_is_not_fetched_again_until_it_changes(
    catalogue: Catalogue, partner: Origin
) -> None:
    body = {"now": feed(*GOOD)}
    partner.answer = lambda _: Reply(body=body["now"])
    each_hour = source_pb2.FeedPull(url=partner.url, interval=HOURLY)
    partner_of = catalogue.organisation("partner")
    source = catalogue.source(partner_of, pull=each_hour, removal_limit_percent=100)
    pull(catalogue)
    before = states(catalogue)
    body["now"] = feed(*BAD)
    bad = pull(catalogue, source)
    assert len(states(catalogue)) == 6
    roll_back(catalogue, source)
    assert states(catalogue) == before
    for _ in range(2):  # the partner has not mended anything yet
        assert pull(catalogue, source).state == Run.STATE_UNCHANGED
        assert states(catalogue) == before
    assert (
        roll_back(catalogue, source, bad.name).state == Run.STATE_SUCCEEDED
    )  # a person may change their mind
    assert len(states(catalogue)) == 6
    roll_back(catalogue, source)
    body["now"] = feed(*GOOD, row("C10", "Mended"))
    assert pull(catalogue, source).courses_created == 1


def test_a_kept_list_of_changes_begins_with_what_vanishes(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.catalogue.store import feed_changes

    monkeypatch.setattr(feed_changes, "KEPT", 2)
    catalogue.feed(source, feed(*GOOD))
    run = catalogue.feed(source, feed(*BAD))
    assert [kind for kind, _, _ in changes(catalogue, run.name)] == ["REMOVED"] * 2 + ["UPDATED"] * 2
    assert (run.courses_removed, run.courses_updated) == (5, 5)
