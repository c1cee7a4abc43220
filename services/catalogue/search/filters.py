"""Makes filters of a search request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tantivy import FieldType, Query
from waymark.catalogue.v1.search_pb2 import SearchCoursesRequest

from services.catalogue.api.messages import day, last
from services.catalogue.domain.distance import Degrees, middle
from services.catalogue.domain.labels import normal
from services.catalogue.gazetteer import lookup
from services.catalogue.search.directory import Snapshot
from services.catalogue.search.documents import EPOCH, ITSELF
from services.catalogue.search.market import Market, Shortages, View
from services.catalogue.search.places import Found, Places
from services.catalogue.search.schema import CURRENCIES
from services.catalogue.search.ways import Begin, Fit, in_one
from services.catalogue.search.words import any_in, any_of, between, either
from services.platform.errors import invalid


@dataclass
class Wanted:
    """A request understood: filters, and what reasons and facets need.

    What nearly every course would pass is said by what it leaves out: nothing costs nothing.
    """

    as_of: date
    shortages: Shortages
    eligible: frozenset[str]
    sectors: Mapping[str, int]  # of organisations
    filters: list[Query] = field(default_factory=list)
    excluded: list[Query] = field(default_factory=list)
    start_from: int = 0  # days since 1970-01-01; sessions before it do not count
    start_to: int | None = None
    near: tuple[float, float] | None = None
    fit: Fit = field(default_factory=Fit)  # what one session must be
    book_on: int | None = None  # day after today on which it can be booked, where that is asked
    ways: int = 1  # of one course, at most


def understand(request: SearchCoursesRequest, market: Market, view: View, snapshot: Snapshot) -> Wanted:
    """Reads a request; raises Refusal(INVALID_ARGUMENT)."""
    as_of = day(request.as_of, "as_of") if request.HasField("as_of") else view.today
    if request.shortage_nuts_code:
        market.check_region(as_of, request.shortage_nuts_code)
    shortages = market.shortages(view, as_of, request.shortage_nuts_code)
    wanted = Wanted(as_of, shortages, view.eligible_on(as_of), view.sectors)
    wanted.start_from = as_of.toordinal() - EPOCH
    add = wanted.filters.append
    for name, values in (
        ("organisation", [last(name) for name in request.organisations]),
        ("language", list(request.instruction_languages)),
        ("kind", list(request.kinds)),
        ("mode", list(request.modes)),
        ("target_group", list(request.target_groups)),
        ("territory", list(request.territories)),
    ):
        if values:
            add(any_of(name, values))
    if request.collapse_same:
        add(any_of("stands_for", [ITSELF]))
    if request.occupations:
        add(_occupations(list(request.occupations)))
    if request.nuts_code:
        add(any_of("nuts", [request.nuts_code]))
    wanted.excluded += not_held(view)
    _numbers(request, wanted)
    begin = _dates(request, wanted, view.today)
    within = _near(request, wanted, snapshot.places, market, view)
    wanted.fit = Fit(
        tuple(request.modes),
        tuple(request.instruction_languages),
        request.nuts_code,
        (*wanted.near, request.radius_km) if wanted.near else None,
        within,
        _most_paid(request),
    )
    wanted.ways = snapshot.ways
    if (one := together(wanted, begin)) is not None:
        add(one)
    if request.shortage:
        add(short(shortages))
    if request.sectors:
        add(of_organisations(view.of_sectors(request.sectors)))
    if request.voucher_eligible:
        add(of_organisations(wanted.eligible))
    return wanted


def together(wanted: Wanted, begin: Begin | None) -> Query | None:
    """Returns the filter for courses of which one session is all that is asked; None where that needs no more
    than that each of these things is found."""
    book_on = wanted.book_on
    if wanted.fit.asked + (begin is not None) + (book_on is not None) < 2:
        return None
    return in_one(wanted.fit, begin, book_on, wanted.ways)


def starting_between(wanted: Wanted, first: int, last: int) -> list[Query]:
    """Returns the filters for courses of which a session that is as asked starts from one day to another."""
    started = between("start", FieldType.Integer, first, last)
    one = together(wanted, Begin(first, last, enter=False))
    return [started] if one is None else [started, one]


def not_held(view: View) -> list[Query]:
    """Returns what is held back for its quality, to be left out."""
    return [
        any_of(name, sorted(ids))
        for name, ids in (("id", view.held), ("organisation", view.held_organisations))
        if ids
    ]


def over(today: int) -> Query:
    """Returns the courses that cannot be booked any more, to be left out; `today`: days since 1970-01-01."""
    return between("bookable_until", FieldType.Integer, None, today - 1)


def short(shortages: Shortages) -> Query:
    """Returns the filter for courses with an occupation in shortage."""
    return any_in(("isco", list(shortages.by_isco)), ("uri", list(shortages.by_uri)))


def of_organisations(organisations: frozenset[str]) -> Query:
    """Returns the filter for courses of these organisations."""
    return any_of("organisation", sorted(organisations))


def _occupations(values: list[str]) -> Query:
    codes = [value for value in values if value.isascii() and value.isdecimal()]
    uris = [value for value in values if value not in codes]
    return any_in(("isco", codes), ("uri", uris))


def _numbers(request: SearchCoursesRequest, wanted: Wanted) -> None:
    if request.eqf_level_from or request.eqf_level_to:
        low, high = request.eqf_level_from or 1, request.eqf_level_to or 8
        wanted.filters.append(between("eqf", FieldType.Unsigned, low, high))
    if price := _most_paid(request):
        wanted.filters.append(between(f"price_{price[0]}", FieldType.Unsigned, 0, price[1]))


def _most_paid(request: SearchCoursesRequest) -> tuple[str, int] | None:
    """Returns currency and cents."""
    if not request.HasField("max_price"):
        return None
    price = request.max_price
    if price.currency_code not in CURRENCIES:
        raise invalid("max_price.currency_code", f"must be one of {', '.join(CURRENCIES)}")
    if price.units < 0 or price.nanos < 0 or price.units > 10**9:
        raise invalid("max_price", "must be from 0 to a thousand million")
    return price.currency_code, price.units * 100 + price.nanos // 10_000_000


def _dates(request: SearchCoursesRequest, wanted: Wanted, today: date) -> Begin | None:
    """Returns when a session must begin, None where nothing is asked of that."""
    if request.HasField("start_from"):
        start = day(request.start_from, "start_from").toordinal() - EPOCH
        wanted.start_from = max(wanted.start_from, start)
    if request.HasField("start_to"):
        wanted.start_to = day(request.start_to, "start_to").toordinal() - EPOCH
    first, last = wanted.start_from, wanted.start_to
    asked = request.HasField("start_from") or last is not None
    if asked:
        wanted.filters.append(_starting(first, last))
    if not request.include_not_bookable:
        day_ = wanted.as_of.toordinal() - EPOCH
        wanted.excluded.append(over(day_))
        wanted.book_on = day_ if wanted.as_of > today else None
    return Begin(first, last) if asked else None


def _starting(first: int, last: int | None) -> Query:
    """Returns the filter for courses that one can begin from one day to another: on a day that a session
    starts, or on any day while one can enter at any time."""
    if last is not None and last < first:
        return Query.empty_query()
    open_then = between("enter_until", FieldType.Integer, first, None)
    return either([between("start", FieldType.Integer, first, last), open_then])


def _near(
    request: SearchCoursesRequest, wanted: Wanted, places: Places, market: Market, view: View
) -> Found | None:
    """Returns what lies in the circle asked for, None where none is."""
    if request.place:
        if request.HasField("near"):
            raise invalid("place", "stands instead of near, not beside it")
        latitude, longitude = _centre(request, places, market, view)
    elif request.HasField("near"):
        latitude, longitude = request.near.latitude, request.near.longitude
    elif request.radius_km:
        raise invalid("near", "is needed with radius_km, or place")
    else:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise invalid("near", "must be WGS 84 degrees")
    if not request.radius_km:
        raise invalid("radius_km", "is needed with near or place")
    wanted.near = latitude, longitude
    found = places.within(latitude, longitude, request.radius_km)
    wanted.filters.append(any_in(("cell", found.cells), ("place", found.places)))
    return found


def _centre(request: SearchCoursesRequest, places: Places, market: Market, view: View) -> Degrees:
    """Where a place is: where courses and sites of its name are, else where the tables have it."""
    name, country = request.place, request.place_country
    here = [] if country else [*places.named(name), *view.sites.get(normal(name), ())]
    if here and (found := middle(here)):
        return found
    known = market.places(view, name, country)
    if here:  # far from each other
        raise lookup.ambiguous(known)
    return lookup.where(name, known)
