"""OrganisationChanged: who may take vouchers, until when, and who trains at the same door."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import events_pb2

from services.platform.db.transaction import Transaction
from services.platform.events.cloudevents import EventInfo
from services.vouchers.api.convert import date_of
from services.vouchers.app import VouchersApp
from services.vouchers.domain.accreditation import form
from services.vouchers.store import offers


def _kept(told: events_pb2.AccreditationRef) -> dict[str, Any]:
    until = date_of(told.valid_to, "accreditations.valid_to")
    return form(until, told.isced_f_codes, told.eqf_levels, told.nuts_codes)


def organisation_changed(
    _app: VouchersApp, tx: Transaction, event: events_pb2.OrganisationChanged, _info: EventInfo
) -> None:
    """Keeps the organisation as told; an older version than the one kept changes nothing."""
    until = event.accredited_until if event.HasField("accredited_until") else None
    values = {
        "name": event.organisation,
        "version": event.version,
        "accredited": event.accredited,
        "accredited_until": date_of(until, "accredited_until") if until else None,
        "addresses": list(event.address_digests),
        "accreditations": list(map(_kept, event.accreditations)),
    }
    offers.put_organisation(tx, values)
