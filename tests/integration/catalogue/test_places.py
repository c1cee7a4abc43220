"""Tables of places that a country imports: who is found around a postcode, and where courses get to be."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import course_pb2, organisation_pb2, place_pb2, place_pb2_grpc, search_pb2

from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of

TABLE = b"""postcode,town,latitude,longitude,note
2000,Antwerpen,51.2205,4.4003,centre
2018,Antwerpen,51.2040,4.4130,south
2018,Antwerpen,51.20401,4.41303,the same point
9050,Ledeberg,51.0330,3.7440,
"""
MOVED = TABLE.replace(b"51.0330,3.7440", b"51.0331,3.7441")
AROUND: dict[str, Any] = {"radius_km": 5, "as_of": day("2030-01-15")}


ROWS = (
    row("P", "By postcode", postal_code="9050", nuts_code="BE234"),
    row("T", "By town", town="Antwerpen"),
    row("L", "By itself", town="Antwerpen", latitude="50.8", longitude="4.3"),
    row("O", "Online", town="Antwerpen", mode="online"),
)


def calls(catalogue: Catalogue) -> Any:
    return catalogue.stub(place_pb2_grpc.PlaceServiceStub)


def take_in(catalogue: Catalogue, data: bytes, version: str) -> Any:
    request = place_pb2.ImportPlacesRequest(upload=catalogue.upload(data), country="BE", version=version)
    return calls(catalogue).ImportPlaces(request)


def sessions(catalogue: Catalogue) -> dict[str, Any]:
    found = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    return {course.external_id: course.offerings[0].sessions[0] for course in found}


def titles(catalogue: Catalogue, **values: Any) -> set[str]:
    return {hit.titles["en"] for hit in catalogue.search(**values, **AROUND).hits}


def test_courses_get_to_be_where_their_postcode_or_town_is(catalogue: Catalogue) -> None:
    source = catalogue.source(catalogue.organisation("harbour"))
    catalogue.feed(source, feed(*ROWS))
    found = sessions(catalogue)
    # Without a table a town is known, a postcode is not.
    assert (found["T"].location_derived, found["T"].location.latitude) == (True, 51.2205)
    assert not found["P"].HasField("location")
    assert (found["L"].location_derived, found["L"].location.latitude) == (False, 50.8)
    assert not found["O"].HasField("location")
    assert take_in(catalogue, TABLE, "2026-1").place_count == 8
    assert reason_of(lambda data: take_in(catalogue, data, "2026-1"), TABLE) == "ALREADY_EXISTS"
    assert catalogue.feed(source, feed(*ROWS)).courses_updated == 4  # the same file, read anew
    found = sessions(catalogue)
    assert (found["P"].location_derived, found["P"].location.longitude) == (True, 3.744)
    assert found["P"].postal_code == "9050"
    assert catalogue.feed(source, feed(*ROWS)).courses_unchanged == 4  # control: as long as the table is
    take_in(catalogue, MOVED, "2026-2")  # the newest is in use
    catalogue.feed(source, feed(*ROWS))
    assert sessions(catalogue)["P"].location.longitude == 3.7441
    versions = calls(catalogue).ListPlaceVersions(place_pb2.ListPlaceVersionsRequest()).place_versions
    assert [each.version for each in versions] == ["2026-2", "2026-1"]


def test_sites_get_to_be_where_their_postcode_is(catalogue: Catalogue) -> None:
    catalogue.organisation("harbour")
    take_in(catalogue, MOVED, "2026-2")
    site = organisation_pb2.Site(display_name="Dock", postal_code="9050", town="Gent", nuts_code="BE234")
    add = organisation_pb2.CreateSiteRequest(parent="organisations/harbour", site=site)
    dock = catalogue.organisations().CreateSite(add)
    assert (dock.location_derived, dock.location.latitude) == (True, 51.0331)
    add.site.ClearField("nuts_code")  # control: in whatever country
    assert not catalogue.organisations().CreateSite(add).HasField("location")


def test_a_place_is_searched_around_and_found_by_name_postcode_and_region(catalogue: Catalogue) -> None:
    take_in(catalogue, MOVED, "2026-2")
    catalogue.feed(catalogue.source(catalogue.organisation("harbour")), feed(*ROWS))
    catalogue.wait_for(lambda: titles(catalogue, place="9050") == {"By postcode"})
    assert titles(catalogue, place="9 050", place_country="BE") == {"By postcode"}
    assert titles(catalogue, place="ledeberg") == {"By postcode"}
    assert titles(catalogue, place="BE211") == {"By town"}
    assert titles(catalogue, place="Anvers") == {"By town"}
    for wrong, reason in (
        ({"place": "Lille"}, "PLACE_AMBIGUOUS"),
        ({"place": "Antwerpp"}, "PLACE_UNKNOWN"),
        ({"place": "9050", "place_country": "NL"}, "PLACE_UNKNOWN"),
    ):
        request = search_pb2.SearchCoursesRequest(**wrong, **AROUND)
        assert reason_of(catalogue.searches("").SearchCourses, request) == reason
    find = place_pb2.FindPlacesRequest(query="9050", country="BE")
    (place,) = calls(catalogue).FindPlaces(find).places
    assert (place.name, place.code, place.kind) == ("Ledeberg", "9050", place_pb2.Place.KIND_POSTCODE)
    assert (
        reason_of(calls(catalogue).FindPlaces, place_pb2.FindPlacesRequest(query="Atlantis"))
        == "PLACE_UNKNOWN"
    )
    assert reason_of(lambda data: take_in(catalogue, data, "bad"), b"town\nx\n") == "PLACE_FILE_INVALID"
