"""The access log: written in the transaction of the access, read by the holder, changed by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import insert
from waymark.portfolio.v1.access_log_pb2 import AccessRecord, ListAccessRecordsRequest

from services.platform.db.ids import new_id
from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.portfolio.domain import names
from services.portfolio.store.collection import Paged, page_of
from services.portfolio.store.tables import access_records


class Look(NamedTuple):
    """What somebody did: all of it names, no content."""

    holder: str
    action: str
    resource: str
    grant: str
    fields: Sequence[str] = ()


def write(
    tx: Transaction, holder: str, *, action: str, resource: str, grant: str, fields: Sequence[str] = ()
) -> None:
    """Writes who (the caller of `tx`) did `action` on `resource` under `grant`; all are names, no content."""
    write_all(tx, [Look(holder, action, resource, grant, fields)])


def write_all(tx: Transaction, looks: Sequence[Look]) -> None:
    """Writes down everything that the caller of `tx` did, in one statement."""
    if not looks:
        return
    caller = {"subject": tx.principal.subject, "organisation": tx.principal.organisation}
    rows = [
        {
            **caller,
            "holder_id": look.holder,
            "id": new_id(),
            "accessed_at": tx.now,
            "action": look.action,
            "resource": look.resource,
            "grant_name": look.grant,
            "fields": list(look.fields),
        }
        for look in looks
    ]
    tx.execute(insert(access_records), rows)


def listed(
    tx: Transaction, signer: PageTokenSigner, holder: str, request: ListAccessRecordsRequest
) -> Paged[AccessRecord]:
    """Returns a page of the records of a holder, newest first."""
    found = page_of(tx, signer, access_records, holder, request)
    records = []
    for row in found.rows:
        record = AccessRecord(
            name=names.child(holder, "accessRecords", row.id),
            subject=row.subject,
            organisation=row.organisation,
            action=row.action,
            resource=row.resource,
            grant=row.grant_name,
            fields=row.fields,
        )
        record.access_time.FromDatetime(row.accessed_at)
        records.append(record)
    return Paged(records, found.next_page_token)
