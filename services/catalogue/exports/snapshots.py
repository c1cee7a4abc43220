"""Makes snapshots of courses; a job of `waymark consume catalogue`, so never two at a time over all replicas.

Not `platform.operations`: a piece of work there is locked by a transaction that writes, and while one of
those is open nobody is told of changes (see `platform.db.horizon`). Here one that only reads stays open for
as long as files are written.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from google.protobuf.json_format import MessageToJson
from waymark.catalogue.v1.course_snapshot_pb2 import CourseSnapshot

from services.catalogue.api.courses import course_message
from services.catalogue.store import course_changes, course_snapshots
from services.catalogue.store.course_snapshots import BUCKET, Part, key
from services.platform.db.transaction import may_idle, transaction

if TYPE_CHECKING:
    from services.platform.app import App

EVERY = timedelta(days=1)
KEPT = 3  # snapshots
ORPHAN = timedelta(days=1)  # age of files that no snapshot names, after which they go
PART = 8 << 20  # bytes after which a part ends; one course may add its own size
ATTEMPTS = 5
LONGEST = 600.0  # seconds that writing one part may take
GZIP = 16 + zlib.MAX_WBITS  # `wbits` for a gzip header, with no time in it
log = structlog.get_logger("snapshots")


def make_waiting(app: App) -> None:
    """Makes the snapshot that is asked for, and one a day in any case; forgets those that are too old.

    One that was cut off is begun anew. After ATTEMPTS failures it ends as FAILED.
    """
    with transaction(app) as tx:
        course_snapshots.ask_if_older(tx, EVERY)
        row = course_snapshots.waiting(tx)
        if row is None:
            return
        begun = {"state": CourseSnapshot.STATE_RUNNING, "attempts": row.attempts + 1}
        course_snapshots.change(tx, row.id, **begun)
    try:
        write(app, row.id)
    except Exception:
        log.exception("snapshot_failed", snapshot=row.id, attempt=row.attempts + 1)
        if row.attempts + 1 >= ATTEMPTS:
            with transaction(app) as tx:
                course_snapshots.change(tx, row.id, state=CourseSnapshot.STATE_FAILED)
        return
    sweep(app)


def write(app: App, snapshot: str) -> None:
    """Writes the files of a snapshot and ends it as SUCCEEDED."""
    parts: list[Part] = []
    with transaction(app, read_only=True) as tx:
        may_idle(tx, LONGEST)
        place, rows = course_changes.offered(tx)
        for number, (data, count) in enumerate(files(map(line, rows)), 1):
            stored = app.objects.put(
                BUCKET,
                key(snapshot, number),
                io.BytesIO(data),
                size=len(data),
                content_type="application/gzip",
            )
            parts.append(Part(stored.size, stored.sha256, count))
    with transaction(app) as tx:
        course_snapshots.change(
            tx,
            snapshot,
            state=CourseSnapshot.STATE_SUCCEEDED,
            course_count=sum(part.courses for part in parts),
            change_token=str(place),
            parts=parts,
        )


def line(row: Any) -> bytes:
    """Returns a course as REST answers it, on one line."""
    return MessageToJson(course_message(row), indent=None, ensure_ascii=False).encode() + b"\n"


def files(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yields gzip files of about PART bytes, each with its number of lines."""
    packed, pending, count = zlib.compressobj(wbits=GZIP), bytearray(), 0
    for each in lines:
        pending += packed.compress(each)
        count += 1
        if len(pending) >= PART:
            yield bytes(pending + packed.flush()), count
            packed, pending, count = zlib.compressobj(wbits=GZIP), bytearray(), 0
    if count:
        yield bytes(pending + packed.flush()), count


def sweep(app: App) -> None:
    """Forgets the snapshots before the newest KEPT with their files, and files of those that broke off."""
    with transaction(app) as tx:
        for row in course_snapshots.outdated(tx, KEPT):
            for number in range(1, len(row.parts) + 1):
                app.objects.delete(BUCKET, key(row.id, number))
            course_snapshots.forget(tx, row.id)
        known = course_snapshots.keys(tx)
    app.objects.sweep(BUCKET, known, ORPHAN)
