"""SourceService."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import source_pb2_grpc
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.catalogue.v1.source_pb2 import (
    CloseSourceRequest,
    CreateSourceRequest,
    GetSourceRequest,
    ListSourcesRequest,
    ListSourcesResponse,
    PullSourceRequest,
    ReopenSourceRequest,
    ReportSecret,
    RollBackSourceRequest,
    RotateReportSecretRequest,
    Source,
    UpdateSourceRequest,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import last, last_uuid, mask, only_own, required
from services.catalogue.api.source_pulls import check_report_url, pull_message, pull_values
from services.catalogue.app import CatalogueApp
from services.catalogue.closing import close_source, reopen_source
from services.catalogue.feeding.run_message import run_message
from services.catalogue.store import feed_runs, organisations, sources
from services.catalogue.store.feed_tables import sources as table
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.outgoing.webhooks import new_secret
from services.platform.rpc.handlers import mutation, query

CHANGEABLE = (
    "display_name",
    "removal_limit_percent",
    "removal_grace_feeds",
    "default_language",
    "default_nuts_code",
    "precedence",
    "field_precedence",
    "pull",
    "report_url",
    "max_feed_mib",
)
OF_PARTNERS = ("pull", "report_url")  # what the organisation of a source changes itself
REMOVAL_LIMIT = 20  # percent, unless a source has its own
MAX_FEED = 512  # MiB, the same
LANGUAGE = "en"
OVERLAP = timedelta(hours=24)  # in which a former secret of reports signs too


class SourceApi(source_pb2_grpc.SourceServiceServicer):
    """Where courses come from."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mutation
    def CreateSource(self, tx: Transaction, request: CreateSourceRequest) -> Source:
        given = request.source
        required(given, "source", "organisation", "display_name", "format")
        organisation = organisations.read_open(tx, last(given.organisation)).id
        limit = given.removal_limit_percent or REMOVAL_LIMIT
        if only_own(tx.principal):
            limit = min(limit, REMOVAL_LIMIT)  # the limit guards the catalogue, so a partner cannot raise it
        check_report_url(self.app, given.report_url)
        source = new_id()
        row = sources.add(
            tx,
            source,
            organisation_id=organisation,
            display_name=given.display_name,
            format=given.format,
            removal_limit_percent=limit,
            removal_grace_feeds=given.removal_grace_feeds,
            default_language=given.default_language or LANGUAGE,
            default_nuts_code=given.default_nuts_code,
            precedence=0 if only_own(tx.principal) else given.precedence,  # of no partner's choosing
            field_precedence={} if only_own(tx.principal) else dict(given.field_precedence),
            report_url=given.report_url,
            max_feed_mib=MAX_FEED if only_own(tx.principal) else given.max_feed_mib or MAX_FEED,
            **(pull_values(self.app, source, given, None, tx.now) if given.HasField("pull") else {}),
        )
        return _message(row)

    @query
    def GetSource(self, tx: Transaction, request: GetSourceRequest) -> Source:
        return _message(sources.read(tx.connection, last(request.name)))

    @query
    def ListSources(self, tx: Transaction, request: ListSourcesRequest) -> ListSourcesResponse:
        own = only_own(tx.principal)
        statement = sources.listing(own)
        if request.organisation:
            statement = statement.where(table.c.organisation_id == last(request.organisation))
        found = page(
            tx,
            self.app.signer,
            statement,
            order_by=[table.c.id],
            request=request,
            filters={"organisation": request.organisation, "own": own},
        )
        return ListSourcesResponse(sources=map(_message, found.rows), next_page_token=found.next_page_token)

    @mutation
    def UpdateSource(self, tx: Transaction, request: UpdateSourceRequest) -> Source:
        given = request.source
        allowed = OF_PARTNERS if only_own(tx.principal) else CHANGEABLE
        fields = mask(_whole(request.update_mask), allowed)
        if "display_name" in fields:
            required(given, "source", "display_name")
        row = sources.read_open(tx, last_uuid(given.name))
        check_etag(given.etag, row.version)
        values = {field: getattr(given, field) for field in fields if field != "pull"}
        if "pull" in fields:
            given.format = row.format
            values |= pull_values(self.app, row.id, given, row, tx.now)
        if "report_url" in fields:
            check_report_url(self.app, given.report_url)
        if "removal_limit_percent" in values:
            values["removal_limit_percent"] = given.removal_limit_percent or REMOVAL_LIMIT
        if "max_feed_mib" in values:
            values["max_feed_mib"] = given.max_feed_mib or MAX_FEED
        if "field_precedence" in values:
            values["field_precedence"] = dict(given.field_precedence)
        if "default_language" in values:
            values["default_language"] = given.default_language or LANGUAGE
        return _message(sources.change(tx, row.id, **values))

    @mutation
    def CloseSource(self, tx: Transaction, request: CloseSourceRequest) -> Source:
        source = sources.read_open(tx, last(request.name))
        return _message(close_source(tx, source, keep_courses=request.keep_courses))

    @mutation
    def ReopenSource(self, tx: Transaction, request: ReopenSourceRequest) -> Source:
        return _message(reopen_source(tx, last(request.name), request.reason))

    @mutation
    def RollBackSource(self, tx: Transaction, request: RollBackSourceRequest) -> FeedRun:
        source = sources.read_open(tx, last(request.name))
        named = last(request.feed_run) if request.feed_run else ""
        target = feed_runs.to_roll_back_to(tx, source.id, named)
        run = feed_runs.add(tx, source.id, target.upload_id, dry_run=request.dry_run, rolls_back_to=target.id)
        return run_message(feed_runs.read(tx.connection, run))

    @mutation
    def PullSource(self, tx: Transaction, request: PullSourceRequest) -> Source:
        row = sources.read_open(tx, last(request.name))
        if not row.pull_url:
            raise Refusal(reason_pb2.REASON_FEED_NOT_PULLED)
        feed_runs.refuse_while_held(tx, row.id)
        sources.note_pull(tx, row.id, pull_next_time=tx.now)
        return _message(sources.read(tx.connection, row.id))

    @mutation(answer_stored=False)
    def RotateReportSecret(self, tx: Transaction, request: RotateReportSecretRequest) -> ReportSecret:
        row = sources.read_open(tx, last(request.name))
        secret = new_secret()
        values = {
            "report_secret": self.app.seals.seal(f"sources/{row.id}/report", secret),
            "report_former": row.report_secret,
            "report_former_until": tx.now + OVERLAP if row.report_secret else None,
        }
        return ReportSecret(source=_message(sources.change(tx, row.id, **values)), secret=secret)


def _whole(update_mask: FieldMask) -> FieldMask:
    """The mask with `pull` for what is below it: over REST a mask is made of the fields of the body."""
    return FieldMask(paths=["pull" if path.startswith("pull.") else path for path in update_mask.paths])


def _message(row: Any) -> Source:
    answer = Source(
        name=f"sources/{row.id}",
        organisation=f"organisations/{row.organisation_id}",
        display_name=row.display_name,
        format=row.format,
        removal_limit_percent=row.removal_limit_percent,
        removal_grace_feeds=row.removal_grace_feeds,
        default_language=row.default_language,
        default_nuts_code=row.default_nuts_code,
        precedence=row.precedence,
        field_precedence=row.field_precedence,
        etag=etag_of(row.version),
        report_url=row.report_url,
        max_feed_mib=row.max_feed_mib,
        reopen_reason=row.reopen_reason,
        reports_signed=row.report_secret is not None,
        pull=pull_message(row) if row.pull_url else None,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.close_time is not None:
        answer.close_time.FromDatetime(row.close_time)
    if row.reopen_time is not None:
        answer.reopen_time.FromDatetime(row.reopen_time)
    return answer
