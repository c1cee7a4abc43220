"""Organisations, sites, accreditation, uploads, sources: each RPC over the real server."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from importlib import import_module

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.catalogue.v1 import events_pb2, organisation_pb2, source_pb2, upload_pb2

from services.catalogue.api.accreditations import announce_begun
from services.platform.db.transaction import transaction
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.servers import token
from tests.support.uploads import idle_while_compared, put

Organisation = organisation_pb2.Organisation


def test_create_read_list_update(catalogue: Catalogue) -> None:
    calls = catalogue.organisations()
    name = catalogue.organisation("harbour")
    assert name == "organisations/harbour"
    again = organisation_pb2.CreateOrganisationRequest(
        organisation=Organisation(display_name="x"), organisation_id="harbour"
    )
    assert reason_of(calls.CreateOrganisation, again) == "ALREADY_EXISTS"
    nameless = organisation_pb2.CreateOrganisationRequest(organisation=Organisation())
    assert reason_of(calls.CreateOrganisation, nameless) == "INVALID_ARGUMENT"
    read = calls.GetOrganisation(organisation_pb2.GetOrganisationRequest(name=name))
    change = organisation_pb2.UpdateOrganisationRequest(
        organisation=Organisation(name=name, display_name="Harbour", etag=read.etag, legal_ids={"kbo": "1"}),
        update_mask=FieldMask(paths=["display_name", "legal_ids"]),
    )
    updated = calls.UpdateOrganisation(change)
    assert (updated.display_name, dict(updated.legal_ids)) == ("Harbour", {"kbo": "1"})
    assert reason_of(calls.UpdateOrganisation, change) == "ETAG_STALE"
    change.update_mask.paths[:] = ["accredited"]
    assert reason_of(calls.UpdateOrganisation, change) == "INVALID_ARGUMENT"
    missing = organisation_pb2.GetOrganisationRequest(name="organisations/nobody")
    assert reason_of(calls.GetOrganisation, missing) == "NOT_FOUND"


def test_lists_are_paged_and_bound(catalogue: Catalogue) -> None:
    for name in ("ccc", "aaa", "bbb"):
        catalogue.organisation(name)
    calls = catalogue.organisations()
    first = calls.ListOrganisations(organisation_pb2.ListOrganisationsRequest(page_size=2))
    assert [o.display_name for o in first.organisations] == ["AAA", "BBB"]
    rest = organisation_pb2.ListOrganisationsRequest(page_size=2, page_token=first.next_page_token)
    assert [o.display_name for o in calls.ListOrganisations(rest).organisations] == ["CCC"]
    rest.accredited_only = True
    assert reason_of(calls.ListOrganisations, rest) == "PAGE_TOKEN_INVALID"


def test_a_provider_changes_its_own_only(catalogue: Catalogue) -> None:
    own, other = catalogue.organisation("own"), catalogue.organisation("other")
    provider = catalogue.organisations(token("provider", org=own))
    site = organisation_pb2.Site(display_name="Dock 3", town="Antwerpen", nuts_code="BE211")
    site.location.latitude, site.location.longitude = 51.2, 4.4
    made = provider.CreateSite(organisation_pb2.CreateSiteRequest(parent=own, site=site))
    assert made.name.startswith(f"{own}/sites/")
    refused = organisation_pb2.CreateSiteRequest(parent=other, site=site)
    assert reason_of(provider.CreateSite, refused) == "NOT_FOUND"
    listed = catalogue.organisations("").ListSites(organisation_pb2.ListSitesRequest(parent=own))
    assert [(s.town, s.location.latitude) for s in listed.sites] == [("Antwerpen", 51.2)]


def test_once_accredited_a_provider_stays_who_it_is_in_the_register(catalogue: Catalogue) -> None:
    own = catalogue.organisation("own")
    provider, staff = catalogue.organisations(token("provider", org=own)), catalogue.organisations()

    def change(number: str, path: str = "legal_ids") -> organisation_pb2.UpdateOrganisationRequest:
        given = Organisation(name=own, legal_ids={"kbo": number}, display_name=number)
        return organisation_pb2.UpdateOrganisationRequest(
            organisation=given, update_mask=FieldMask(paths=[path])
        )

    provider.UpdateOrganisation(change("1"))
    grant = organisation_pb2.GrantAccreditationRequest(parent=own, valid_to=day("2099-12-31"))
    held = staff.GrantAccreditation(grant)
    staff.WithdrawAccreditation(organisation_pb2.WithdrawAccreditationRequest(name=held.name))
    assert reason_of(provider.UpdateOrganisation, change("2")) == "PERMISSION_DENIED"
    assert provider.UpdateOrganisation(change("Own", "display_name")).legal_ids == {"kbo": "1"}
    assert staff.UpdateOrganisation(change("2")).legal_ids == {"kbo": "2"}


def test_accreditation_from_grant_to_withdrawal(catalogue: Catalogue) -> None:
    name = catalogue.organisation("harbour")
    calls = catalogue.organisations()
    grant = organisation_pb2.GrantAccreditationRequest(parent=name, valid_to=day("2099-12-31"), scheme="Q")
    held = calls.GrantAccreditation(grant)
    assert reason_of(calls.GrantAccreditation, grant) == "ACCREDITATION_OVERLAPS"
    listed = organisation_pb2.ListOrganisationsRequest(accredited_only=True)
    assert [o.accredited for o in calls.ListOrganisations(listed).organisations] == [True]
    end = organisation_pb2.WithdrawAccreditationRequest(name=held.name, reason="closed")
    assert calls.WithdrawAccreditation(end).HasField("withdraw_time")
    assert reason_of(calls.WithdrawAccreditation, end) == "WRONG_STATE"
    assert not calls.ListOrganisations(listed).organisations
    told = events(catalogue, events_pb2.OrganisationChanged)
    assert [event.accredited for event in told] == [False, True, False]
    assert [event.version for event in told] == [1, 2, 3]


def test_one_that_begins_later_is_told_when_it_begins(catalogue: Catalogue) -> None:
    name = catalogue.organisation("harbour")
    tomorrow = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011
    catalogue.organisations().GrantAccreditation(
        organisation_pb2.GrantAccreditationRequest(
            parent=name, valid_from=day(tomorrow), valid_to=day("2099-12-31")
        )
    )
    announce_begun(catalogue.app)
    assert [e.accredited for e in events(catalogue, events_pb2.OrganisationChanged)] == [False, False]
    with transaction(catalogue.app) as tx:
        tx.connection.exec_driver_sql("UPDATE accreditations SET valid_from = current_date")
    announce_begun(catalogue.app)
    announce_begun(catalogue.app)
    assert [e.accredited for e in events(catalogue, events_pb2.OrganisationChanged)] == [False, False, True]


def test_who_trains_at_the_same_door_is_told_so_and_not_where(catalogue: Catalogue) -> None:
    written = {
        "harbour": [("Sint-Jansplein 4", "2060"), ("Kade 1", ""), ("", "2000")],
        "quayside": [("SINT JANSPLEIN, 4", " 2060 "), ("Sint Jansplein 4", "2060")],
        "inland": [("Sint-Jansplein 4", "9000")],
    }
    for key, sites in written.items():
        name = catalogue.organisation(key)
        for street, code in sites:
            site = organisation_pb2.Site(display_name="x", street=street, postal_code=code)
            catalogue.organisations().CreateSite(organisation_pb2.CreateSiteRequest(parent=name, site=site))
    last = {event.organisation: event for event in events(catalogue, events_pb2.OrganisationChanged)}
    harbour, quayside, inland = (list(last[f"organisations/{key}"].address_digests) for key in written)
    assert len(harbour) == 1
    assert harbour == quayside == [hashlib.sha256(b"sint jansplein 4 2060").hexdigest()]
    assert set(harbour).isdisjoint(inland)
    assert "jansplein" not in str(last).lower()


def test_accredited_ones_with_sites_are_told_again_after_the_upgrade(catalogue: Catalogue) -> None:
    calls = catalogue.organisations()
    for key in ("harbour", "inland"):
        name = catalogue.organisation(key)
        calls.GrantAccreditation(
            organisation_pb2.GrantAccreditationRequest(parent=name, valid_to=day("2099-12-31"), scheme="Q")
        )
    site = organisation_pb2.Site(display_name="x", street="Kade 1", postal_code="2000")
    calls.CreateSite(organisation_pb2.CreateSiteRequest(parent="organisations/harbour", site=site))
    before = len(events(catalogue, events_pb2.OrganisationChanged))
    again = import_module("services.catalogue.migrations.versions.0019_addresses_told").AGAIN
    with transaction(catalogue.app) as tx:
        tx.connection.exec_driver_sql(again)
    announce_begun(catalogue.app)
    (event,) = events(catalogue, events_pb2.OrganisationChanged)[before:]
    assert (event.organisation, event.accredited, len(event.address_digests)) == (
        "organisations/harbour",
        True,
        1,
    )


def test_sources(catalogue: Catalogue) -> None:
    own, other = catalogue.organisation("own"), catalogue.organisation("other")
    foreign = catalogue.source(other)
    provider = catalogue.sources(token("provider", org=own))
    given = source_pb2.Source(
        organisation=own,
        display_name="Feed",
        format="FEED_FORMAT_CSV_TEMPLATE",
        removal_limit_percent=90,
        precedence=9,
        field_precedence={"offerings": 9},
    )
    made = provider.CreateSource(source_pb2.CreateSourceRequest(source=given))
    assert made.removal_limit_percent == 20  # a partner cannot raise the limit that guards the catalogue
    assert (made.precedence, dict(made.field_precedence)) == (0, {})  # nor come before others
    given.organisation = other
    assert reason_of(provider.CreateSource, source_pb2.CreateSourceRequest(source=given)) == "NOT_FOUND"
    assert [s.name for s in provider.ListSources(source_pb2.ListSourcesRequest()).sources] == [made.name]
    assert reason_of(provider.GetSource, source_pb2.GetSourceRequest(name=foreign)) == "NOT_FOUND"
    change = source_pb2.UpdateSourceRequest(
        source=source_pb2.Source(name=made.name, removal_limit_percent=50, etag=made.etag),
        update_mask=FieldMask(paths=["removal_limit_percent"]),
    )
    assert catalogue.sources().UpdateSource(change).removal_limit_percent == 50
    assert reason_of(catalogue.sources().UpdateSource, change) == "ETAG_STALE"
    empty = source_pb2.CreateSourceRequest(source=source_pb2.Source())
    assert reason_of(catalogue.sources().CreateSource, empty) == "INVALID_ARGUMENT"


def test_uploads_are_checked_and_private(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"a,b\n"
    request = upload_pb2.CreateUploadRequest(
        size_bytes=len(data), content_type="text/csv", sha256=hashlib.sha256(data).hexdigest()
    )
    made = catalogue.uploads().CreateUpload(request)
    end = upload_pb2.FinalizeUploadRequest(name=made.name)
    assert reason_of(catalogue.uploads().FinalizeUpload, end) == "UPLOAD_MISSING"
    assert reason_of(catalogue.uploads(catalogue.second).FinalizeUpload, end) == "NOT_FOUND"
    put(made.upload_url, made.upload_headers, data).raise_for_status()
    idle = idle_while_compared(monkeypatch, catalogue.app.settings.database_url)
    states = {catalogue.uploads().FinalizeUpload(end).state for _ in range(2)}
    assert (states, idle) == ({upload_pb2.Upload.STATE_READY}, [0])
    request.size_bytes = 1 << 40
    assert reason_of(catalogue.uploads().CreateUpload, request) == "INVALID_ARGUMENT"
