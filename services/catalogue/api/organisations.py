"""OrganisationService, the organisations of it; the rest is in `sites.py` and `accreditations.py`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from waymark.catalogue.v1 import organisation_pb2_grpc
from waymark.catalogue.v1.organisation_pb2 import (
    CloseOrganisationRequest,
    CreateOrganisationRequest,
    GetOrganisationRequest,
    ListOrganisationsRequest,
    ListOrganisationsResponse,
    Organisation,
    ReopenOrganisationRequest,
    UpdateOrganisationRequest,
)
from waymark.errors.v1 import reason_pb2
from waymark.options.v1.options_pb2 import ROLE_CATALOGUE_MANAGER

from services.catalogue import events
from services.catalogue.api.accreditations import AccreditationApi, accreditation_message, announce
from services.catalogue.api.branding import BrandingApi, branding_values, put_branding
from services.catalogue.api.messages import last, mask, optional_day, required
from services.catalogue.api.sites import SiteApi
from services.catalogue.closing import close_organisation, reopen_organisation
from services.catalogue.domain.accreditation import Accreditation, current, standing
from services.catalogue.domain.closing import check_open
from services.catalogue.domain.organisations import check_place
from services.catalogue.store import organisation_tree, organisations
from services.catalogue.store.tables import organisations as table
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mutation, query

CHANGEABLE = ("display_name", "legal_ids", "sector", "parent", "roles", "branding")
# A provider does not say itself whose branch it is, what it may do and of which type it is; access to the API
# goes by the latter two.
OF_THE_CATALOGUE = {"parent", "roles", "sector"}


class OrganisationApi(
    AccreditationApi, BrandingApi, SiteApi, organisation_pb2_grpc.OrganisationServiceServicer
):
    """Partners and providers."""

    @mutation
    def CreateOrganisation(self, tx: Transaction, request: CreateOrganisationRequest) -> Organisation:
        given = request.organisation
        required(given, "organisation", "display_name")
        organisation = request.organisation_id or new_id()
        organisations.add(
            tx,
            organisation,
            display_name=given.display_name,
            legal_ids=dict(given.legal_ids),
            sector=given.sector,
            roles=list(given.roles),
            parent_id=_place(tx, organisation, given.parent),
        )
        row = organisations.read(tx.connection, organisation)
        tx.publish(events.organisation_changed(row.id, row.version, [], tx.today))
        return _message(tx, row, [])

    @query
    def GetOrganisation(self, tx: Transaction, request: GetOrganisationRequest) -> Organisation:
        row = organisations.read(tx.connection, last(request.name))
        return _message(tx, row, organisations.accreditations_of(tx.connection, [row.id])[row.id])

    @query
    def ListOrganisations(
        self, tx: Transaction, request: ListOrganisationsRequest
    ) -> ListOrganisationsResponse:
        if request.all_levels and not request.parent:
            raise invalid("all_levels", "goes with parent")
        wanted = organisations.Wanted(
            accredited_on=tx.today if request.accredited_only else None,
            parent=last(request.parent),
            all_levels=request.all_levels,
            sector=request.sector,
            role=request.role,
            review_before=optional_day(request, "review_due_before"),
            closed=request.include_closed,
        )
        found = page(
            tx,
            self.app.signer,
            organisations.listing(wanted),
            order_by=[table.c.display_name, table.c.id],
            request=request,
            filters=wanted._asdict()
            | {"accredited_on": request.accredited_only, "review_before": str(wanted.review_before)},
        )
        held = organisations.accreditations_of(tx.connection, [row.id for row in found.rows])
        return ListOrganisationsResponse(
            organisations=[_message(tx, row, held[row.id]) for row in found.rows],
            next_page_token=found.next_page_token,
        )

    @mutation
    def UpdateOrganisation(self, tx: Transaction, request: UpdateOrganisationRequest) -> Organisation:
        given = request.organisation
        fields = mask(request.update_mask, CHANGEABLE)
        if "display_name" in fields:
            required(given, "organisation", "display_name")
        if "parent" in fields:
            organisation_tree.lock(tx)
        row = organisations.read(tx.connection, last(given.name), lock=True)
        held = organisations.accreditations_of(tx.connection, [row.id])[row.id]
        _check_may_change(tx, fields, accredited=bool(held))
        check_etag(given.etag, row.version)
        values: dict[str, Any] = {field: getattr(given, field) for field in fields}
        if "legal_ids" in values:
            values["legal_ids"] = dict(given.legal_ids)
        if "roles" in values:
            values["roles"] = list(given.roles)
        if "parent" in values:
            del values["parent"]
            values["parent_id"] = _place(tx, row.id, given.parent)
        if "branding" in values:
            del values["branding"]
            values |= branding_values(tx, row, given.branding)
        return _message(tx, announce(tx, row.id, **values), held)

    @mutation
    def CloseOrganisation(self, tx: Transaction, request: CloseOrganisationRequest) -> Organisation:
        row = organisations.read(tx.connection, last(request.name), lock=True)
        check_open(row.close_time)
        close_organisation(tx, row.id)
        row = announce(tx, row.id, close_time=tx.now)
        return _message(tx, row, organisations.accreditations_of(tx.connection, [row.id])[row.id])

    @mutation
    def ReopenOrganisation(self, tx: Transaction, request: ReopenOrganisationRequest) -> Organisation:
        row = organisations.read(tx.connection, last(request.name), lock=True)
        reopen_organisation(tx, row, request.reason)
        again = {"reopen_time": tx.now, "reopened_by": tx.principal.subject, "reopen_reason": request.reason}
        row = announce(tx, row.id, close_time=None, **again)
        return _message(tx, row, organisations.accreditations_of(tx.connection, [row.id])[row.id])


def _check_may_change(tx: Transaction, fields: Collection[str], *, accredited: bool) -> None:
    """Raises Refusal(PERMISSION_DENIED) unless the caller may change these fields of an organisation that has
    or had an accreditation, or none: it was granted to who stands in the register by these numbers."""
    kept = OF_THE_CATALOGUE | ({"legal_ids"} if accredited else set())
    if kept & {*fields} and ROLE_CATALOGUE_MANAGER not in tx.principal.roles:
        detail = f"{', '.join(sorted(kept))} are changed by the catalogue's own staff."
        raise Refusal(reason_pb2.REASON_PERMISSION_DENIED, detail)


def _place(tx: Transaction, organisation: str, parent: str) -> str | None:
    """Returns the id of the parent to have, None at the top; the tree stays locked until the commit.

    Raises Refusal NOT_FOUND or ORGANISATION_LOOP.
    """
    if not parent:
        return None
    organisation_tree.lock(tx)
    found = organisations.read_open(tx, last(parent)).id
    height = organisation_tree.height(tx.connection, organisation)
    check_place(organisation, organisation_tree.above(tx.connection, found), height)
    return str(found)


def _message(tx: Transaction, row: Any, held: list[Accreditation]) -> Organisation:
    answer = Organisation(
        name=f"organisations/{row.id}",
        display_name=row.display_name,
        legal_ids=row.legal_ids,
        sector=row.sector,
        parent=f"organisations/{row.parent_id}" if row.parent_id else "",
        roles=row.roles,
        reopen_reason=row.reopen_reason,
        etag=etag_of(row.version),
    )
    put_branding(answer, row)
    today = tx.today
    accreditation = current(held, today)
    answer.accreditations.extend(accreditation_message(row.id, each) for each in standing(held, today))
    if accreditation is not None:
        answer.accreditation.CopyFrom(accreditation_message(row.id, accreditation))
        answer.accredited = accreditation.in_force(today)
    answer.create_time.FromDatetime(row.create_time)
    answer.update_time.FromDatetime(row.update_time)
    if row.close_time is not None:
        answer.close_time.FromDatetime(row.close_time)
    if row.reopen_time is not None:
        answer.reopen_time.FromDatetime(row.reopen_time)
    return answer
