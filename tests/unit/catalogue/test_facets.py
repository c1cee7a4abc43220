"""Facets count each course once for each of its values, in whichever column it stands."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from typing import Any

from tantivy import Query
from waymark.catalogue.v1.course_pb2 import CourseMode
from waymark.catalogue.v1.search_pb2 import Facet

from services.catalogue.domain import courses
from services.catalogue.search import facets, schema
from services.catalogue.search.filters import Wanted
from services.catalogue.search.market import Shortages
from tests.unit.catalogue.indexed import Indexed

ASKED = (
    Facet.FACET_ISCO_CODE,
    Facet.FACET_MODE,
    Facet.FACET_LANGUAGE,
    Facet.FACET_EQF_LEVEL,
    Facet.FACET_REGION,
)
WANTED = Wanted(date(2030, 1, 1), Shortages(), frozenset(), {})


def made(pick: random.Random) -> dict[str, Any]:
    """A course with none, one or several of everything; regions that lie in each other, or do not."""

    def some(values: list[Any]) -> list[Any]:
        return pick.sample(values, pick.choice((0, 1, 1, 2, 3)))

    regions = some(["BE", "BE2", "BE21", "BE211", "BE100", "NL33"])
    sessions = [{"id": str(number), "external_id": "", "nuts": code} for number, code in enumerate(regions)]
    return {
        "eqf_level": pick.choice((0, 0, 4, 6)),
        "occupations": [
            {
                "uri": f"u{code}",
                "isco": code,
                "label": "",
                "confidence": 1.0,
                "origin": 1,
                "version": "",
            }
            for code in some(["2512", "2513", "7212", "0110"])
        ],
        "offerings": [
            {"mode": mode, "language": language, "sessions": sessions}
            for mode, language in zip(some([1, 2, 3]), some(["en", "fr", ""]), strict=False)
        ],
    }


def counted(state: dict[str, Any]) -> dict[int, set[str]]:
    """The values of a course as one would say them."""
    offerings = state["offerings"]
    nuts = [session["nuts"] for offering in offerings for session in offering["sessions"]]
    return {
        Facet.FACET_ISCO_CODE: {tag["isco"] for tag in state["occupations"]},
        Facet.FACET_MODE: {CourseMode.Name(o["mode"]).removeprefix("COURSE_MODE_") for o in offerings},
        Facet.FACET_LANGUAGE: {offering["language"] for offering in offerings} - {""},
        Facet.FACET_EQF_LEVEL: {str(state["eqf_level"])} - {"0"},
        Facet.FACET_REGION: courses.nuts_prefixes(nuts),
    }


def test_each_course_counts_once_for_each_value() -> None:
    pick = random.Random(5)
    states = [made(pick) for _ in range(300)]
    index = Indexed()
    index.add(*states[:120])
    searcher = index.add(*states[120:])  # two segments, whose counts are added up
    wanted = {facet: Counter(value for state in states for value in counted(state)[facet]) for facet in ASKED}
    answers = facets.count(searcher, Query.all_query(), ASKED, WANTED, len(states))
    assert {each.facet: {v.value: v.count for v in each.values} for each in answers} == wanted
    # Control: courses stand in both columns of each field, so either of them alone would be too little.
    for name in schema.SPLIT:
        for column in schema.columns(name):
            assert [term for term, _ in searcher.terms_with_prefix(column, "") if term], column
