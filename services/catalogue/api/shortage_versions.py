"""ShortageListService, the versions of it: draft from a file, read; publish, withdraw by a second person."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1.market_change_pb2 import MarketChange
from waymark.catalogue.v1.shortage_list_pb2 import (
    CreateShortageListVersionRequest,
    DeleteShortageListVersionRequest,
    GetShortageListVersionRequest,
    ListShortageEntriesRequest,
    ListShortageEntriesResponse,
    ListShortageFindingsRequest,
    ListShortageFindingsResponse,
    ListShortageListVersionsRequest,
    ListShortageListVersionsResponse,
    PublishShortageListVersionRequest,
    ShortageEntry,
    ShortageListVersion,
    WithdrawShortageListVersionRequest,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue import events, shortage_book
from services.catalogue.api.messages import day, finding, last, part, put_date, sees_drafts
from services.catalogue.api.shortage_signing import sign
from services.catalogue.app import CatalogueApp
from services.catalogue.domain import shortage
from services.catalogue.domain.findings import ERROR
from services.catalogue.imports import shortage_csv
from services.catalogue.store import (
    market_changes,
    shortage_lists,
    shortage_matches,
    shortage_packs,
    taxonomies,
    uploads,
)
from services.catalogue.store.tables import shortage_entries, shortage_findings, shortage_versions
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mark, mutation, query

SEVERITY = 3  # where neither row nor request names one


class ShortageVersionApi:
    """Versions of shortage lists."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mutation
    def CreateShortageListVersion(
        self, tx: Transaction, request: CreateShortageListVersionRequest
    ) -> ShortageListVersion:
        row = shortage_lists.read(tx.connection, last(request.parent), lock=True)
        valid_from = day(request.valid_from, "valid_from")
        valid_to = day(request.valid_to, "valid_to") if request.HasField("valid_to") else None
        shortage.check_days(valid_from, valid_to, tx.today)
        draft = shortage_csv.read(
            self._file(tx, last(request.upload)),
            request.format,
            shortage_csv.Occupations(
                taxonomies.labels_for_matching(tx.connection),
                taxonomies.isco_codes(tx.connection),
                shortage_matches.decided(tx, row.id),
            ),
            request.default_nuts_code or row.nuts_code,
            request.default_severity or SEVERITY,
        )
        number = shortage_lists.add_version(
            tx,
            row.id,
            valid_from=valid_from,
            valid_to=valid_to,
            method=request.method,
            row_count=draft.rows,
            rejected_row_count=draft.rejected,
            entry_count=len(draft.entries),
            error_count=sum(found.severity == ERROR for found in draft.findings),
        )
        shortage_lists.add_rows(tx, row.id, number, draft.entries, draft.findings)
        shortage_matches.add(tx, row.id, number, draft.matches)
        return version_message(shortage_lists.read_version(tx.connection, row.id, number))

    def _file(self, tx: Transaction, upload_id: str) -> bytes:
        upload = uploads.read_ready(tx, upload_id)
        if upload.size_bytes > shortage_csv.MAX_BYTES:
            raise invalid("upload", f"is larger than {shortage_csv.MAX_BYTES >> 20} MiB")
        with self.app.objects.open(uploads.BUCKET, upload.id, sha256=upload.sha256) as stream:
            return b"".join(stream)

    @query
    def GetShortageListVersion(
        self, tx: Transaction, request: GetShortageListVersionRequest
    ) -> ShortageListVersion:
        return version_message(readable(tx, request.name))

    @query
    def ListShortageListVersions(
        self, tx: Transaction, request: ListShortageListVersionsRequest
    ) -> ListShortageListVersionsResponse:
        list_id = shortage_lists.read(tx.connection, last(request.parent)).id
        drafts = sees_drafts(tx.principal)
        found = page(
            tx,
            self.app.signer,
            shortage_lists.listing_versions(list_id, drafts=drafts),
            order_by=[shortage_versions.c.number.desc()],
            request=request,
            filters={"parent": request.parent, "drafts": drafts},
        )
        return ListShortageListVersionsResponse(
            shortage_list_versions=map(version_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def ListShortageEntries(
        self, tx: Transaction, request: ListShortageEntriesRequest
    ) -> ListShortageEntriesResponse:
        version = readable(tx, request.parent)
        found = page(
            tx,
            self.app.signer,
            shortage_lists.listing_entries(version.list_id, version.number),
            order_by=[shortage_entries.c.seq],
            request=request,
            filters={"parent": request.parent},
        )
        entries = [
            entry_message(version.list_id, version.number, shortage_lists.entry_of(row)) for row in found.rows
        ]
        return ListShortageEntriesResponse(shortage_entries=entries, next_page_token=found.next_page_token)

    @query
    def ListShortageFindings(
        self, tx: Transaction, request: ListShortageFindingsRequest
    ) -> ListShortageFindingsResponse:
        version = readable(tx, request.parent)
        found = page(
            tx,
            self.app.signer,
            shortage_lists.listing_findings(version.list_id, version.number),
            order_by=[shortage_findings.c.seq],
            request=request,
            filters={"parent": request.parent},
        )
        return ListShortageFindingsResponse(
            findings=map(finding, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def DeleteShortageListVersion(self, tx: Transaction, request: DeleteShortageListVersionRequest) -> Empty:
        list_id, number = part(request.name, 1), int(part(request.name, 3))
        row = self._draft(tx, list_id, number)
        check_etag(request.etag, row.revision)
        shortage_lists.drop(tx, list_id, number)
        return Empty()

    def _draft(self, tx: Transaction, list_id: str, number: int) -> Any:
        """Returns a draft, locked with its list; raises Refusal NOT_FOUND or WRONG_STATE."""
        return _locked(tx, list_id, number, ShortageListVersion.STATE_DRAFT)

    @mark
    def PublishShortageListVersion(
        self, request: PublishShortageListVersionRequest, call: Any
    ) -> ShortageListVersion:
        """Answers when no process answers from what was published before any more: see `shortage_book`."""
        published = self._publish(request, call)
        time.sleep(shortage_book.FRESH)
        return published

    @mutation
    def _publish(self, tx: Transaction, request: PublishShortageListVersionRequest) -> ShortageListVersion:
        list_id, number = part(request.name, 1), int(part(request.name, 3))
        row = self._draft(tx, list_id, number)
        check_etag(request.etag, row.revision)
        shortage.check_publication(
            entry_count=row.entry_count,
            error_count=row.error_count,
            open_count=shortage_matches.count_open(tx, list_id, number),
            accept_findings=request.accept_findings,
            made_by={row.created_by, *shortage_matches.deciders(tx, list_id, number)},
            publisher=tx.principal.subject,
        )
        published = shortage_lists.published(tx.connection, list_id).get(list_id, [])
        shortage.check_days(row.valid_from, row.valid_to, tx.today)
        shortage.check_order(row.valid_from, published, f"shortageLists/{list_id}")
        shortage_matches.renumber(tx, list_id, number)
        entries = shortage_lists.entries(tx.connection, list_id, number)
        row = shortage_lists.publish(tx, list_id, number, shortage.digest(entries))
        sign(tx, self.app.shortage_key, row, entries)
        shortage_packs.add(tx, list_id, number, entries)
        market_changes.note(tx, MarketChange.KIND_SHORTAGE_LIST_PUBLISHED, request.name)
        tx.publish(events.shortage_published(list_id, row))
        for event in events.shortage_entries(list_id, number, entries):
            tx.publish(event)
        return version_message(row)

    @mark
    def WithdrawShortageListVersion(
        self, request: WithdrawShortageListVersionRequest, call: Any
    ) -> ShortageListVersion:
        """Answers when no process answers from it any more: see `shortage_book`."""
        withdrawn = self._withdraw(request, call)
        time.sleep(shortage_book.FRESH)
        return withdrawn

    @mutation
    def _withdraw(self, tx: Transaction, request: WithdrawShortageListVersionRequest) -> ShortageListVersion:
        list_id, number = part(request.name, 1), int(part(request.name, 3))
        row = _locked(tx, list_id, number, ShortageListVersion.STATE_PUBLISHED)
        check_etag(request.etag, row.revision)
        shortage.check_withdrawal(
            row.valid_from, tx.today, publisher=row.published_by, withdrawer=tx.principal.subject
        )
        row = shortage_lists.withdraw(tx, list_id, number, request.reason)
        market_changes.note(tx, MarketChange.KIND_SHORTAGE_LIST_WITHDRAWN, request.name)
        tx.publish(events.shortage_withdrawn(row))
        return version_message(row)


def _locked(tx: Transaction, list_id: str, number: int, needed: ShortageListVersion.State.ValueType) -> Any:
    """Returns a version, locked with its list, in the state `needed`; raises Refusal NOT_FOUND or
    WRONG_STATE."""
    shortage_lists.read(tx.connection, list_id, lock=True)
    row = shortage_lists.read_version(tx.connection, list_id, number, lock=True)
    if _state(row) != needed:
        states = {"state": _state(row), "needed": needed}
        named = {key: ShortageListVersion.State.Name(each)[6:] for key, each in states.items()}
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata=named)
    return row


def _state(row: Any) -> ShortageListVersion.State.ValueType:
    if row.publish_time is None:
        return ShortageListVersion.STATE_DRAFT
    if row.withdraw_time is None:
        return ShortageListVersion.STATE_PUBLISHED
    return ShortageListVersion.STATE_WITHDRAWN


def readable(tx: Transaction, name: str) -> Any:
    """Returns the version; a draft is NOT_FOUND for those who may not know of it."""
    row = shortage_lists.read_version(tx.connection, part(name, 1), int(part(name, 3)))
    if row.publish_time is None and not sees_drafts(tx.principal):
        raise Refusal(reason_pb2.REASON_NOT_FOUND, "There is no such version.")
    return row


def entry_message(list_id: str, number: int, entry: shortage.Entry) -> ShortageEntry:
    """Returns the message of an entry."""
    return ShortageEntry(
        name=f"shortageLists/{list_id}/versions/{number}/entries/{entry.seq}",
        occupation=events_pb2.OccupationRef(uri=entry.uri, isco_code=entry.isco_code),
        label=entry.label,
        nuts_code=entry.nuts_code,
        severity=entry.severity,
        cause=entry.cause,  # type: ignore[arg-type]  # an enum's number
        line=entry.line,
        evidence=entry.evidence,
    )


def version_message(row: Any) -> ShortageListVersion:
    """Returns the message of a version."""
    answer = ShortageListVersion(
        name=f"shortageLists/{row.list_id}/versions/{row.number}",
        state=_state(row),
        method=row.method,
        entry_count=row.entry_count,
        row_count=row.row_count,
        rejected_row_count=row.rejected_row_count,
        error_count=row.error_count,
        digest=row.digest,
        withdraw_reason=row.withdraw_reason,
        etag=etag_of(row.revision),
    )
    put_date(answer.valid_from, row.valid_from)
    put_date(answer.valid_to, row.valid_to)
    answer.create_time.FromDatetime(row.create_time)
    if row.publish_time is not None:
        answer.publish_time.FromDatetime(row.publish_time)
    if row.withdraw_time is not None:
        answer.withdraw_time.FromDatetime(row.withdraw_time)
    return answer
