"""Exact counts by facet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from heapq import nlargest
from operator import itemgetter
from typing import Any

from tantivy import FieldType, Occur, Query, Searcher
from waymark.catalogue.v1 import search_pb2
from waymark.catalogue.v1.course_pb2 import CourseMode
from waymark.catalogue.v1.organisation_pb2 import Sector
from waymark.catalogue.v1.search_pb2 import FacetCounts

from services.catalogue.domain import courses
from services.catalogue.search import filters
from services.catalogue.search.documents import EPOCH
from services.catalogue.search.filters import Wanted
from services.catalogue.search.schema import SPLIT, columns
from services.catalogue.search.words import between

MOST = 100  # values of one facet in an answer
_BUCKET = itemgetter("key", "doc_count")
# As many as a field can have: then the counts of all segments are added up before any is left out.
ALL = 65_000

FIELDS: dict[int, str] = {
    search_pb2.FACET_ORGANISATION: "organisation",
    search_pb2.FACET_ISCO_CODE: "isco4",
    search_pb2.FACET_MODE: "mode",
    search_pb2.FACET_LANGUAGE: "language",
    search_pb2.FACET_EQF_LEVEL: "eqf",
    search_pb2.FACET_KIND: "kind",
    search_pb2.FACET_REGION: "nuts",
    search_pb2.FACET_START_MONTH: "start_month",
    search_pb2.FACET_TARGET_GROUP: "target_group",
    search_pb2.FACET_TERRITORY: "territory",
    search_pb2.FACET_SECTOR: "organisation",
}


def count(
    searcher: Searcher, query: Query, asked: Sequence[int], wanted: Wanted, total: int
) -> list[FacetCounts]:
    """Returns the counts over all hits of `query`, in the order asked for."""
    if not total:
        return [FacetCounts(facet=facet) for facet in asked]  # type: ignore[arg-type]
    plan = aggregation(asked)
    found: dict[str, Any] = searcher.aggregate(query, plan) if plan else {}
    answers = []
    for facet in asked:
        if facet == search_pb2.FACET_SECTOR:
            buckets = _sectors(found[FIELDS[facet]]["buckets"], wanted)
        elif facet in FIELDS:
            buckets = _of_field(searcher, query, facet, _counted(FIELDS[facet], found), wanted)
        elif facet == search_pb2.FACET_SHORTAGE:
            buckets = _yes_no(searcher, query, filters.short(wanted.shortages), total)
        else:
            buckets = _yes_no(searcher, query, filters.of_organisations(wanted.eligible), total)
        answer = FacetCounts(facet=facet)  # type: ignore[arg-type]
        add = answer.values.add  # makes each in its place; extend would copy
        for value, number in _most(buckets):
            add(value=value, count=number)
        answers.append(answer)
    return answers


def aggregation(asked: Sequence[int]) -> dict[str, Any]:
    """Returns Tantivy's words for the counts of facets, by column."""
    names = (FIELDS[facet] for facet in asked if facet in FIELDS)
    return {
        column: {"terms": {"field": column, "size": ALL, "segment_size": ALL}}
        for name in names
        for column in (columns(name) if name in SPLIT else (name,))
    }


def _counted(name: str, found: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """Returns the values of a field, but for none, with how many courses have them."""
    if name not in SPLIT:
        return [each for each in map(_BUCKET, found[name]["buckets"]) if each[0]]
    one, several = (map(_BUCKET, found[column]["buckets"]) for column in columns(name))
    sums: dict[Any, int] = dict(several)
    for value, number in one:
        for covered in _regions(value) if name == "nuts" else (value,):
            sums[covered] = sums.get(covered, 0) + number
    sums.pop("", None)
    return list(sums.items())


def _sectors(counted: list[dict[str, Any]], wanted: Wanted) -> list[tuple[str, int]]:
    """Adds the counts of organisations up by sector; those of which none is known are left out."""
    sums: Counter[int] = Counter()
    for bucket in counted:
        sums[wanted.sectors.get(bucket["key"], 0)] += bucket["doc_count"]
    return [(_sector(sector), number) for sector, number in sums.items() if sector]


def _of_field(
    searcher: Searcher, query: Query, facet: int, counted: list[tuple[Any, int]], wanted: Wanted
) -> list[tuple[str, int]]:
    """Returns at least the MOST values of a field, in any order."""
    months = facet == search_pb2.FACET_START_MONTH  # of which some are left out afterwards
    if len(counted) > MOST and not months:
        least = nlargest(MOST, map(itemgetter(1), counted))[-1]
        counted = [each for each in counted if each[1] >= least]
    name = NAMES.get(facet)
    buckets = [(name(value), number) for value, number in counted] if name else counted
    return _months(searcher, query, buckets, wanted.as_of) if months else buckets


def _most(buckets: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Returns the MOST buckets, the greatest first, equals by name."""
    buckets.sort()
    buckets.sort(key=itemgetter(1), reverse=True)  # keeps the order of equals
    return buckets[:MOST]


@cache
def _sector(key: int) -> str:
    return Sector.Name(key).removeprefix("SECTOR_")  # type: ignore[arg-type]


@cache
def _regions(code: str) -> tuple[str, ...]:
    return tuple(courses.nuts_prefixes([code]))


@cache
def _mode(key: str) -> str:
    return CourseMode.Name(int(key)).removeprefix("COURSE_MODE_")  # type: ignore[arg-type]


# How the keys of a field are written in an answer, where they are not as they stand.
NAMES: dict[int, Callable[[Any], str]] = {
    search_pb2.FACET_ORGANISATION: lambda key: f"organisations/{key}",
    search_pb2.FACET_MODE: _mode,
    search_pb2.FACET_EQF_LEVEL: lambda key: str(int(key)),
}


def _months(
    searcher: Searcher, query: Query, buckets: list[tuple[str, int]], as_of: date
) -> list[tuple[str, int]]:
    """Drops what is past; of the month under way only the days to come are counted."""
    month = as_of.isoformat()[:7]
    later = [bucket for bucket in buckets if bucket[0] > month]
    first = as_of.toordinal() - EPOCH
    end = (as_of.replace(day=28).toordinal() + 4) - EPOCH
    following = date.fromordinal(end + EPOCH).replace(day=1).toordinal() - EPOCH
    rest = narrowed(query, between("start", FieldType.Integer, first, following - 1))
    number = searcher.search(rest, limit=1, count=True).count  # type: ignore[attr-defined]
    return [*later, (month, number)] if number else later


def _yes_no(searcher: Searcher, query: Query, condition: Query, total: int) -> list[tuple[str, int]]:
    yes = searcher.search(narrowed(query, condition), limit=1, count=True).count  # type: ignore[attr-defined]
    return [(value, number) for value, number in (("true", yes), ("false", total - yes)) if number]


def narrowed(query: Query, condition: Query) -> Query:
    """Returns what matches both."""
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, Query.const_score_query(condition, 0.0))])
