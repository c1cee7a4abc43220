"""ShortageListPublished: a list version is in force from a day on."""

from __future__ import annotations

from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.api.convert import date_of
from services.vouchers.app import VouchersApp
from services.vouchers.store import offers


def shortage_list_published(
    _app: VouchersApp, tx: Transaction, event: events_pb2.ShortageListPublished, _info: EventInfo
) -> None:
    """Keeps the version; it counts once all its entries have arrived."""
    until = event.valid_to if event.HasField("valid_to") else None
    values = {
        "name": event.version,
        "list": event.shortage_list,
        "valid_from": date_of(event.valid_from, "valid_from"),
        "valid_to": date_of(until, "valid_to") if until else None,
        "entry_count": event.entry_count,
        "digest": event.digest,
        "published_at": event.publish_time.ToDatetime(tzinfo=tx.now.tzinfo),
    }
    offers.put_shortage_version(tx, values)
