"""SourceService."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import source_pb2_grpc
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.catalogue.v1.source_pb2 import (
    CreateSourceRequest,
    GetSourceRequest,
    ListSourcesRequest,
    ListSourcesResponse,
    RollBackSourceRequest,
    Source,
    UpdateSourceRequest,
)

from services.catalogue.api.feed_runs import feed_run_message
from services.catalogue.api.messages import last, mask, only_own, required
from services.catalogue.store import feed_runs, organisations, sources
from services.catalogue.store.tables import sources as table
from services.platform.app import App
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query

CHANGEABLE = (
    "display_name",
    "removal_limit_percent",
    "removal_grace_feeds",
    "default_language",
    "default_nuts_code",
    "precedence",
    "field_precedence",
)
REMOVAL_LIMIT = 20  # percent, unless a source has its own
LANGUAGE = "en"


class SourceApi(source_pb2_grpc.SourceServiceServicer):
    """Where courses come from."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateSource(self, tx: Transaction, request: CreateSourceRequest) -> Source:
        given = request.source
        required(given, "source", "organisation", "display_name", "format")
        organisation = organisations.read(tx.connection, last(given.organisation)).id
        limit = given.removal_limit_percent or REMOVAL_LIMIT
        if only_own(tx.principal):
            limit = min(limit, REMOVAL_LIMIT)  # the limit guards the catalogue, so a partner cannot raise it
        source = sources.add(
            tx,
            organisation_id=organisation,
            display_name=given.display_name,
            format=given.format,
            removal_limit_percent=limit,
            removal_grace_feeds=given.removal_grace_feeds,
            default_language=given.default_language or LANGUAGE,
            default_nuts_code=given.default_nuts_code,
            precedence=0 if only_own(tx.principal) else given.precedence,  # of no partner's choosing
            field_precedence={} if only_own(tx.principal) else dict(given.field_precedence),
        )
        return _message(sources.read(tx.connection, source))

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
        fields = mask(request.update_mask, CHANGEABLE)
        if "display_name" in fields:
            required(given, "source", "display_name")
        row = sources.read(tx.connection, last(given.name), lock=True)
        check_etag(given.etag, row.version)
        values = {field: getattr(given, field) for field in fields}
        if "removal_limit_percent" in values:
            values["removal_limit_percent"] = given.removal_limit_percent or REMOVAL_LIMIT
        if "field_precedence" in values:
            values["field_precedence"] = dict(given.field_precedence)
        if "default_language" in values:
            values["default_language"] = given.default_language or LANGUAGE
        return _message(sources.change(tx, row.id, **values))

    @mutation
    def RollBackSource(self, tx: Transaction, request: RollBackSourceRequest) -> FeedRun:
        source = sources.read(tx.connection, last(request.name), lock=True)
        named = last(request.feed_run) if request.feed_run else ""
        target = feed_runs.to_roll_back_to(tx, source.id, named)
        run = feed_runs.add(tx, source.id, target.upload_id, dry_run=request.dry_run, rolls_back_to=target.id)
        return feed_run_message(feed_runs.read(tx.connection, run))


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
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer
