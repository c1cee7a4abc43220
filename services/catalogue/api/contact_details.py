"""ContactDetailsService: a party reads, of another's details, the fields an agreement shares, no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from waymark.catalogue.v1 import contact_details_pb2_grpc
from waymark.catalogue.v1.contact_details_pb2 import (
    ContactDetails,
    GetContactDetailsRequest,
    UpdateContactDetailsRequest,
)

from services.catalogue.api.messages import only_own, part
from services.catalogue.domain.data_sharing import SHAREABLE
from services.catalogue.store import contact_details as store
from services.platform.app import App
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query
from services.platform.rpc.masks import merged


class ContactDetailsApi(contact_details_pb2_grpc.ContactDetailsServiceServicer):
    """How offices are reached."""

    def __init__(self, app: App) -> None:
        self.app = app

    @query
    def GetContactDetails(self, tx: Transaction, request: GetContactDetailsRequest) -> ContactDetails:
        organisation, own = part(request.name, 1), only_own(tx.principal)
        details, version = store.read(tx, organisation)
        fields: Collection[str] = SHAREABLE
        if own and own != organisation:
            fields = store.shared(tx.connection, organisation, own, request.purpose)
        return _message(organisation, only(details, fields), fields, version)

    @mutation
    def UpdateContactDetails(self, tx: Transaction, request: UpdateContactDetailsRequest) -> ContactDetails:
        sent = request.contact_details
        organisation = part(sent.name, 1)
        details, version = store.read(tx, organisation, lock=True)
        check_etag(sent.etag, version)
        current = _message(organisation, details, SHAREABLE, version)
        wanted = merged(current, sent, request.update_mask, "contact_details")
        values = {field: getattr(wanted, field) for field in SHAREABLE if getattr(wanted, field)}
        row = store.write(tx, organisation, values)
        return _message(organisation, row.details, SHAREABLE, row.version)


def only(details: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Returns the details without those that are not among the fields."""
    return {field: value for field, value in details.items() if field in fields}


def _message(
    organisation: str, details: Mapping[str, Any], fields: Collection[str], version: int
) -> ContactDetails:
    return ContactDetails(
        name=f"organisations/{organisation}/contactDetails",
        readable_fields=fields,
        etag=etag_of(version),
        **details,
    )
