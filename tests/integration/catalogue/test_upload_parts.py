"""Large feeds in parts: a break, wrong bytes, limits by source, and what is given up."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pytest
from waymark.catalogue.v1 import feed_run_pb2
from waymark.catalogue.v1.upload_pb2 import (
    CreateUploadRequest,
    FinalizeUploadRequest,
    GetUploadRequest,
    Upload,
)

from services.catalogue.checking import check_uploads
from services.catalogue.feeding import retention
from services.catalogue.store import uploads
from services.platform.objects import parts, store
from services.platform.objects.tickets import INCOMING
from tests.integration.catalogue.feeds import feed, limited, many
from tests.support.catalogue import CSV, Catalogue, run_waiting
from tests.support.portfolio import outcome, reason_of
from tests.support.servers import token
from tests.support.uploads import put

FEED = feed(*many(90))
MIB = 1 << 20


@pytest.fixture(autouse=True)
def bucket(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of its own: a sweep must not meet another test's files."""
    name = f"waymark-test-{catalogue.app.engine.url.database}".replace("_", "-").lower()[:60]
    monkeypatch.setattr(uploads, "BUCKET", name)
    return name


@pytest.fixture
def source(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source that may bring 1 MiB, where 4 KiB are usual, in parts of 2 KiB."""
    monkeypatch.setattr(uploads, "LARGEST", 4096)
    monkeypatch.setattr(parts, "PART_BYTES", 2048)
    made = catalogue.source(catalogue.organisation("harbour"))
    limited(catalogue, made, 1)
    return made


def announced(source: str, data: bytes = FEED, size: int = 0) -> CreateUploadRequest:
    sha256 = hashlib.sha256(data).hexdigest()
    return CreateUploadRequest(size_bytes=size or len(data), content_type=CSV, sha256=sha256, source=source)


def read(catalogue: Catalogue, name: str) -> Upload:
    found: Upload = catalogue.uploads().GetUpload(GetUploadRequest(name=name))
    return found


def send(upload: Upload, numbers: range | None = None, data: bytes = FEED) -> None:
    for part in upload.missing_parts:
        if numbers is None or part.number in numbers:
            body = data[part.offset :][: part.size_bytes]
            put(part.url, part.headers, body).raise_for_status()


def finalized(catalogue: Catalogue, name: str) -> Upload:
    catalogue.uploads().FinalizeUpload(FinalizeUploadRequest(name=name))
    check_uploads(catalogue.app)
    return read(catalogue, name)


def kept(catalogue: Catalogue) -> set[str]:
    return set(catalogue.app.objects.keys(uploads.BUCKET, ""))


def test_a_feed_in_parts_goes_on_after_a_break_and_is_checked_afterwards(
    catalogue: Catalogue, source: str
) -> None:
    made = catalogue.uploads().CreateUpload(announced(source))
    assert not made.upload_url
    begun = read(catalogue, made.name)
    count = len(begun.missing_parts)
    assert count == -(-len(FEED) // 2048) > 3
    send(begun, range(2, 4))
    finalize = FinalizeUploadRequest(name=made.name)
    assert reason_of(catalogue.uploads().FinalizeUpload, finalize) == "UPLOAD_MISSING"
    rest = read(catalogue, made.name)
    assert [part.number for part in rest.missing_parts] == [1, *range(4, count + 1)]
    send(rest)
    checking = catalogue.uploads().FinalizeUpload(finalize)
    assert (checking.state, read(catalogue, made.name).missing_parts) == (Upload.STATE_CHECKING, [])
    start = feed_run_pb2.StartFeedRunRequest(source=source, upload=made.name)
    assert reason_of(catalogue.feed_runs().StartFeedRun, start) == "WRONG_STATE"
    check_uploads(catalogue.app)
    assert read(catalogue, made.name).state == Upload.STATE_READY
    assert kept(catalogue) == {made.name.rpartition("/")[2]}  # nothing is left in quarantine
    run = catalogue.feed_runs().StartFeedRun(start)
    run_waiting(catalogue.app)
    assert catalogue.run(run.name).courses_created == 90


def test_wrong_bytes_are_told_and_go_and_the_right_ones_come_in(catalogue: Catalogue, source: str) -> None:
    name = catalogue.uploads().CreateUpload(announced(source)).name
    send(read(catalogue, name), data=FEED[:5000] + b"!" + FEED[5001:])
    found = finalized(catalogue, name)
    assert (found.state, found.fault, kept(catalogue)) == (Upload.STATE_PENDING, "sha256", set())
    part = found.missing_parts[0]
    longer = dict(part.headers) | {"Content-Length": str(part.size_bytes + 1)}
    assert put(part.url, longer, FEED[: part.size_bytes + 1]).status_code == 403  # bound to its size
    send(found)
    found = finalized(catalogue, name)
    assert (found.state, found.fault) == (Upload.STATE_READY, "")


def test_what_its_source_may_bring_is_the_limit_of_an_upload(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_WAITING", 0)
    create = catalogue.uploads().CreateUpload
    assert reason_of(create, announced("")) == "INVALID_ARGUMENT"
    assert reason_of(create, announced(source, size=MIB + 1)) == "INVALID_ARGUMENT"
    assert outcome(create, announced(source, size=MIB)) == "OK"
    stranger = catalogue.uploads(token("provider", org=catalogue.organisation("quay")))
    assert reason_of(stranger.CreateUpload, announced(source)) == "NOT_FOUND"
    own = catalogue.uploads(token("provider", org="organisations/harbour"))
    name = own.CreateUpload(announced(source)).name
    asked = GetUploadRequest(name=name)
    assert outcome(own.GetUpload, asked) == "OK"
    assert outcome(own.CreateUpload, announced(source, size=MIB)) == "OK"
    assert (
        reason_of(own.CreateUpload, announced(source, size=MIB)) == "UPLOAD_QUOTA_EXCEEDED"
    )  # of twice as much
    assert reason_of(stranger.GetUpload, asked) == "NOT_FOUND"


def test_a_large_upload_is_for_sources_that_may_bring_it_alone(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = catalogue.uploads().CreateUpload(announced(source)).name
    send(read(catalogue, name))
    assert finalized(catalogue, name).state == Upload.STATE_READY
    start = feed_run_pb2.StartFeedRunRequest(source=source, upload=name)
    with catalogue.app.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE uploads SET size_bytes = {MIB + 1}")
    assert reason_of(catalogue.feed_runs().StartFeedRun, start) == "INVALID_ARGUMENT"
    monkeypatch.setattr(uploads, "LARGEST", 2 * MIB)  # control
    assert outcome(catalogue.feed_runs().StartFeedRun, start) == "OK"


@pytest.mark.parametrize("known", [True, False], ids=["known", "control"])
def test_parts_given_up_are_swept_and_those_that_wait_for_their_check_are_not(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    monkeypatch.setattr(retention, "ORPHAN", timedelta(seconds=-60))
    if not known:
        monkeypatch.setattr(uploads, "key_of", lambda _: "")
    given_up, waiting = (catalogue.uploads().CreateUpload(announced(source)).name for _ in range(2))
    send(read(catalogue, given_up), range(1, 3))
    send(read(catalogue, waiting))
    catalogue.uploads().FinalizeUpload(FinalizeUploadRequest(name=waiting))
    with catalogue.app.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE uploads SET create_time = create_time - interval '2 days'")
    retention.let_go(catalogue.app)
    left = {key.removeprefix(INCOMING).partition(".")[0] for key in kept(catalogue)}
    assert left == ({waiting.rpartition("/")[2]} if known else set())
    check_uploads(catalogue.app)
    found = read(catalogue, waiting)
    assert (found.state, found.fault) == (
        (Upload.STATE_READY, "") if known else (Upload.STATE_PENDING, "missing")
    )


def test_one_that_cannot_be_checked_holds_no_other_up(
    catalogue: Catalogue, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [catalogue.uploads().CreateUpload(announced(source)).name for _ in range(2)]
    for name in names:
        send(read(catalogue, name))
        catalogue.uploads().FinalizeUpload(FinalizeUploadRequest(name=name))
    verify = catalogue.app.objects.verify
    with monkeypatch.context() as patch:
        first = names[0].rpartition("/")[2]
        patch.setattr(
            catalogue.app.objects,
            "verify",
            lambda bucket, key, *rest: verify(bucket, key, *rest) if key != first else 1 / 0,
        )
        check_uploads(catalogue.app)
    states = [read(catalogue, name).state for name in names]
    assert states == [Upload.STATE_CHECKING, Upload.STATE_READY]
    check_uploads(catalogue.app)
    assert read(catalogue, names[0]).state == Upload.STATE_READY


def test_what_is_too_large_for_one_request_to_the_store_is_moved_in_parts(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ONE_PUT", MIB)
    data, objects = bytes(range(256)) * (9 * MIB // 256), catalogue.app.objects  # two parts of S3's
    objects.put(uploads.BUCKET, f"{INCOMING}large", io.BytesIO(data), size=len(data))
    sha256 = hashlib.sha256(data).hexdigest()
    objects.verify(uploads.BUCKET, "large", len(data), "application/octet-stream", sha256)
    with objects.open(uploads.BUCKET, "large", sha256=sha256) as stream:
        assert sum(len(chunk) for chunk in stream) == len(data)
    assert kept(catalogue) == {"large"}
