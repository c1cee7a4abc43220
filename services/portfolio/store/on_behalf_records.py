"""What counsellors wrote on behalf of holders: written in the transaction of the write, changed by nobody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert
from waymark.portfolio.v1.on_behalf_pb2 import ListOnBehalfRecordsRequest, OnBehalfRecord

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged, page_of
from services.portfolio.store.guidance_tables import on_behalf_records as table


def write(tx: Transaction, holder: str, *, action: str, resource: str, grant: str) -> None:
    """Records that the caller of `tx` did `action` on `resource` for a holder under the mandate `grant`."""
    tx.execute(
        insert(table).values(
            holder_id=holder,
            id=new_id(),
            counsellor=tx.principal.subject,
            organisation=tx.principal.organisation,
            action=action,
            resource=resource,
            mandate_id=names.last(grant),
            created_at=tx.now,
        )
    )


def listed(
    tx: Transaction, signer: PageTokenSigner, holder: str, request: ListOnBehalfRecordsRequest
) -> Paged[OnBehalfRecord]:
    """Returns a page of what was written on behalf of a holder, newest first."""
    found = page_of(tx, signer, table, holder, request)
    return Paged([_shown(row) for row in found.rows], found.next_page_token)


def _shown(row: Row[Any]) -> OnBehalfRecord:
    record = OnBehalfRecord(
        name=names.child(row.holder_id, "onBehalfRecords", row.id),
        counsellor=row.counsellor,
        organisation=row.organisation,
        action=row.action,
        resource=row.resource,
        mandate=names.child(row.holder_id, "mandates", row.mandate_id),
    )
    record.create_time.FromDatetime(row.created_at)
    return record
