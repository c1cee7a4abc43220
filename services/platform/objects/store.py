"""Object store: upload tickets, the check of what was uploaded, streams, downloads as attachment, orphan
sweep.

A ticket leads to a key that nobody reads from (`quarantine-…`, which the edge lets nobody read); `verify`
moves the bytes to their key while it checks them, so that a ticket used once more cannot change an object in
use. Buckets are `waymark-<service>-<purpose>`, made on first use. Keys have no slash: a server that keeps
folders removes the one that a deletion emptied, maybe just as another upload goes there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.objects import parts, sniff
from services.platform.objects.presign import Presigner
from services.platform.objects.streams import Measured, ObjectStream, Readable
from services.platform.objects.tickets import (
    DOWNLOAD,
    INCOMING,
    PARTS_TICKET,
    TICKET,
    Stored,
    UploadTicket,
    disposition,
)

if TYPE_CHECKING:
    from services.platform.settings import Settings

PART = 8 * 1024 * 1024  # bytes of one part when the size is not known beforehand
ONE_PUT = 5 << 30  # bytes that S3 takes in one request
BLOCK = 256 * 1024  # bytes sent at once
CONNECT, READ = 1.0, 20.0  # seconds
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchObject"})


Known = Collection[str] | Callable[[Sequence[str]], Collection[str]]


class Objects:
    """Objects of one service. Every method raises Refusal(UNAVAILABLE) when the store cannot be reached."""

    def __init__(self, settings: Settings) -> None:
        address = urlsplit(settings.s3_endpoint)
        keys = (settings.s3_access_key, settings.s3_secret_key)
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT, read=READ),
            maxsize=settings.threads,
            blocksize=BLOCK,
            retries=urllib3.Retry(total=1, backoff_factor=0.1, status_forcelist=[502, 503, 504]),
        )
        self._client = Minio(
            address.netloc,
            *keys,
            secure=address.scheme == "https",
            region=settings.s3_region,
            http_client=self._pool,
        )
        self._presigner = Presigner(settings.s3_public_endpoint, *keys, settings.s3_region)
        self._inner = Presigner(settings.s3_endpoint, *keys, settings.s3_region)
        self._buckets: set[str] = set()

    def reach(self) -> None:
        """Asks the store for something that need not be there: it answers, and takes the keys."""
        with _reachable():
            self._client.bucket_exists("waymark-reach")

    def close(self) -> None:
        """Closes the connections that wait for their next use."""
        self._pool.clear()

    def ticket(
        self, bucket: str, key: str, *, size: int, content_type: str, sha256: str, expires: timedelta = TICKET
    ) -> UploadTicket:
        """Returns leave to upload exactly `size` bytes of `content_type` with this SHA-256 (hex) for
        `key`."""
        self._ensure(bucket)
        headers = {
            "Content-Length": str(size),
            "Content-Type": content_type,
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        }
        url = self._presigner.sign("PUT", bucket, INCOMING + key, expires, headers=headers)
        return UploadTicket(url, headers, datetime.now(UTC) + expires)

    def missing_parts(self, bucket: str, key: str, size: int) -> list[parts.Part]:
        """Returns the parts of an upload for `key` of so many bytes that are not there whole."""
        with _reachable():
            if not self._client.bucket_exists(bucket):
                return parts.parts_of(size)
            found = self._client.list_objects(bucket, f"{INCOMING}{key}.", recursive=True)
            there = {each.object_name: each.size for each in found}
        return [part for part in parts.parts_of(size) if there.get(_part_key(key, part)) != part.size]

    def part_ticket(
        self, bucket: str, key: str, part: parts.Part, expires: timedelta = PARTS_TICKET
    ) -> UploadTicket:
        """Returns leave to upload one part for `key`; `verify` joins them."""
        self._ensure(bucket)
        headers = {"Content-Length": str(part.size), "Content-Type": sniff.ANYTHING}
        url = self._presigner.sign("PUT", bucket, _part_key(key, part), expires, headers=headers)
        return UploadTicket(url, headers, datetime.now(UTC) + expires)

    def uploaded(self, bucket: str, key: str, size: int) -> bool:
        """True when there is something for `verify` to check, or it was checked."""
        source, _ = self._uploaded(bucket, key, size)
        if source is None:
            with suppress(KeyError):
                source = self._get(bucket, key)
        if source is not None:
            source.close()
        return source is not None

    def verify(self, bucket: str, key: str, size: int, content_type: str, sha256: str) -> None:
        """Checks what was uploaded for `key`, whole or in parts, and moves it there; harmless to repeat.

        Raises Refusal(UPLOAD_MISSING) when nothing was uploaded, and Refusal(UPLOAD_MISMATCH), with the
        `field` that is wrong (size, sha256 or content_type) in its metadata, after deleting what was
        uploaded.
        """
        source, taken = self._uploaded(bucket, key, size)
        if source is None:
            self._verify_moved(bucket, key, size, content_type, sha256)
            return
        with source:
            measured = Measured(source, exactly=size)
            try:
                self._move(bucket, key, size, content_type, measured)
                _check(measured, size, content_type, sha256)
            except Refusal as refusal:
                if refusal.reason == reason_pb2.REASON_UPLOAD_MISMATCH:
                    self._delete_all(bucket, [key, *taken])
                raise
        self._delete_all(bucket, taken)

    def open(self, bucket: str, key: str, *, sha256: str = "", offset: int = 0) -> ObjectStream:
        """Opens an object to stream, from byte `offset` on; with `sha256` (of all that is streamed) altered
        bytes raise before the end. Raises Refusal(NOT_FOUND)."""
        try:
            return self._get(bucket, key, sha256, offset)
        except KeyError:
            raise Refusal(reason_pb2.REASON_NOT_FOUND) from None

    def put(
        self,
        bucket: str,
        key: str,
        stream: Readable | BinaryIO,
        *,
        size: int = -1,
        content_type: str = "application/octet-stream",
    ) -> Stored:
        """Stores a stream of the service's own; `size` -1 when not known. Returns size and SHA-256 as
        stored."""
        self._ensure(bucket)
        measured = Measured(stream)
        with _reachable():
            self._client.put_object(
                bucket,
                key,
                cast("BinaryIO", measured),
                size,
                content_type,
                part_size=PART if size < 0 else 0,
            )
        return Stored(measured.size, measured.sha256)

    def download_url(
        self,
        bucket: str,
        key: str,
        filename: str,
        content_type: str,
        expires: timedelta = DOWNLOAD,
        *,
        sha256: str = "",
    ) -> str:
        """Returns an address that downloads the object as attachment, never shown in place.

        With `sha256` the stored bytes are hashed first, and altered ones raise Refusal(INTERNAL) instead.
        """
        if sha256:
            with self.open(bucket, key, sha256=sha256) as stream:
                for _ in stream:
                    pass
        query = {
            "response-content-disposition": disposition(filename),
            "response-content-type": content_type,
        }
        return self._presigner.sign("GET", bucket, key, expires, query=query)

    def delete(self, bucket: str, key: str) -> None:
        """Deletes an object; one that is not there is no error."""
        with _reachable():
            try:
                self._client.remove_object(bucket, key)
            except MinioException as error:
                if _code(error) not in _MISSING:
                    raise

    def discard(self, bucket: str, key: str, size: int) -> None:
        """Deletes what was uploaded for `key`, whole or in parts, and not moved there."""
        self._delete_all(bucket, [INCOMING + key, *_part_keys(key, size)])

    def sweep(self, bucket: str, known_keys: Known, older_than: timedelta) -> list[str]:
        """Deletes objects and uploads older than `older_than` that no row knows; returns their keys.

        `known_keys`: all keys that rows name, or a function that returns those of a list that do (for many).
        An upload is known while its bytes are still to be checked (`tickets.key_of`).
        """
        before = datetime.now(UTC) - older_than
        swept: list[str] = []
        names = self._old(bucket, before)
        while some := list(islice(names, 500)):
            known = known_keys(some) if callable(known_keys) else known_keys
            for key in some:
                if key not in known:
                    self.delete(bucket, key)
                    swept.append(key)
        return swept

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Returns the keys that begin with `prefix`; none while there is no such bucket."""
        with _reachable():
            if not self._client.bucket_exists(bucket):
                return []
            found = self._client.list_objects(bucket, prefix, recursive=True)
            return [str(each.object_name) for each in found]

    def _old(self, bucket: str, before: datetime) -> Iterator[str]:
        with _reachable():
            if not self._client.bucket_exists(bucket):
                return
            for found in self._client.list_objects(bucket, recursive=True):
                if found.last_modified is not None and found.last_modified < before and not found.is_dir:
                    yield str(found.object_name)

    def _ensure(self, bucket: str) -> None:
        if bucket in self._buckets:
            return
        with _reachable():
            if not self._client.bucket_exists(bucket):
                try:
                    self._client.make_bucket(bucket)
                except MinioException:  # a twin was faster; servers tell that in different ways
                    if not self._client.bucket_exists(bucket):
                        raise
        self._buckets.add(bucket)

    def _delete_all(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.delete(bucket, key)

    def _uploaded(self, bucket: str, key: str, size: int) -> tuple[ObjectStream | None, list[str]]:
        """Opens what was uploaded for `key`, whole or in parts; None unless it is there. Returns its keys
        too."""
        with suppress(KeyError):
            return self._get(bucket, INCOMING + key), [INCOMING + key]
        if self.missing_parts(bucket, key, size):
            return None, []
        keys = _part_keys(key, size)
        return ObjectStream(parts.Joined(partial(self.open, bucket, each) for each in keys)), keys

    def _get(self, bucket: str, key: str, sha256: str = "", offset: int = 0) -> ObjectStream:
        with _reachable():
            try:
                return ObjectStream(self._client.get_object(bucket, key, offset), sha256)
            except MinioException as error:
                if _code(error) in _MISSING:
                    raise KeyError(key) from None
                raise

    def _move(self, bucket: str, key: str, size: int, content_type: str, measured: Measured) -> None:
        """Copies the upload to its key through this process, because only then are the checked bytes the
        kept ones: in one request, of which nothing is left when it breaks off, as would be of an upload in
        parts of S3's own. What is too large for one goes in such parts all the same; those that a killed
        process leaves are for a rule of the bucket to clear."""
        if size > ONE_PUT:
            with _reachable():
                stream = cast("BinaryIO", measured)
                self._client.put_object(bucket, key, stream, size, content_type, part_size=PART)
            return
        headers = {"Content-Length": str(size), "Content-Type": content_type}
        url = self._inner.sign("PUT", bucket, key, TICKET, headers=headers)
        # The first number bounds each sending, too, and a busy disk may take longer than a connection does.
        patience = urllib3.Timeout(connect=READ, read=READ)
        with _reachable():
            answer = self._pool.request(
                "PUT", url, body=cast("BinaryIO", measured), headers=headers, retries=False, timeout=patience
            )
            if answer.status != HTTPStatus.OK:
                raise urllib3.exceptions.HTTPError(f"the store answers {answer.status}")

    def _verify_moved(self, bucket: str, key: str, size: int, content_type: str, sha256: str) -> None:
        """An earlier `verify` may have come this far and died before its caller could note it."""
        try:
            source = self._get(bucket, key)
        except KeyError:
            raise Refusal(reason_pb2.REASON_UPLOAD_MISSING) from None
        with source:
            measured = Measured(source)
            measured.drain()
            _check(measured, size, content_type, sha256)


def _part_key(key: str, part: parts.Part) -> str:
    return f"{INCOMING}{key}.{part.number:04d}"


def _part_keys(key: str, size: int) -> list[str]:
    return [_part_key(key, part) for part in parts.parts_of(size)]


def _check(measured: Measured, size: int, content_type: str, sha256: str) -> None:
    wrong = (
        "size"
        if measured.size != size
        else "sha256"
        if measured.sha256 != sha256.lower()
        else ""
        if sniff.fits(content_type, measured.head)
        else "content_type"
    )
    if wrong:
        raise Refusal(reason_pb2.REASON_UPLOAD_MISMATCH, metadata={"field": wrong})


@contextmanager
def _reachable() -> Iterator[None]:
    """Turns a store that does not answer into Refusal(UNAVAILABLE)."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, MinioException) as error:
        raise Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=timedelta(seconds=1)) from error


def _code(error: MinioException) -> str:
    """Returns S3's error code, also from servers that call their XML `text/xml`, which the client does not
    read."""
    if isinstance(error, S3Error):
        return error.code or ""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found[1] if found else ""
