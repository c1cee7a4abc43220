"""CoursePushService: courses that come record by record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from sqlalchemy import Row
from waymark.catalogue.v1 import course_push_pb2 as pb
from waymark.catalogue.v1 import course_push_pb2_grpc
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.catalogue.v1.source_pb2 import FeedFormat
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, only_own
from services.catalogue.domain.closing import check_open
from services.catalogue.feeding.pushes import break_off
from services.catalogue.store import feed_runs, pushes, sources
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.exchange import Received, exchange


class CoursePushApi(course_push_pb2_grpc.CoursePushServiceServicer):
    """Takes courses as they are sent."""

    def __init__(self, app: App) -> None:
        self.app = app

    @exchange
    def PushCourses(
        self, tx: Transaction, chunk: Sequence[Received], before: pb.PushCoursesResponse | None
    ) -> pb.PushCoursesResponse:
        parts = [_part(message) for message in chunk]
        if before is None:
            if not parts or parts[0].WhichOneof("part") != "start":
                raise _out_of_order("a start")
            run, count = _begun(tx, parts.pop(0).start), 0
        else:
            # Another stream may have replaced it, or its end may have come.
            run = feed_runs.in_state(tx, last(before.feed_run), FeedRun.STATE_RECEIVING).id
            count = before.course_count
        end = parts.pop().end if parts and parts[-1].WhichOneof("part") == "end" else None
        if any(part.WhichOneof("part") != "course" for part in parts):
            raise _out_of_order("a course")
        _keep(tx, run, count, [part.course for part in parts])
        count += len(parts)
        if end is not None:
            if end.course_count != count:
                raise _out_of_order(f"an end after {count} courses")
            feed_runs.change(tx, run, state=FeedRun.STATE_QUEUED)
        return pb.PushCoursesResponse(feed_run=f"feedRuns/{run}", course_count=count)


def _part(message: Received) -> Any:
    if message.violations:
        raise Refusal(
            reason_pb2.REASON_INVALID_ARGUMENT,
            violations=message.violations,
            metadata={"position": str(message.number)},
        )
    return message.request


def _out_of_order(wanted: str) -> Refusal:
    return Refusal(reason_pb2.REASON_PUSH_OUT_OF_ORDER, metadata={"expected": wanted})


def _begun(tx: Transaction, start: pb.PushStart) -> str:
    """Begins a run; one that another stream left unfinished is over then."""
    source = _own_source(tx, last(start.source))
    unfinished = feed_runs.active(tx, source.id)
    if unfinished is not None and unfinished.state == FeedRun.STATE_RECEIVING:
        break_off(tx, unfinished.id)
    return feed_runs.add(
        tx,
        source.id,
        None,
        dry_run=start.dry_run,
        partial=start.partial,
        way=FeedRun.WAY_PUSH,
        state=FeedRun.STATE_RECEIVING,
    )


def _own_source(tx: Transaction, key: str) -> Row[Any]:
    """A source that courses are pushed to, locked. A provider may not know of those of others: streams are
    asked for no relationship before, as they name nothing before their first message."""
    source = sources.read(tx.connection, key, lock=True)
    own = only_own(tx.principal)
    if own and source.organisation_id != own:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no source {key}.")
    check_open(source.close_time)
    if source.format != FeedFormat.FEED_FORMAT_PUSH:
        raise invalid("start.source", "is not of format PUSH: upload a file, or have it fetched")
    return source


def _keep(tx: Transaction, run: str, count: int, courses: Sequence[pb.PushedCourse]) -> None:
    if not courses:
        return
    lines = [_line(course) for course in courses]
    if pushes.size(tx, run) + sum(map(len, lines)) > pushes.limit(tx, run):
        raise Refusal(reason_pb2.REASON_PUSH_TOO_LARGE)
    pushes.add(tx, run, count, lines)


def _line(course: pb.PushedCourse) -> bytes:
    found = MessageToDict(course, preserving_proto_field_name=True)
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
