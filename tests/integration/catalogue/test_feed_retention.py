"""What runs and uploads keep is let go of in time, and no roll-back or fetch misses it; a partner's tickets
have an end."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import feed_run_pb2, source_pb2, upload_pb2

from services.catalogue.feeding import retention
from services.catalogue.store import uploads
from tests.integration.catalogue.feeds import feed, many, row
from tests.support.catalogue import CSV, Catalogue
from tests.support.portfolio import outcome, reason_of
from tests.support.servers import token

Run = feed_run_pb2.FeedRun


@pytest.fixture(autouse=True)
def bucket(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of its own: a sweep must not meet another test's files."""
    name = f"waymark-test-{catalogue.app.engine.url.database}".replace("_", "-").lower()[:60]
    monkeypatch.setattr(uploads, "BUCKET", name)
    return name


def let_go(catalogue: Catalogue, *, copies: int = 2, older: int = 31) -> None:
    """Lets `older` days pass and does the job, keeping so many copies; objects count as old at once."""
    with catalogue.app.engine.begin() as connection:
        for change in (
            "UPDATE uploads SET create_time = create_time - :age",
            "UPDATE feed_runs SET state_time = state_time - :age",
        ):
            connection.execute(text(change), {"age": timedelta(days=older)})
    object.__setattr__(catalogue.app.settings, "feed_copies", copies)
    retention.let_go(catalogue.app)


def kept(catalogue: Catalogue) -> set[str]:
    return set(catalogue.app.objects.keys(uploads.BUCKET, ""))


def ids(*runs: Run) -> set[str]:
    return {run.upload.rpartition("/")[2] for run in runs}


def test_old_copies_and_details_go_and_the_newest_good_ones_stay_for_roll_backs(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ORPHAN", timedelta(0))
    monkeypatch.setattr(retention, "RUNS", 1)
    source = catalogue.source(catalogue.organisation("harbour"), removal_limit_percent=100)
    good = [catalogue.feed(source, feed(*many(count))) for count in (2, 3, 4)]
    broken = catalogue.feed(source, feed(row("", "No id"), *many(4)), partial=True)
    dry = catalogue.feed(source, feed(*many(9)), dry_run=True)
    held = catalogue.feed(source, feed())
    assert held.state == Run.STATE_HELD
    unused = catalogue.upload(b"never read")
    assert len(kept(catalogue)) == 7
    let_go(catalogue, older=2)
    assert kept(catalogue) == ids(*good[1:], broken, dry, held)
    assert len(catalogue.findings(broken.name)) == 1
    let_go(catalogue)
    assert kept(catalogue) == ids(*good[1:], held)
    assert [bool(catalogue.run(run.name).upload) for run in (*good, broken, held)] == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert (catalogue.findings(broken.name), catalogue.run(broken.name).error_count) == ([], 1)
    listed = feed_run_pb2.ListFeedChangesRequest
    changes = [catalogue.feed_runs().ListFeedChanges(listed(parent=run.name)) for run in (good[0], good[2])]
    assert [len(each.feed_changes) for each in changes] == [0, 1]
    gone = feed_run_pb2.StartFeedRunRequest(source=source, upload=unused)
    assert reason_of(catalogue.feed_runs().StartFeedRun, gone) == "NOT_FOUND"
    catalogue.feed_runs().RejectFeedRun(feed_run_pb2.RejectFeedRunRequest(name=held.name))
    to = source_pb2.RollBackSourceRequest(name=source, feed_run=good[0].name)
    assert reason_of(catalogue.sources().RollBackSource, to) == "NOTHING_TO_ROLL_BACK"
    to.feed_run = good[1].name
    assert catalogue.sources().RollBackSource(to).upload == good[1].upload


def test_a_ticket_never_used_and_what_was_put_by_it_are_gone_after_a_day(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = catalogue.uploads().CreateUpload(ticket(3))
    key = made.name.rpartition("/")[2]
    catalogue.app.objects.put(uploads.BUCKET, f"quarantine-{key}", io.BytesIO(b"abc"), size=3)
    let_go(catalogue, older=0)
    assert kept(catalogue) == {f"quarantine-{key}"}  # control: still under way
    monkeypatch.setattr(retention, "ORPHAN", timedelta(0))
    let_go(catalogue, older=2)
    assert kept(catalogue) == set()
    again = upload_pb2.FinalizeUploadRequest(name=made.name)
    assert reason_of(catalogue.uploads().FinalizeUpload, again) in ("NOT_FOUND", "PERMISSION_DENIED")


def test_what_waits_of_an_organisation_has_an_end_and_what_a_run_reads_does_not_count(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = token("provider", org=catalogue.organisation("harbour"))
    source = catalogue.source("organisations/harbour")
    data = feed(*many(1))
    monkeypatch.setattr(uploads, "MAX_WAITING", len(data) + 100)
    first = catalogue.upload(data, CSV, partner)
    create = catalogue.uploads(partner).CreateUpload
    assert reason_of(create, ticket(101)) == "UPLOAD_QUOTA_EXCEEDED"
    other = catalogue.uploads(token("provider", org="organisations/quayside"))
    assert outcome(other.CreateUpload, ticket(101)) == "OK"
    assert outcome(catalogue.uploads().CreateUpload, ticket(10_000)) == "OK"  # the catalogue's own staff
    start = feed_run_pb2.StartFeedRunRequest(source=source, upload=first)
    catalogue.feed_runs(partner).StartFeedRun(start)
    create(ticket(101))


def ticket(size: int) -> upload_pb2.CreateUploadRequest:
    return upload_pb2.CreateUploadRequest(size_bytes=size, content_type=CSV, sha256="0" * 64)
