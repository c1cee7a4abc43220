"""TaxonomyChangeService. The work is done by `taxonomy_changing`, a job of `waymark consume catalogue`."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from waymark.catalogue.v1 import taxonomy_change_pb2 as pb
from waymark.catalogue.v1 import taxonomy_change_pb2_grpc
from waymark.errors.v1 import reason_pb2

from services.catalogue import taxonomy_changing
from services.catalogue.api.messages import last, part
from services.catalogue.imports import taxonomy_csv
from services.catalogue.store import concept_links, taxonomies, taxonomy_changes, uploads
from services.catalogue.store.taxonomy_changes import State
from services.catalogue.store.taxonomy_tables import taxonomy_change_items
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.operations import store as operations
from services.platform.rpc.handlers import mutation, query


class TaxonomyChangeApi(taxonomy_change_pb2_grpc.TaxonomyChangeServiceServicer):
    """Links between concepts, and the version in use."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def ImportConceptLinks(
        self, tx: Transaction, request: pb.ImportConceptLinksRequest
    ) -> pb.ImportConceptLinksResponse:
        source, target = (_version(tx, name) for name in (request.source, request.target))
        if source == target:
            raise invalid("target", "must be another version than the source")
        upload = uploads.read_ready(tx, last(request.upload))
        known = [taxonomies.concept_ids(tx.connection, *each) for each in (source, target)]
        with self.app.objects.open(uploads.BUCKET, upload.id, sha256=upload.sha256) as opened:
            links = taxonomy_csv.read_links(cast(BinaryIO, opened), *known)
        concept_links.put(tx, source, target, links)
        return pb.ImportConceptLinksResponse(link_count=len(links))

    @query
    def ListConceptLinks(
        self, tx: Transaction, request: pb.ListConceptLinksRequest
    ) -> pb.ListConceptLinksResponse:
        target = (part(request.target, 1), part(request.target, 3)) if request.target else None
        found = page(
            tx,
            self.app.signer,
            concept_links.listing((part(request.parent, 1), part(request.parent, 3)), target),
            order_by=concept_links.ORDER,
            request=request,
            filters={"parent": request.parent, "target": request.target},
        )
        return pb.ListConceptLinksResponse(
            concept_links=map(_link, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def ProposeTaxonomyChange(
        self, tx: Transaction, request: pb.ProposeTaxonomyChangeRequest
    ) -> pb.TaxonomyChange:
        scheme, version = _version(tx, request.to_version)
        current = taxonomies.in_use(tx.connection)[scheme]
        if version == current:
            raise invalid("to_version", "is in use already")
        change = taxonomy_changes.add(tx, scheme, current, version)
        return self._start(tx, change, taxonomy_changing.REPORT, 0)

    @query
    def GetTaxonomyChange(self, tx: Transaction, request: pb.GetTaxonomyChangeRequest) -> pb.TaxonomyChange:
        return _change(taxonomy_changes.read(tx, last(request.name)))

    @query
    def ListTaxonomyChangeItems(
        self, tx: Transaction, request: pb.ListTaxonomyChangeItemsRequest
    ) -> pb.ListTaxonomyChangeItemsResponse:
        found = page(
            tx,
            self.app.signer,
            taxonomy_changes.listing_items(taxonomy_changes.read(tx, last(request.parent)).id),
            order_by=[taxonomy_change_items.c.uri],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListTaxonomyChangeItemsResponse(
            taxonomy_change_items=map(_item, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def ApplyTaxonomyChange(
        self, tx: Transaction, request: pb.ApplyTaxonomyChangeRequest
    ) -> pb.TaxonomyChange:
        row = taxonomy_changes.read(tx, last(request.name), lock=True)
        if row.proposed_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        if row.state == State.APPLYING:
            operations.resume(tx, row.operation_id)
            return _change(taxonomy_changes.read(tx, row.id))
        _need(row, State.PROPOSED)
        if taxonomies.in_use(tx.connection)[row.scheme] != row.from_version:
            raise Refusal(
                reason_pb2.REASON_WRONG_STATE, metadata={"state": "OVERTAKEN", "needed": "PROPOSED"}
            )
        taxonomy_changes.take_in_use(tx, row.scheme, row.to_version, use=True)
        values = {"state": int(State.APPLYING), "applied_by": tx.principal.subject, "apply_time": tx.now}
        taxonomy_changes.set_values(tx, row.id, **values)
        return self._start(tx, row.id, taxonomy_changing.APPLY, taxonomy_changes.count_courses(tx))

    @mutation
    def UndoTaxonomyChange(self, tx: Transaction, request: pb.UndoTaxonomyChangeRequest) -> pb.TaxonomyChange:
        row = taxonomy_changes.read(tx, last(request.name), lock=True)
        if row.state == State.UNDOING:
            operations.resume(tx, row.operation_id)
            return _change(taxonomy_changes.read(tx, row.id))
        _need(row, State.APPLIED)
        if taxonomies.in_use(tx.connection)[row.scheme] != row.to_version:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "OVERTAKEN", "needed": "APPLIED"})
        taxonomy_changes.take_in_use(tx, row.scheme, row.to_version, use=False)
        taxonomy_changes.set_values(tx, row.id, state=int(State.UNDOING))
        return self._start(tx, row.id, taxonomy_changing.UNDO, taxonomy_changes.count_kept(tx, row.id))

    def _start(self, tx: Transaction, change: str, kind: str, total: int) -> pb.TaxonomyChange:
        operation = operations.add(tx, kind, {"change": change}, total)
        taxonomy_changes.set_values(tx, change, operation_id=operation.id)
        return _change(taxonomy_changes.read(tx, change))


def _version(tx: Transaction, name: str) -> tuple[str, str]:
    scheme, version = part(name, 1), part(name, 3)
    if taxonomies.find_version(tx.connection, scheme, version) is None:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no version {version} of {scheme}.")
    return scheme, version


def _need(row: Any, needed: State) -> None:
    if row.state != needed:
        metadata = {"state": State(row.state).name, "needed": needed.name}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=metadata)


def _change(row: Any) -> pb.TaxonomyChange:
    answer = pb.TaxonomyChange(
        name=f"taxonomyChanges/{row.id}",
        from_version=f"taxonomies/{row.scheme}/versions/{row.from_version}",
        to_version=f"taxonomies/{row.scheme}/versions/{row.to_version}",
        state=row.state,
        counts=row.counts,
        done_count=row.done,
        total_count=row.total,
        reason=row.reason,
    )
    answer.create_time.FromDatetime(row.create_time)
    if row.apply_time is not None:
        answer.apply_time.FromDatetime(row.apply_time)
    return answer


def _item(row: Any) -> pb.TaxonomyChangeItem:
    return pb.TaxonomyChangeItem(
        uri=row.uri,
        kind=row.kind,
        label=row.label,
        targets=row.targets,
        course_count=row.courses,
        correction_count=row.corrections,
        shortage_entry_count=row.shortage_entries,
        observation_count=row.observations,
    )


def _link(row: Any) -> pb.ConceptLink:
    source, target = (
        f"taxonomies/{scheme}/versions/{version}/concepts/{concept}"
        for scheme, version, concept in (
            (row.source_scheme, row.source_version, row.source_id),
            (row.target_scheme, row.target_version, row.target_id),
        )
    )
    return pb.ConceptLink(source=source, target=target, strength=row.strength)
