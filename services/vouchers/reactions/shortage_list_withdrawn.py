"""ShortageListWithdrawn: a list version never comes in force."""

from __future__ import annotations

from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.api.convert import date_of
from services.vouchers.app import VouchersApp
from services.vouchers.store import offers


def shortage_list_withdrawn(
    _app: VouchersApp, tx: Transaction, event: events_pb2.ShortageListWithdrawn, _info: EventInfo
) -> None:
    """Takes the version out of force, for every day."""
    values = {
        "name": event.version,
        "list": event.shortage_list,
        "valid_from": date_of(event.valid_from, "valid_from"),
        "published_at": event.publish_time.ToDatetime(tzinfo=tx.now.tzinfo),
    }
    offers.put_withdrawn_version(tx, values)
