"""ShortageListService, drafts out of officers' assessments, and what differs between versions."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1.shortage_list_pb2 import (
    DraftShortageListVersionRequest,
    ListShortageChangesRequest,
    ListShortageChangesResponse,
    ShortageChange,
    ShortageListVersion,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import day, last
from services.catalogue.api.shortage_versions import readable, version_message
from services.catalogue.app import CatalogueApp
from services.catalogue.domain import shortage, shortage_draft
from services.catalogue.store import assessments, shortage_changes, shortage_lists, taxonomies
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.goals import months_after
from services.platform.rpc.handlers import mutation, query


class ShortageDraftApi:
    """Drafts from assessments, and differences."""

    app: CatalogueApp

    @mutation
    def DraftShortageListVersion(
        self, tx: Transaction, request: DraftShortageListVersionRequest
    ) -> ShortageListVersion:
        row = shortage_lists.read(tx.connection, last(request.parent), lock=True)
        valid_from = day(request.valid_from, "valid_from")
        valid_to = day(request.valid_to, "valid_to") if request.HasField("valid_to") else None
        shortage.check_days(valid_from, valid_to, tx.today)
        minimum = request.minimum_severity or shortage_draft.MINIMUM
        max_age = request.max_age_months or shortage_draft.MAX_AGE
        assessed, too_old = shortage_draft.recent(
            assessments.verified_within(tx.connection, row.nuts_code), months_after(tx.today, -max_age)
        )
        names = taxonomies.names(tx.connection, assessed)
        entries = shortage_draft.draft(assessed, row.nuts_code, minimum, names)
        if not entries:
            raise Refusal(reason_pb2.REASON_SHORTAGE_LIST_EMPTY)
        count = sum(map(len, assessed.values()))
        number = shortage_lists.add_version(
            tx,
            row.id,
            valid_from=valid_from,
            valid_to=valid_to,
            method=shortage_draft.method(row.nuts_code, minimum, count, max_age),
            row_count=len(entries),
            rejected_row_count=0,
            entry_count=len(entries),
            error_count=0,
        )
        shortage_lists.add_rows(tx, row.id, number, entries, too_old)
        return version_message(shortage_lists.read_version(tx.connection, row.id, number))

    @query
    def ListShortageChanges(
        self, tx: Transaction, request: ListShortageChangesRequest
    ) -> ListShortageChangesResponse:
        version = readable(tx, request.parent)
        base = request.base or _before(tx, version)
        name = f"shortageLists/{version.list_id}/versions/{base}" if base else ""
        if request.base:
            readable(tx, name)
        found = page(
            tx,
            self.app.signer,
            shortage_changes.listing(version.list_id, base, version.number),
            order_by=shortage_changes.ORDER,
            request=request,
            filters={"parent": request.parent, "base": base},
        )
        return ListShortageChangesResponse(
            changes=map(_change, found.rows), base=name, next_page_token=found.next_page_token
        )


def _before(tx: Transaction, version: Any) -> int:
    """Number of the version published last before this one comes in force; 0: none."""
    published = shortage_lists.published(tx.connection, version.list_id).get(version.list_id, [])
    earlier = [each for each in published if each.valid_from < version.valid_from]
    found = max(earlier, key=lambda each: each.valid_from, default=None)
    return found.number if found else 0


def _change(row: Any) -> ShortageChange:
    return ShortageChange(
        occupation=events_pb2.OccupationRef(uri=row.uri, isco_code=row.isco_code),
        nuts_code=row.nuts_code,
        severity_before=row.severity_before,
        severity_after=row.severity_after,
        cause_before=row.cause_before,
        cause_after=row.cause_after,
    )
