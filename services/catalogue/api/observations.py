"""ObservationService. Files are taken in by `imports.observations`, a job of `waymark consume catalogue`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from google.api import httpbody_pb2
from sqlalchemy import Select
from waymark.catalogue.v1 import observation_pb2 as pb
from waymark.catalogue.v1 import observation_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import finding, last
from services.catalogue.domain.periods import period_of
from services.catalogue.imports import observation_csv
from services.catalogue.imports import observations as importing
from services.catalogue.store import observation_undo, observations, uploads
from services.catalogue.store.market_tables import observation_findings, observation_sources
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.objects.streams import buffered
from services.platform.operations import store as operations
from services.platform.rpc.handlers import mutation, query, query_stream

PLAIN = ("publisher", "method", "coverage", "biased", "bias", "licence", "suppress_below")
PART = 1000  # figures read at once for a file


class ObservationApi(observation_pb2_grpc.ObservationServiceServicer):
    """Figures of the labour market."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateObservationSource(
        self, tx: Transaction, request: pb.CreateObservationSourceRequest
    ) -> pb.ObservationSource:
        values = {name: getattr(request.observation_source, name) for name in PLAIN}
        return source_message(observations.add_source(tx, request.observation_source_id, values))

    @query
    def GetObservationSource(
        self, tx: Transaction, request: pb.GetObservationSourceRequest
    ) -> pb.ObservationSource:
        return source_message(observations.read_source(tx, last(request.name)))

    @query
    def ListObservationSources(
        self, tx: Transaction, request: pb.ListObservationSourcesRequest
    ) -> pb.ListObservationSourcesResponse:
        order = [observation_sources.c.id]
        found = page(tx, self.app.signer, observation_sources.select(), order_by=order, request=request)
        return pb.ListObservationSourcesResponse(
            observation_sources=map(source_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def StartObservationImport(
        self, tx: Transaction, request: pb.StartObservationImportRequest
    ) -> pb.ObservationImport:
        source = observations.read_source(tx, last(request.source), lock=True)
        observation_undo.refuse_while_undone(tx, source.id)
        upload = uploads.read_ready(tx, last(request.upload))
        if upload.size_bytes > observation_csv.MAX_BYTES:
            raise invalid("upload", f"is larger than {observation_csv.MAX_BYTES >> 20} MiB")
        with self.app.objects.open(uploads.BUCKET, upload.id) as opened:
            next(observation_csv.rows(buffered(opened), request.format), None)
        argument = {
            "source": source.id,
            "upload": upload.id,
            "sha256": upload.sha256,
            "format": request.format,
            "dry_run": request.dry_run,
        }
        return _import(operations.add(tx, importing.KIND, argument, 0))

    @mutation
    def UndoObservationImport(
        self, tx: Transaction, request: pb.UndoObservationImportRequest
    ) -> pb.ObservationImport:
        row = _of_kind(tx, request.name)
        source = observations.read_source(tx, row.argument["source"], lock=True)
        observation_undo.check(tx, row)
        operations.add(tx, importing.UNDO, {"source": source.id, "import": row.id}, 0)
        return _import(row, observation_undo.state(tx, row.id))

    @query
    def GetObservationImport(
        self, tx: Transaction, request: pb.GetObservationImportRequest
    ) -> pb.ObservationImport:
        row = _of_kind(tx, request.name)
        return _import(row, observation_undo.state(tx, row.id))

    @query
    def ListObservationFindings(
        self, tx: Transaction, request: pb.ListObservationFindingsRequest
    ) -> pb.ListObservationFindingsResponse:
        found = page(
            tx,
            self.app.signer,
            observations.listing_findings(_of_kind(tx, request.parent).id),
            order_by=[observation_findings.c.seq],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListObservationFindingsResponse(
            findings=map(finding, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListObservations(
        self, tx: Transaction, request: pb.ListObservationsRequest
    ) -> pb.ListObservationsResponse:
        found = page(
            tx,
            self.app.signer,
            _filtered(request.filter),
            order_by=observations.ORDER,
            request=request,
            filters={"filter": request.filter.SerializeToString(deterministic=True).hex()},
        )
        named = {row.source_id for row in found.rows}
        return pb.ListObservationsResponse(
            observations=map(observation_message, found.rows),
            sources=map(source_message, observations.sources(tx.connection, named)) if named else [],
            next_page_token=found.next_page_token,
        )

    @query_stream
    def ExportObservations(
        self, tx: Transaction, request: pb.ExportObservationsRequest
    ) -> Iterator[httpbody_pb2.HttpBody]:
        statement = _filtered(request.filter).order_by(*observations.ORDER)
        rows = (row for part in tx.parts(statement, PART) for row in part)
        for part in observation_csv.write(rows, request.format):
            yield httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8", data=part)


def _filtered(wanted: pb.ObservationFilter) -> Select[Any]:
    return observations.listing(
        occupations=wanted.occupations,
        regions=wanted.nuts_codes,
        measures=wanted.measures,
        sources=[last(name) for name in wanted.sources],
        first=_edge(wanted, "period_from", 1),
        last=_edge(wanted, "period_to", 2),
    )


def _edge(wanted: pb.ObservationFilter, field: str, place: int) -> date | None:
    """First (1) or last (2) day of the period in a field; raises Refusal(INVALID_ARGUMENT)."""
    text = getattr(wanted, field)
    if not text:
        return None
    period = period_of(text)
    if period is None:
        raise invalid(f"filter.{field}", "is no period such as 2026, 2026-Q1 or 2026-03")
    return period.first if place == 1 else period.last


def _of_kind(tx: Transaction, name: str) -> Any:
    row = operations.get(tx, last(name))
    if row.kind != importing.KIND:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return row


def _import(row: Any, undo_state: Any = 0) -> pb.ObservationImport:
    result = importing.NOTHING | row.result
    answer = pb.ObservationImport(
        name=f"observationImports/{row.id}",
        source=f"observationSources/{row.argument['source']}",
        state=row.state,
        undo_state=undo_state,
        dry_run=row.argument["dry_run"],
        row_count=result["rows"],
        accepted_count=result["accepted"],
        rejected_count=result["rejected"],
        suppressed_count=result["suppressed"],
        reason=row.reason,
        explanation=row.explanation,
    )
    answer.create_time.FromDatetime(row.created_at)
    answer.state_time.FromDatetime(row.state_at)
    return answer


def source_message(row: Any) -> pb.ObservationSource:
    """Returns a source with its caveats."""
    answer = pb.ObservationSource(
        name=f"observationSources/{row.id}", **{name: getattr(row, name) for name in PLAIN}
    )
    answer.create_time.FromDatetime(row.create_time)
    return answer


def observation_message(row: Any) -> pb.Observation:
    """Returns a figure; one that is hidden says no more than that."""
    answer = pb.Observation(
        source=f"observationSources/{row.source_id}",
        measure=row.measure,
        occupation=row.occupation,
        taxonomy_version=row.taxonomy_version,
        nuts_code=row.nuts_code,
        period=row.period,
        value=row.value,
        unit=row.unit,
        status=row.status,
        suppressed=row.hidden != 0,
    )
    answer.import_time.FromDatetime(row.import_time)
    return answer
