"""Files stream through the edge by presigned addresses only, with no header the ticket did not sign."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import httpx
import psutil
import pytest
from minio import Minio

from services.cli.stack.ports import free_port
from services.platform.edge import filters
from services.platform.edge.limits import Limits
from services.platform.errors import Refusal
from services.platform.objects.store import Objects
from services.platform.objects.tickets import INCOMING
from services.platform.settings import Settings
from tests.support.edges import Edge, MakeEdge
from tests.support.parts import S3Address
from tests.support.pictures import jpeg, png

BUCKET = "waymark-probe-files"
CONTENT = b"%PDF-1.7\n" + b"evidence " * 1000
TYPE = "application/pdf"


def objects_behind(address: str, s3: S3Address) -> Objects:
    """The objects of a service whose presigned addresses lead to the edge at `address`."""
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
        "WAYMARK_S3_PUBLIC_ENDPOINT": f"http://{address}",
    }
    return Objects(Settings.from_environment("catalogue", environ))


@pytest.fixture(scope="module")
def objects(running: Edge, s3: S3Address) -> Iterator[Objects]:
    with closing(objects_behind(running.address, s3)) as made:
        yield made


@pytest.fixture(scope="module")
def direct(s3: S3Address) -> Minio:
    """The store itself, past the edge."""
    return Minio(s3.endpoint.removeprefix("http://"), s3.access_key, s3.secret_key, secure=False)


@pytest.fixture
def http(running: Edge) -> Iterator[httpx.Client]:
    with running.client() as client:
        yield client


def ticket(objects: Objects, key: str, content: bytes = CONTENT) -> Any:
    digest = hashlib.sha256(content).hexdigest()
    return objects.ticket(BUCKET, key, size=len(content), content_type=TYPE, sha256=digest)


def test_a_ticket_takes_the_bytes_to_the_store_and_back(objects: Objects, http: httpx.Client) -> None:
    leave = ticket(objects, "a/report.pdf")
    own = {"authorization": "Bearer of no meaning to the store", "cookie": "a=b"}
    answer = http.put(leave.url, content=CONTENT, headers={**leave.headers, **own})
    assert answer.status_code == 200, answer.text
    objects.verify(BUCKET, "a/report.pdf", len(CONTENT), TYPE, hashlib.sha256(CONTENT).hexdigest())
    got = http.get(objects.download_url(BUCKET, "a/report.pdf", "report.pdf", TYPE))
    assert got.status_code == 200, got.text
    assert got.content == CONTENT
    assert_only_saved(got, TYPE)
    assert "server" not in got.headers


def assert_only_saved(got: httpx.Response, content_type: str) -> None:
    """Whatever else the bytes are, a browser takes them as this type, keeps them apart, and runs nothing."""
    assert got.headers["content-type"] == content_type
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["x-content-type-options"] == "nosniff"


HTML = b"<html><script>alert(document.domain)</script></html>"


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        writing.writestr("index.html", HTML)
    return made.getvalue()


POLYGLOTS = {  # what a reader of each kind takes as its own
    "jpeg-html": ("image/jpeg", b"\xff\xd8\xff\xfe\0\x36" + HTML + jpeg(8, 8)[2:]),
    "png-zip": ("image/png", png(8, 8) + archive()),
    "pdf-html": (TYPE, b"%PDF-1.7\n" + HTML),
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_file_that_is_two_things_at_once_is_saved_as_the_one_it_was_checked_for(
    objects: Objects, http: httpx.Client, name: str
) -> None:
    kind, content = POLYGLOTS[name]
    checked = (len(content), kind, hashlib.sha256(content).hexdigest())
    leave = objects.ticket(BUCKET, name, size=checked[0], content_type=kind, sha256=checked[2])
    http.put(leave.url, content=content, headers=dict(leave.headers)).raise_for_status()
    objects.verify(BUCKET, name, *checked)
    got = http.get(objects.download_url(BUCKET, name, name, kind))
    assert got.content == content
    assert_only_saved(got, kind)


@pytest.mark.parametrize("kind", ["image/png", TYPE, "text/plain"])
def test_a_picture_that_is_a_script_passes_for_nothing_that_is_taken(
    objects: Objects, http: httpx.Client, kind: str
) -> None:
    content = b"GIF89a/*\1\0\1\0\x80\0\0*/=1;alert(document.domain)"
    checked = (len(content), kind, hashlib.sha256(content).hexdigest())
    leave = objects.ticket(BUCKET, "gif", size=checked[0], content_type=kind, sha256=checked[2])
    http.put(leave.url, content=content, headers=dict(leave.headers)).raise_for_status()
    with pytest.raises(Refusal, match="UPLOAD_MISMATCH"):
        objects.verify(BUCKET, "gif", *checked)


def test_part_of_a_file_is_answered_as_a_part(objects: Objects, http: httpx.Client, direct: Minio) -> None:
    leave = ticket(objects, "ranged")
    http.put(leave.url, content=CONTENT, headers=dict(leave.headers)).raise_for_status()
    objects.verify(BUCKET, "ranged", len(CONTENT), TYPE, hashlib.sha256(CONTENT).hexdigest())
    url = objects.download_url(BUCKET, "ranged", "report.pdf", TYPE)
    got = http.get(url, headers={"range": "bytes=100-149"})
    assert (got.status_code, got.content) == (206, CONTENT[100:150])
    assert got.headers["content-range"] == f"bytes 100-149/{len(CONTENT)}"
    assert http.get(url).status_code == 200
    with direct.get_object(BUCKET, "ranged", 100, 50) as part:
        assert part.status == 200  # control: the store itself calls a part the whole


def test_a_large_file_passes_without_being_held(objects: Objects, http: httpx.Client, running: Edge) -> None:
    size, chunk = 96 * 1024 * 1024, os.urandom(1024 * 1024)
    digest = hashlib.sha256()
    for _ in range(size // len(chunk)):
        digest.update(chunk)
    leave = objects.ticket(BUCKET, "big", size=size, content_type=TYPE, sha256=digest.hexdigest())
    (envoy,) = (
        child
        for child in psutil.Process().children(recursive=True)
        if child.is_running() and is_edge(child, running)
    )
    peak = 0

    def parts() -> Iterator[bytes]:
        nonlocal peak
        for _ in range(size // len(chunk)):
            yield chunk
            peak = max(peak, envoy.memory_info().rss)

    before = envoy.memory_info().rss
    assert http.put(leave.url, content=parts(), headers=dict(leave.headers)).status_code == 200
    assert peak - before < 48 * 1024 * 1024


def is_edge(process: psutil.Process, running: Edge) -> bool:
    try:
        return str(running.log.parent / "envoy.json") in process.cmdline()
    except psutil.NoSuchProcess:  # one of another test's, just ended
        return False


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", f"/{BUCKET}", 403),
        ("GET", f"/{BUCKET}/a/report.pdf", 403),
        ("GET", f"/{BUCKET}/?list-type=2", 403),
        ("DELETE", f"/{BUCKET}/a/report.pdf", 403),
        ("POST", f"/{BUCKET}/{INCOMING}x", 403),
        ("PUT", f"/{BUCKET}/{INCOMING}x", 403),
        ("HEAD", f"/{BUCKET}/a/report.pdf", 403),
        ("GET", "/other-bucket/key", 404),
    ],
)
def test_without_a_signature_there_is_no_way_in(
    http: httpx.Client, verb: str, path: str, status: int
) -> None:
    content = b"x" if verb in ("PUT", "POST") else None
    assert http.request(verb, path, content=content).status_code == status


def test_a_wrong_signature_is_refused_by_the_store(objects: Objects, http: httpx.Client) -> None:
    leave = ticket(objects, "forged")
    head, _, signature = leave.url.rpartition("X-Amz-Signature=")
    forged = f"{head}X-Amz-Signature={'0' * len(signature)}"
    assert http.put(forged, content=CONTENT, headers=dict(leave.headers)).status_code == 403


def test_an_upload_goes_to_quarantine_only(objects: Objects, http: httpx.Client) -> None:
    """Even a rightly signed PUT to another key: a service never makes one, so only a leaked key could."""
    url = objects._presigner.sign("PUT", BUCKET, "a/report.pdf", timedelta(minutes=5))
    assert http.put(url, content=b"other").status_code == 403


def test_nobody_reads_what_was_not_checked(objects: Objects, http: httpx.Client) -> None:
    leave = ticket(objects, "unchecked")
    http.put(leave.url, content=CONTENT, headers=dict(leave.headers))
    url = objects._presigner.sign("GET", BUCKET, INCOMING + "unchecked", timedelta(minutes=5))
    assert http.get(url).status_code == 403


def test_an_upload_says_its_length_and_keeps_below_the_cap(
    objects: Objects, make_edge: MakeEdge, s3: S3Address
) -> None:
    small = make_edge(limits=Limits(upload_bytes=1000), port=free_port())
    behind = objects_behind(small.address, s3)
    with small.client() as client:
        leave = ticket(behind, "much")
        assert client.put(leave.url, content=CONTENT, headers=dict(leave.headers)).status_code == 413
        unsized = {key: value for key, value in leave.headers.items() if key != "Content-Length"}
        assert client.put(leave.url, content=iter([CONTENT]), headers=unsized).status_code == 411


class TestHeadersThatS3Obeys:
    """With x-amz-copy-source an upload becomes a copy of any object that the signing key may read."""

    COPY = f"/{BUCKET}/foreign"

    @pytest.fixture
    def unguarded(self, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch) -> Edge:
        monkeypatch.setattr(filters, "lua", lambda name: "function envoy_on_request(handle) end")
        edge: Edge = make_edge(port=free_port())
        return edge

    @pytest.fixture(autouse=True)
    def foreign(self, direct: Minio, objects: Objects) -> None:
        ticket(objects, "bucket-exists")
        direct.put_object(BUCKET, "foreign", io.BytesIO(b"foreign secret"), 14)

    def put_unsigned(self, edge: Edge, s3: S3Address) -> httpx.Response:
        leave = ticket(objects_behind(edge.address, s3), "mine")
        unsigned = {"x-amz-copy-source": self.COPY, "x-amz-meta-owner": "someone"}
        with edge.client() as client:
            return client.put(leave.url, content=CONTENT, headers={**leave.headers, **unsigned})

    def put_signed(self, edge: Edge, s3: S3Address) -> httpx.Response:
        signer, headers = objects_behind(edge.address, s3)._presigner, {"x-amz-copy-source": self.COPY}
        url = signer.sign("PUT", BUCKET, INCOMING + "copy", timedelta(minutes=5), headers=headers)
        with edge.client() as client:
            return client.put(url, content=b"", headers=headers)

    def test_unsigned_ones_do_not_reach_the_store(self, running: Edge, s3: S3Address, direct: Minio) -> None:
        assert self.put_unsigned(running, s3).status_code == 200
        with direct.get_object(BUCKET, INCOMING + "mine") as kept:
            assert kept.data == CONTENT

    def test_control_unstripped_they_reach_it(self, unguarded: Edge, s3: S3Address) -> None:
        assert "not signed" in self.put_unsigned(unguarded, s3).text

    def test_not_even_a_signed_copy_is_passed_on(self, running: Edge, s3: S3Address, direct: Minio) -> None:
        assert self.put_signed(running, s3).status_code == 403
        assert INCOMING + "copy" not in self.keys(direct)

    def test_control_unstripped_a_signed_copy_is_made(
        self, unguarded: Edge, s3: S3Address, direct: Minio
    ) -> None:
        assert self.put_signed(unguarded, s3).status_code == 200
        with direct.get_object(BUCKET, INCOMING + "copy") as copied:
            assert copied.data == b"foreign secret"
        direct.remove_object(BUCKET, INCOMING + "copy")

    @staticmethod
    def keys(direct: Minio) -> set[str | None]:
        return {found.object_name for found in direct.list_objects(BUCKET, recursive=True)}


def test_signatures_stay_out_of_the_access_log(objects: Objects, http: httpx.Client, running: Edge) -> None:
    http.get(objects.download_url(BUCKET, "nothing-there", "anna-canary.pdf", TYPE))
    running.wait_for_log(lambda entry: entry.get("route") == "download")
    assert "X-Amz" not in running.log.read_text()
    assert "anna-canary" not in running.log.read_text()
