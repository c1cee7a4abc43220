"""FeedRunService. The work itself is done by `imports.worker`, a job of `waymark consume catalogue`."""

from __future__ import annotations

from typing import Any

from google.api import httpbody_pb2
from waymark.catalogue.v1 import feed_run_pb2_grpc
from waymark.catalogue.v1.feed_run_pb2 import (
    ApproveFeedRunRequest,
    FeedChange,
    FeedRun,
    GetFeedRunPageRequest,
    GetFeedRunRequest,
    ListFeedChangesRequest,
    ListFeedChangesResponse,
    ListFeedFindingsRequest,
    ListFeedFindingsResponse,
    ListFeedRunsRequest,
    ListFeedRunsResponse,
    RejectFeedRunRequest,
    StartFeedRunRequest,
)
from waymark.catalogue.v1.source_pb2 import FeedFormat

from services.catalogue.api.messages import finding, last, only_own
from services.catalogue.feeding.run_message import run_message
from services.catalogue.feeding.run_page import FINDINGS, as_page
from services.catalogue.store import feed_changes, feed_runs, sources, staging, uploads
from services.catalogue.store.feed_tables import feed_changes as feed_changes_table
from services.catalogue.store.feed_tables import feed_findings
from services.catalogue.store.feed_tables import feed_runs as table
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import invalid
from services.platform.rpc.handlers import mutation, query


class FeedRunApi(feed_run_pb2_grpc.FeedRunServiceServicer):
    """Imports of feeds."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def StartFeedRun(self, tx: Transaction, request: StartFeedRunRequest) -> FeedRun:
        source = sources.read_open(tx, last(request.source))
        if source.format == FeedFormat.FEED_FORMAT_PUSH:
            raise invalid("source", "takes pushed courses and no files; see CoursePushService")
        upload = uploads.read_ready(tx, last(request.upload), source.max_feed_mib << 20)
        run = feed_runs.add(tx, source.id, upload.id, dry_run=request.dry_run, partial=request.partial)
        return run_message(feed_runs.read(tx.connection, run))

    @query
    def GetFeedRun(self, tx: Transaction, request: GetFeedRunRequest) -> FeedRun:
        return run_message(feed_runs.read(tx.connection, last(request.name)))

    @query
    def ListFeedRuns(self, tx: Transaction, request: ListFeedRunsRequest) -> ListFeedRunsResponse:
        own = only_own(tx.principal)
        source = last(request.source).removeprefix("-")
        found = page(
            tx,
            self.app.signer,
            feed_runs.listing(source, own, request.state),
            order_by=[table.c.id.desc()],
            request=request,
            filters={"source": source, "own": own, "state": request.state},
        )
        return ListFeedRunsResponse(
            feed_runs=map(run_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListFeedFindings(self, tx: Transaction, request: ListFeedFindingsRequest) -> ListFeedFindingsResponse:
        run = feed_runs.read(tx.connection, last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            feed_runs.listing_findings(run, request.minimum_severity),
            order_by=[feed_findings.c.seq],
            request=request,
            filters={"parent": request.parent, "minimum_severity": request.minimum_severity},
        )
        return ListFeedFindingsResponse(
            findings=map(finding, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListFeedChanges(self, tx: Transaction, request: ListFeedChangesRequest) -> ListFeedChangesResponse:
        run = feed_runs.read(tx.connection, last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            feed_changes.listing(run),
            order_by=[feed_changes_table.c.seq],
            request=request,
            filters={"parent": request.parent},
        )
        return ListFeedChangesResponse(
            feed_changes=map(_change, found.rows), next_page_token=found.next_page_token
        )

    @query
    def GetFeedRunPage(self, tx: Transaction, request: GetFeedRunPageRequest) -> httpbody_pb2.HttpBody:
        run = feed_runs.read(tx.connection, last(request.name))
        worst = tx.execute(feed_runs.worst_findings(run.id, FINDINGS)).all()
        page_of_it = as_page(run, sources.read(tx.connection, run.source_id), worst)
        return httpbody_pb2.HttpBody(content_type="text/html; charset=utf-8", data=page_of_it)

    @mutation
    def ApproveFeedRun(self, tx: Transaction, request: ApproveFeedRunRequest) -> FeedRun:
        row = feed_runs.in_state(tx, last(request.name), FeedRun.STATE_HELD)
        row = feed_runs.change(
            tx, row.id, state=FeedRun.STATE_QUEUED, records_accepted=row.records_held, records_held=0
        )
        return run_message(row)

    @mutation
    def RejectFeedRun(self, tx: Transaction, request: RejectFeedRunRequest) -> FeedRun:
        row = feed_runs.in_state(tx, last(request.name), FeedRun.STATE_HELD)
        staging.forget(tx, row.id)
        row = feed_runs.change(
            tx,
            row.id,
            state=FeedRun.STATE_REJECTED,
            records_rejected=row.records_rejected + row.records_held,
            records_held=0,
            courses_created=0,
            courses_updated=0,
            courses_unchanged=0,
            courses_removed=0,
            courses_missing=0,
        )
        return run_message(row)


def _change(row: Any) -> FeedChange:
    return FeedChange(
        kind=row.kind,
        course=f"courses/{row.course_id}",
        external_id=row.external_id,
        titles=row.titles,
        changed_fields=row.fields,
    )
