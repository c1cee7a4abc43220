"""Sites that are given up: not while sessions there can be booked, and put back where that was a mistake."""

from __future__ import annotations

import pytest
from waymark.catalogue.v1 import course_pb2, events_pb2
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue.api import sites as api
from services.catalogue.store import organisations
from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, in_threads
from tests.support.portfolio import reason_of
from tests.support.servers import token

GENT = {"town": "Gent", "postal_code": "9000"}


def add(catalogue: Catalogue, parent: str, called: str, **place: str) -> str:
    site = pb.Site(display_name=called, street="Dok 1", nuts_code="BE234", **place)
    return str(catalogue.organisations().CreateSite(pb.CreateSiteRequest(parent=parent, site=site)).name)


def listed(catalogue: Catalogue, parent: str, **wanted: bool) -> list[str]:
    request = pb.ListSitesRequest(parent=parent, **wanted)
    return [each.display_name for each in catalogue.organisations("").ListSites(request).sites]


def located(catalogue: Catalogue) -> set[str]:
    with transaction(catalogue.app) as tx:
        return {each.town for each in organisations.located_sites(tx.connection)}


def test_a_site_is_removed_and_put_back(catalogue: Catalogue) -> None:
    own, other = catalogue.organisation("own"), catalogue.organisation("other")
    name = add(catalogue, own, "Dock", **GENT)
    add(catalogue, own, "Mill", town="Aalst")
    digests = events(catalogue, events_pb2.OrganisationChanged)[-1].address_digests
    provider = catalogue.organisations(token("provider", org=own))
    stranger = catalogue.organisations(token("provider", org=other))
    delete, undelete = pb.DeleteSiteRequest(name=name), pb.UndeleteSiteRequest(name=name)
    assert located(catalogue) == {"Gent", "Aalst"}
    for call, request in ((stranger.DeleteSite, delete), (stranger.UndeleteSite, undelete)):
        assert reason_of(call, request) == "NOT_FOUND"
    of_another = pb.DeleteSiteRequest(name=name.replace(own, other))
    assert reason_of(catalogue.organisations().DeleteSite, of_another) == "NOT_FOUND"
    assert reason_of(provider.UndeleteSite, undelete) == "WRONG_STATE"
    provider.DeleteSite(delete)
    assert reason_of(provider.DeleteSite, delete) == "WRONG_STATE"
    assert (listed(catalogue, own), located(catalogue)) == (["Mill"], {"Aalst"})
    assert listed(catalogue, own, show_deleted=True) == ["Dock", "Mill"]
    # Who has left a door is still known by it.
    assert digests
    assert events(catalogue, events_pb2.OrganisationChanged)[-1].address_digests == digests
    assert not provider.UndeleteSite(undelete).HasField("delete_time")
    assert (listed(catalogue, own), located(catalogue)) == (["Dock", "Mill"], {"Gent", "Aalst"})


def test_a_site_stays_while_sessions_there_can_be_booked(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = catalogue.organisation("own")
    source = catalogue.source(own, removal_limit_percent=100)
    names = [add(catalogue, own, called, **GENT) for called in ("Dock", "Hall")]
    catalogue.feed(source, feed(row("C1", "Welding", **GENT)))
    calls = catalogue.organisations()
    calls.DeleteSite(pb.DeleteSiteRequest(name=names[1]))  # there is one more at that place
    last = pb.DeleteSiteRequest(name=names[0])
    assert reason_of(calls.DeleteSite, last) == "SITE_IN_USE"
    served = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest())
    # Control: without the look at sessions it goes, and they keep their address.
    with monkeypatch.context() as patch:
        patch.setattr(api, "check_unused", lambda *_: None)
        calls.DeleteSite(last)
    assert served.courses[0].offerings[0].sessions[0].town == "Gent"
    assert catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()) == served
    calls.UndeleteSite(pb.UndeleteSiteRequest(name=names[0]))
    catalogue.feed(source, feed(row("C1", "Welding", start_date="2020-03-01", **GENT)))
    calls.DeleteSite(last)  # what has begun keeps nothing


def test_many_change_the_sites_of_one_organisation_at_once(catalogue: Catalogue) -> None:
    own = catalogue.organisation("own")
    made = in_threads(6, lambda number: add(catalogue, own, f"S{number}", **GENT))
    assert [each for each in made if not isinstance(each, str)] == []
