"""OrganisationService, the sites of it."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from sqlalchemy import Row
from waymark.catalogue.v1.organisation_pb2 import (
    CreateSiteRequest,
    DeleteSiteRequest,
    ListSitesRequest,
    ListSitesResponse,
    Site,
    UndeleteSiteRequest,
)

from services.catalogue.api.accreditations import announce
from services.catalogue.api.messages import last, part
from services.catalogue.domain.closing import check_open
from services.catalogue.domain.distance import Degrees
from services.catalogue.domain.gazetteer import country_of
from services.catalogue.domain.sites import Place, check_in_use, check_unused
from services.catalogue.gazetteer import lookup
from services.catalogue.store import courses, organisations, places
from services.catalogue.store.tables import sites
from services.platform.app import App
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.rpc.handlers import mutation, query


class SiteApi:
    """Where organisations train."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def CreateSite(self, tx: Transaction, request: CreateSiteRequest) -> Site:
        organisation = _open(tx, last(request.parent))
        given = request.site
        at = _where(tx, given)
        site = organisations.add_site(
            tx,
            organisation,
            display_name=given.display_name,
            street=given.street,
            postal_code=given.postal_code,
            town=given.town,
            nuts_code=given.nuts_code,
            latitude=at and at[0],
            longitude=at and at[1],
            location_derived=at is not None and not given.HasField("location"),
        )
        announce(tx, organisation)
        return _site(organisations.listing_sites(organisation).where(sites.c.id == site), tx)

    @mutation
    def DeleteSite(self, tx: Transaction, request: DeleteSiteRequest) -> Empty:
        organisation, site = _located(tx, request.name, in_use=True)
        others = tx.execute(organisations.listing_sites(organisation).where(sites.c.id != site.id))
        found = courses.offered(tx, organisation)
        documents = ((row.id, {"offerings": row.offerings}) for row in found)
        check_unused(_place_of(site), map(_place_of, others.all()), documents, tx.today)
        organisations.put_site(tx, site.id, deleted=True)
        announce(tx, organisation)
        return Empty()

    @mutation
    def UndeleteSite(self, tx: Transaction, request: UndeleteSiteRequest) -> Site:
        organisation, site = _located(tx, request.name, in_use=False)
        announce(tx, organisation)
        return _site_message(organisations.put_site(tx, site.id, deleted=False))

    @query
    def ListSites(self, tx: Transaction, request: ListSitesRequest) -> ListSitesResponse:
        organisation = organisations.read(tx.connection, last(request.parent)).id
        found = page(
            tx,
            self.app.signer,
            organisations.listing_sites(organisation, deleted=request.show_deleted),
            order_by=[sites.c.id],
            request=request,
            filters={"parent": request.parent, "deleted": request.show_deleted},
        )
        return ListSitesResponse(sites=map(_site_message, found.rows), next_page_token=found.next_page_token)


def _open(tx: Transaction, organisation: str) -> str:
    """Returns the id of an open organisation, locked, for it is told anew; raises Refusal as `_located`."""
    check_open(organisations.read(tx.connection, organisation, lock=True).close_time)
    return organisation


def _located(tx: Transaction, name: str, *, in_use: bool) -> tuple[str, Row[Any]]:
    """Returns the id of an open organisation and its site, both locked; raises Refusal: NOT_FOUND,
    WRONG_STATE."""
    organisation = _open(tx, part(name, 1))
    site = organisations.read_site(tx, organisation, last(name))
    check_in_use(site.delete_time is None, wanted=in_use)
    return organisation, site


def _place_of(site: Row[Any]) -> Place:
    return Place(site.postal_code, site.town)


def _where(tx: Transaction, given: Site) -> Degrees | None:
    """Where a site is, as it is said or by its postcode or town."""
    if given.HasField("location"):
        return given.location.latitude, given.location.longitude
    tables, country = places.in_use(tx.connection), country_of(given.nuts_code)
    told = (given.postal_code, given.town) if country else ()
    found = (lookup.spot(lookup.find(tx.connection, tables, text, country)) for text in told)
    return next(filter(None, found), None)


def _site(statement: Any, tx: Transaction) -> Site:
    return _site_message(tx.execute(statement).one())


def _site_message(row: Any) -> Site:
    answer = Site(
        name=f"organisations/{row.organisation_id}/sites/{row.id}",
        display_name=row.display_name,
        street=row.street,
        postal_code=row.postal_code,
        town=row.town,
        nuts_code=row.nuts_code,
        location_derived=row.location_derived,
    )
    if row.latitude is not None:
        answer.location.latitude, answer.location.longitude = row.latitude, row.longitude
    if row.delete_time is not None:
        answer.delete_time.FromDatetime(row.delete_time)
    return answer
