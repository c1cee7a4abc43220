"""Objects on a real S3 server: tickets bind what they allow, wrong bytes are never taken or given."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import urllib3
from minio import Minio
from waymark.errors.v1 import reason_pb2

from services.platform.app import App
from services.platform.errors import Refusal
from services.platform.objects.store import Objects
from services.platform.objects.tickets import INCOMING, UploadTicket
from tests.support.events import test_settings
from tests.support.parts import S3Address

# Of this process's own: another worker uses the same keys with other bytes.
BUCKET = f"waymark-probe-{secrets.token_hex(4)}"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
http = urllib3.PoolManager(maxsize=8)


@pytest.fixture
def settings(s3: S3Address):
    return test_settings(
        "probe",
        s3_endpoint=s3.endpoint,
        s3_public_endpoint=s3.endpoint,
        s3_access_key=s3.access_key,
        s3_secret_key=s3.secret_key,
    )


@pytest.fixture
def objects(settings) -> Iterator[Objects]:
    with closing(Objects(settings)) as made:
        yield made


@pytest.fixture
def raw(s3: S3Address) -> Iterator[Minio]:
    """The store itself, as whoever breaks it has it."""
    return Minio(urlsplit(s3.endpoint).netloc, s3.access_key, s3.secret_key, secure=False, region="us-east-1")


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def ticket_for(
    objects: Objects, key: str, body: bytes, content_type: str = "application/pdf"
) -> UploadTicket:
    return objects.ticket(BUCKET, key, size=len(body), content_type=content_type, sha256=digest(body))


def put(ticket: UploadTicket, body: bytes, **changed: str) -> int:
    headers = {**ticket.headers, "Content-Length": str(len(body)), **changed}
    return http.request("PUT", ticket.url, body=body, headers=headers).status


def verify(objects: Objects, key: str, body: bytes, content_type: str = "application/pdf") -> None:
    objects.verify(BUCKET, key, len(body), content_type, digest(body))


def refused_field(objects: Objects, key: str, body: bytes, content_type: str = "application/pdf") -> str:
    with pytest.raises(Refusal) as refusal:
        verify(objects, key, body, content_type)
    assert refusal.value.reason == reason_pb2.REASON_UPLOAD_MISMATCH
    return refusal.value.metadata["field"]


def test_what_was_uploaded_by_ticket_can_be_read_after_verify(objects):
    assert put(ticket_for(objects, "a1", PDF), PDF) == 200
    verify(objects, "a1", PDF)
    with objects.open(BUCKET, "a1", sha256=digest(PDF)) as stream:
        assert b"".join(stream) == PDF


def test_verify_may_be_repeated_after_its_caller_died(objects):
    put(ticket_for(objects, "a2", PDF), PDF)
    verify(objects, "a2", PDF)
    verify(objects, "a2", PDF)


def test_nothing_uploaded_is_told(objects):
    ticket_for(objects, "never", PDF)
    with pytest.raises(Refusal) as refusal:
        verify(objects, "never", PDF)
    assert refusal.value.reason == reason_pb2.REASON_UPLOAD_MISSING


@pytest.mark.parametrize(
    ("header", "value"),
    [("Content-Type", "text/html"), ("x-amz-checksum-sha256", "AAAA"), ("Content-Length", "11")],
)
def test_the_signature_covers_type_hash_and_size(objects, header, value):
    body = PDF[:11] if header == "Content-Length" else PDF
    assert put(ticket_for(objects, "signed", PDF), body, **{header: value}) == 403


def test_control_without_signed_headers_another_type_gets_in(objects, settings):
    from services.platform.objects.presign import Presigner

    ticket_for(objects, "signed", PDF)
    signer = Presigner(
        settings.s3_public_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.s3_region
    )
    url = signer.sign("PUT", BUCKET, INCOMING + "unsigned", timedelta(minutes=1))
    assert http.request("PUT", url, body=b"<html>", headers={"Content-Type": "text/html"}).status == 200


def test_a_flipped_bit_is_found_and_the_bytes_are_gone(objects):
    flipped = bytes([PDF[0], PDF[1] ^ 1]) + PDF[2:]
    assert put(ticket_for(objects, "flip", PDF), flipped) in (200, 400)  # S3 itself compares, rclone does not
    assert refused_field(objects, "flip", PDF) == "sha256"
    with pytest.raises(Refusal):
        objects.open(BUCKET, "flip")


@pytest.mark.parametrize("other", [PDF[:-1], PDF + b"x"])
def test_another_size_behind_the_signature_is_found(objects, raw, other):
    ticket_for(objects, "size", PDF)
    raw.put_object(BUCKET, INCOMING + "size", io.BytesIO(other), len(other))
    assert refused_field(objects, "size", PDF) == "size"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pdf", b"<html><script>alert(1)</script>"),
        ("image/png", PDF),
        ("text/csv", b"a,b\n<script>alert(1)</script>"),
        ("text/plain", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("application/x-never-heard-of", b"abc"),
    ],
)
def test_bytes_of_another_type_than_claimed_are_refused(objects, content_type, body):
    put(ticket_for(objects, "type", body, content_type), body)
    assert refused_field(objects, "type", body, content_type) == "content_type"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", "a;b\nä;ö\n".encode()),
        ("text/csv", "a;b\nä;ö\n".encode("cp1252")),
        ("application/json", b'{"a": 1}'),
        ("application/xml", b"<?xml version='1.0'?><a/>"),
        ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(64)),
    ],
)
def test_bytes_of_the_claimed_type_are_taken(objects, content_type, body):
    key = f"ok-{digest(body)[:8]}"
    put(ticket_for(objects, key, body, content_type), body)
    verify(objects, key, body, content_type)


def test_a_ticket_used_again_changes_nothing_that_is_in_use(objects):
    ticket = ticket_for(objects, "again", PDF)
    put(ticket, PDF)
    verify(objects, "again", PDF)
    other = bytes(reversed(PDF))
    put(ticket, other)
    with objects.open(BUCKET, "again", sha256=digest(PDF)) as stream:
        assert b"".join(stream) == PDF


def test_altered_bytes_are_never_served_whole(objects, raw):
    stored = objects.put(BUCKET, "altered", io.BytesIO(PDF), size=len(PDF), content_type="application/pdf")
    raw.put_object(BUCKET, "altered", io.BytesIO(PDF[:-1] + b"!"), len(PDF))
    with objects.open(BUCKET, "altered", sha256=stored.sha256) as stream, pytest.raises(Refusal):
        b"".join(stream)
    with pytest.raises(Refusal):
        objects.download_url(BUCKET, "altered", "a.pdf", "application/pdf", sha256=stored.sha256)
    with objects.open(BUCKET, "altered") as stream:  # control: without the hash they would be
        assert b"".join(stream) != PDF


def test_a_download_is_an_attachment_with_a_harmless_name(objects):
    objects.put(BUCKET, "cv", io.BytesIO(PDF), size=len(PDF))
    url = objects.download_url(BUCKET, "cv", '../../Zeug"nis\r\nX: y Ä.pdf', "application/pdf")
    answer = http.request("GET", url)
    assert answer.status == 200
    assert answer.data == PDF
    sent = answer.headers["content-disposition"]
    assert sent.startswith("attachment; ")
    assert "/" not in sent.replace("UTF-8''", "")
    assert "\n" not in sent


def test_a_stream_of_unknown_size_is_stored_whole(objects):
    body = PDF * 1000
    stored = objects.put(BUCKET, "feed", io.BytesIO(body))
    assert stored == (len(body), digest(body))
    with objects.open(BUCKET, "feed", sha256=stored.sha256) as stream:
        assert sum(map(len, stream)) == len(body)


def test_the_sweep_takes_orphans_and_leaves_what_is_known_or_young(objects):
    bucket = "waymark-probe-sweep"
    for key in ("known", "orphan"):
        objects.put(bucket, key, io.BytesIO(PDF), size=len(PDF))
    ticket = objects.ticket(bucket, "late", size=len(PDF), content_type="application/pdf", sha256=digest(PDF))
    put(ticket, PDF)
    assert objects.sweep(bucket, {"known"}, timedelta(hours=1)) == []
    assert sorted(objects.sweep(bucket, {"known"}, timedelta(seconds=-5))) == ["orphan", INCOMING + "late"]
    assert objects.sweep(bucket, lambda keys: {"known"} & set(keys), timedelta(seconds=-5)) == []
    assert objects.sweep("waymark-probe-nothing", (), timedelta(0)) == []


def test_a_store_that_cannot_be_reached_is_told_within_seconds(settings):
    nowhere = replace(settings, s3_endpoint="http://127.0.0.1:9")
    with closing(Objects(nowhere)) as gone, pytest.raises(Refusal) as refusal:
        gone.open(BUCKET, "a1")
    assert refusal.value.reason == reason_pb2.REASON_UNAVAILABLE


def test_an_app_that_is_closed_keeps_no_connection(settings, tmp_path):
    app = App(replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none", secrets_dir=tmp_path))
    app.objects.put(BUCKET, "left", io.BytesIO(b"bytes"))
    assert len(app.objects._pool.pools) == 1  # control
    app.close()
    assert len(app.objects._pool.pools) == 0


def test_uploads_and_deletions_at_the_same_moment_do_not_disturb_each_other(objects: Objects) -> None:
    assert set(crowd_of_uploads(objects, INCOMING)) == {200}


def test_control_keys_in_a_folder_do(objects: Objects) -> None:
    # It is a matter of moments: one crowd in three goes well.
    assert any(500 in crowd_of_uploads(objects, "folder/crowd-") for _ in range(20))


def crowd_of_uploads(objects: Objects, prefix: str) -> Counter[int]:
    """Puts and deletes 400 objects, eight at a time; returns how often each status came."""
    headers = {"Content-Length": str(len(PDF))}

    def upload(number: int) -> int:
        url = objects._presigner.sign(
            "PUT", BUCKET, f"{prefix}{number}", timedelta(minutes=1), headers=headers
        )
        status = http.request("PUT", url, body=PDF, headers=headers).status
        objects.delete(BUCKET, f"{prefix}{number}")
        return status

    objects._ensure(BUCKET)
    with ThreadPoolExecutor(8) as crowd:
        return Counter(crowd.map(upload, range(400)))
