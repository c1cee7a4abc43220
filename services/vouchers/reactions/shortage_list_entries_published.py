"""ShortageListEntriesPublished: some entries of a version."""

from __future__ import annotations

from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.app import VouchersApp
from services.vouchers.store import offers


def shortage_list_entries_published(
    _app: VouchersApp, tx: Transaction, event: events_pb2.ShortageListEntriesPublished, _info: EventInfo
) -> None:
    """Keeps the entries; published entries never change, so a repeat is nothing."""
    rows = [
        {
            "name": entry.entry,
            "version": event.version,
            "uri": entry.occupation.uri,
            "isco": entry.occupation.isco_code,
            "nuts_code": entry.nuts_code,
            "severity": entry.severity,
        }
        for entry in event.entries
    ]
    offers.put_shortage_entries(tx, rows)
