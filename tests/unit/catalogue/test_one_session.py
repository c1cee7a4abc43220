"""What a search asks of sessions must be true of one of them, and not of several together."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from google.type.date_pb2 import Date
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from waymark.catalogue.v1.search_pb2 import SEARCH_ORDER_NEXT_START

from services.catalogue.domain.distance import distance
from services.catalogue.search import filters, ways
from tests.unit.catalogue.indexed import Indexed
from tests.unit.catalogue.test_sessions_over import TODAY, asked, session

ONLINE, CLASSROOM = 2, 1
TOWNS = {"antwerp": ("BE211", 51.22, 4.40), "liege": ("BE332", 50.63, 5.57), "here": ("BE211", 50.63, 5.57)}


def day(iso: str) -> Date:
    return Date(**dict(zip(("year", "month", "day"), map(int, iso.split("-")), strict=True)))


def offering(mode: int, language: str, *sessions: dict[str, Any]) -> dict[str, Any]:
    return {"mode": mode, "language": language, "sessions": list(sessions)}


def course(*offerings: dict[str, Any]) -> dict[str, Any]:
    return {"titles": {"en": "x"}, "offerings": list(offerings)}


MARCH = {"start_from": day("2030-03-01"), "start_to": day("2030-03-31")}
IN_ANTWERP: dict[str, Any] = {"near": LatLng(latitude=51.22, longitude=4.40), "radius_km": 25}


def test_no_course_is_found_by_what_only_several_sessions_have_together() -> None:
    apart = course(
        offering(CLASSROOM, "nl", session("a", "antwerp", start="2030-05-01")),
        offering(ONLINE, "fr", session("o", start="2030-03-01")),
    )
    together = course(
        offering(CLASSROOM, "nl", session("b", "antwerp", start="2030-03-04")),
        offering(ONLINE, "fr", session("p", start="2030-02-01")),
    )
    searcher = Indexed().add(apart, together, today=TODAY)
    asks: list[dict[str, Any]] = [{"modes": [CLASSROOM]}, {"instruction_languages": ["nl"]}, IN_ANTWERP]
    for each in [*asks, {"nuts_code": "BE2"}]:
        hit = asked(searcher, **MARCH, **each).hits
        assert [shown.next_session.name for shown in hit] == ["courses/1/sessions/b"], each
        # Control: of each alone there is a session.
        assert asked(searcher, **each).total_size == asked(searcher, **MARCH).total_size == 2, each
    # The session that is shown, and that decides the order, is one that was asked for.
    ordered = asked(searcher, modes=[CLASSROOM], order_by=SEARCH_ORDER_NEXT_START).hits
    assert [hit.next_session.name for hit in ordered] == ["courses/1/sessions/b", "courses/0/sessions/a"]


def test_mode_and_language_are_of_sessions_that_can_be_booked() -> None:
    searcher = Indexed().add(
        course(
            offering(ONLINE, "fr", session("gone", start="2029-03-01")),
            offering(CLASSROOM, "nl", session("next", start="2030-03-01")),
        ),
        course(offering(ONLINE, "fr", session("over", start="2029-03-01"))),
        course(offering(ONLINE, "fr")),
        today=TODAY,
    )
    for values in ({"modes": [ONLINE]}, {"instruction_languages": ["fr"]}):
        assert asked(searcher, **values).total_size == 0
        assert asked(searcher, **values, include_not_bookable=True).total_size == 2
    assert asked(searcher, modes=[CLASSROOM], instruction_languages=["nl"]).total_size == 1


def test_a_later_day_asks_for_one_session_that_can_be_booked_then() -> None:
    searcher = Indexed().add(
        course(
            offering(
                1, "", session("a", "antwerp", start="2030-02-01"), session("l", "liege", start="2030-05-01")
            )
        ),
        course(
            offering(
                1,
                "",
                session("a", "antwerp", start="2030-06-01", apply_until="2030-03-01"),
                session("b", "antwerp", start="2030-09-01"),
            )
        ),
        today=TODAY,
    )
    later = {"as_of": day("2030-04-01")}
    assert asked(searcher, nuts_code="BE211").total_size == 2
    assert asked(searcher, nuts_code="BE211", **later).total_size == 1


def _made(pick: random.Random) -> dict[str, Any]:
    def one(number: int) -> dict[str, Any]:
        start = TODAY + timedelta(days=30 * pick.randint(-1, 4))
        dates: dict[str, Any] = {"start": start.isoformat()}
        if pick.random() < 0.2:
            dates = {"end": start.isoformat()} if pick.random() < 0.5 else {}
        elif pick.random() < 0.3:
            dates["apply_until"] = (start - timedelta(days=31)).isoformat()
        price = {"currency": pick.choice(("EUR", "GBP")), "cents": pick.choice((0, 10_000, 50_000))}
        nuts, lat, lon = TOWNS[pick.choice(list(TOWNS))]
        where = {"nuts": nuts, "lat": lat, "lon": lon} if pick.random() < 0.8 else {}
        return {
            "id": str(number),
            "external_id": "",
            **dates,
            **where,
            **(price if pick.random() < 0.8 else {}),
        }

    return course(
        *(
            offering(
                pick.choice((0, 1, 2)),
                pick.choice(("", "nl", "fr")),
                *map(one, range(pick.choice((1, 1, 2, 4)))),
            )
            for _ in range(pick.choice((1, 2, 3)))
        )
    )


ASKS: list[dict[str, Any]] = [
    {"modes": [1]},
    {"instruction_languages": ["nl"]},
    {"nuts_code": "BE2"},
    IN_ANTWERP,
    {"start_from": day("2030-02-20")},
    {"start_to": day("2030-04-01")},
    {"max_price": Money(currency_code="EUR", units=100)},
    {"as_of": day("2030-02-16")},
]


def _has(state: dict[str, Any], **values: Any) -> bool:
    """Whether one session has all of it: said as a person would, one session after the other."""
    as_of = str(date(*(lambda d: (d.year, d.month, d.day))(values["as_of"])) if "as_of" in values else TODAY)
    first, last = (
        date(value.year, value.month, value.day).isoformat() if (value := values.get(key)) else None
        for key in ("start_from", "start_to")
    )
    for each in state["offerings"]:
        for one in each["sessions"]:
            until = min(one.get("start", one.get("end", "9999")), one.get("apply_until", "9999"))
            begins, low = one.get("start"), max(first or as_of, as_of)
            price = values.get("max_price")
            if (
                until >= as_of
                and (begins or not values.get("dated"))
                and ("modes" not in values or each["mode"] in values["modes"])
                and each["language"] in values.get("instruction_languages", [each["language"]])
                and one.get("nuts", "").startswith(values.get("nuts_code", ""))
                and (
                    "near" not in values
                    or ("lat" in one and distance(51.22, 4.40, one["lat"], one["lon"]) < 25)
                )
                and (not price or (one.get("currency") == "EUR" and one["cents"] <= price.units * 100))
                and (not (first or last) or (low <= begins if begins else until >= low))
                and (not last or (begins <= last if begins else low <= last))
            ):
                return True
    return False


def test_any_filters_together_find_what_one_session_has(monkeypatch: Any) -> None:
    pick = random.Random(182)
    states = [_made(pick) for _ in range(150)]
    index = Indexed()
    searcher = index.add(*states, today=TODAY)
    wrong = 0
    for number in (1, 2, 3):
        for several in combinations(ASKS, number):
            values = {key: value for each in several for key, value in each.items()}
            if "as_of" in values and values.keys() & {"start_from", "start_to"}:
                continue  # of a way it is not told which of its starts can be booked until when
            expected = sum(_has(state, **values) for state in states)
            assert asked(searcher, **values).total_size == expected, values
            with monkeypatch.context() as off:  # the control: what each filter says by itself
                off.setattr(filters, "together", lambda *_: None)
                wrong += asked(searcher, **values).total_size - expected
    assert wrong > 100


@pytest.mark.parametrize(
    "filters", [{}, {"modes": [1], "instruction_languages": ["nl"]}], ids=["all", "some"]
)
def test_the_order_by_start_is_that_of_sessions_as_asked_for(filters: dict[str, Any]) -> None:
    pick = random.Random(28)
    states = [_made(pick) for _ in range(600)]
    searcher = Indexed().add(*states, today=TODAY)

    def first(state: dict[str, Any]) -> str:
        days = {one["start"] for each in state["offerings"] for one in each["sessions"] if "start" in one}
        begun = [
            on
            for on in sorted(days)
            if _has(state, **filters, start_from=day(on), start_to=day(on), dated=True)
        ]
        return next(iter(begun), "")

    starts = sorted(start for state in states if (start := first(state)))
    hits = asked(searcher, order_by=SEARCH_ORDER_NEXT_START, **filters).hits
    shown = [hit.next_session.start_date for hit in hits if hit.next_session.HasField("start_date")]
    assert [date(each.year, each.month, each.day).isoformat() for each in shown] == starts[: len(hits)][:20]
    assert len(shown) > 5


def test_ways_are_as_few_as_what_goes_together() -> None:
    def fact(start: int, nuts: str = "", mode: int = 1, cents: int = -1) -> ways.SessionFacts:
        nowhere = float("nan")
        return ways.SessionFacts(mode, "nl", nuts, nowhere, nowhere, start, start, "EUR", cents)

    weekly = [fact(start, nuts) for start in range(0, 70, 7) for nuts in ("BE211", "BE332")]
    assert len(ways.ways(weekly)) == 1
    assert len(ways.ways([*weekly, fact(3, "BE211")])) == 2
    crowd = [fact(number, f"BE{number}", mode=number % 7, cents=number) for number in range(200)]
    assert len(ways.ways(crowd)) == ways.MOST  # the last of them has whatever is left
