"""Which voucher programmes are in force, by which public terms, and how far their money reaches."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict
from waymark.vouchers.v1.events_pb2 import ProgrammeActivated, ProgrammeMoneyChanged

from services.catalogue.api.messages import day, last
from services.catalogue.store import programme_terms
from services.platform.app import App
from services.platform.db.transaction import Transaction
from services.platform.events.consumer import EventInfo


def keep_terms(_app: App, tx: Transaction, event: ProgrammeActivated, _info: EventInfo) -> None:
    """Keeps the terms of a version, other than of the sandbox, in whatever order versions come."""
    if event.sandbox or not event.HasField("terms"):
        return
    effective = day(event.terms.effective_date, "terms.effective_date")
    programme_terms.put(
        tx, last(event.programme), int(last(event.version)), effective, MessageToDict(event.terms)
    )


def keep_money(_app: App, tx: Transaction, event: ProgrammeMoneyChanged, _info: EventInfo) -> None:
    """Keeps what was told last, other than of the sandbox, in whatever order it comes."""
    if not event.sandbox:
        programme_terms.put_money(tx, last(event.programme), event.money_left, event.number)
