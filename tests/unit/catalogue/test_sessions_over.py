"""A course is found by its sessions that can be booked: until they start, or the last day to enrol."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

from google.type.date_pb2 import Date
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from tantivy import Searcher
from waymark.catalogue.v1.search_pb2 import (
    FACET_REGION,
    FACET_START_MONTH,
    SearchCoursesRequest,
    SearchReason,
)

from services.catalogue.search import search
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.documents import outdated
from services.catalogue.search.market import Market, View
from tests.unit.catalogue.indexed import Indexed

TODAY = date(2030, 1, 15)
YESTERDAY = date(2030, 1, 14)
AT_ANTWERP: dict[str, Any] = {"near": LatLng(latitude=51.22, longitude=4.40), "radius_km": 25}
CHEAP = {"max_price": Money(currency_code="EUR", units=100)}


class Quiet(Market):
    """Knows of no organisation and no list."""

    def view(self) -> View:
        return View((), TODAY, {}, {}, {})


def session(key: str, place: str = "", **values: Any) -> dict[str, Any]:
    where = {"antwerp": ("BE211", 51.22, 4.40), "liege": ("BE332", 50.63, 5.57)}.get(place)
    located = {"nuts": where[0], "lat": where[1], "lon": where[2]} if where else {}
    return {"id": key, "external_id": key, **located, **values}


def course(*sessions: dict[str, Any]) -> dict[str, Any]:
    return {"titles": {"en": "x"}, "offerings": [{"mode": 0, "language": "", "sessions": list(sessions)}]}


def moved(start: str) -> dict[str, Any]:
    """One session in Antwerp that starts on a day, cheap, and the next in Liège, dear."""
    return course(
        session("a", "antwerp", start=start, currency="EUR", cents=10_000),
        session("l", "liege", start="2030-03-01", currency="EUR", cents=90_000),
    )


def asked(searcher: Searcher, **values: Any) -> Any:
    request = SearchCoursesRequest(**values)
    market = Quiet(cast(Any, SimpleNamespace()))
    return search.search(request, Snapshot.of(searcher), None, market, 0, 20).response


def test_what_is_over_counts_for_no_place_region_or_price() -> None:
    for start, found in ((TODAY, 1), (YESTERDAY, 0)):  # the first is the control
        searcher = Indexed().add(moved(start.isoformat()), today=TODAY)
        asks: list[dict[str, Any]] = [AT_ANTWERP, {"nuts_code": "BE211"}, CHEAP]
        assert [asked(searcher, **each).total_size for each in asks] == [found] * 3
        everywhere = asked(searcher, nuts_code="BE332", facets=[FACET_REGION, FACET_START_MONTH])
        regions, months = ({each.value for each in facet.values} for facet in everywhere.facets)
        assert ("BE211" in regions, "2030-01" in months) == (bool(found), bool(found))
    # Of a course without a session to come all sessions count, for who asks for such courses too.
    gone = Indexed().add(course(session("a", "antwerp", start="2029-05-01")), today=TODAY)
    assert asked(gone, **AT_ANTWERP).total_size == 0
    assert asked(gone, **AT_ANTWERP, include_not_bookable=True).hits[0].distance_km == 0


def test_the_distance_is_that_of_a_session_that_fits() -> None:
    searcher = Indexed().add(moved("2030-02-01"), today=TODAY)
    wide = {**AT_ANTWERP, "radius_km": 200}
    near, far = (
        asked(searcher, **wide, start_from=Date(year=2030, month=month, day=1)).hits[0] for month in (2, 3)
    )
    assert (near.distance_km, round(far.distance_km)) == (0, 105)
    assert [r.evidence for r in far.reasons if r.kind == SearchReason.KIND_NEAR] == [
        f"{far.distance_km:.1f} km"
    ]


def test_documents_are_outdated_on_the_day_after_a_session_could_be_booked() -> None:
    index = Indexed()
    searcher = index.add(
        moved("2030-02-01"),
        course(session("p")),  # never over
        course(session("a", start="2029-05-01")),  # over already
        today=TODAY,
    )

    def found(day: date) -> int:
        return int(searcher.search(outdated(day), 10).count)  # type: ignore[attr-defined]

    assert [found(TODAY), found(date(2030, 2, 1)), found(date(2030, 2, 2))] == [0, 0, 1]
    searcher = index.add(moved("2030-02-01"), today=date(2030, 2, 2))
    assert [found(date(2030, 2, 2)), found(date(2030, 3, 2))] == [1, 2]  # as the other is still there


def test_nobody_books_after_the_last_day_to_enrol() -> None:
    closed = course(session("c", start="2030-06-01", apply_until=YESTERDAY.isoformat()))
    last_day = course(session("o", start="2030-06-01", apply_until=TODAY.isoformat()))
    searcher = Indexed().add(closed, last_day, today=TODAY)
    in_june = {"start_from": Date(year=2030, month=6, day=1)}
    tomorrow = TODAY + timedelta(days=1)
    later = {"as_of": Date(year=tomorrow.year, month=tomorrow.month, day=tomorrow.day)}
    for values, count in (
        ({}, 1),
        (in_june, 1),
        ({"include_not_bookable": True}, 2),
        (later, 0),
        (in_june | later, 0),
    ):
        answer = asked(searcher, **values)
        assert answer.total_size == count, values
        shown = [hit.next_session.name for hit in answer.hits if hit.HasField("next_session")]
        assert shown == ["courses/1/sessions/o"] * bool(count)


def test_who_asks_for_a_start_finds_what_can_be_entered_then() -> None:
    searcher = Indexed().add(
        course(session("always")),
        course(session("until", end="2030-03-31")),
        course(session("dated", start="2030-05-01")),
        course(session("enrolled", apply_until="2030-01-31")),
        today=TODAY,
    )

    def found(**values: str) -> list[str]:
        days = {
            name: Date(**dict(zip(("year", "month", "day"), map(int, iso.split("-")), strict=True)))
            for name, iso in values.items()
        }
        return sorted(hit.next_session.name.rpartition("/")[2] for hit in asked(searcher, **days).hits)

    assert found() == ["always", "dated", "enrolled", "until"]
    assert found(start_from="2030-03-31") == ["always", "dated", "until"]
    assert found(start_from="2030-04-01") == ["always", "dated"]
    assert found(start_from="2030-05-02") == ["always"]
    assert found(start_to="2030-02-28") == ["always", "enrolled", "until"]
    # Nothing begins in a time that is over, or that ends before it begins.
    assert found(start_to="2030-01-14") == found(start_from="2030-05-01", start_to="2030-04-30") == []
