"""However many meanings a search has, each hit is told which of them found it."""

from __future__ import annotations

import pytest
from tantivy import Query
from waymark.catalogue.v1.search_pb2 import SearchCoursesResponse

from services.catalogue.search import reasons, schema
from tests.unit.catalogue.indexed import Indexed

COURSES = 24
ASKED = 60  # more than one search tells apart


def marks(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Asks for 60 words, of which each course has every third; every seventh cannot be asked for."""
    monkeypatch.setattr(reasons, "MOST", most)
    titles = [
        " ".join(f"w{n}" for n in range(1, ASKED + 1) if (place + n) % 3 == 0) for place in range(COURSES)
    ]
    searcher = Indexed().add(*({"titles": {"en": title}} for title in titles))
    found = searcher.search(Query.all_query(), COURSES).hits
    shown = SearchCoursesResponse()
    for _, address in found:
        shown.hits.add(course=f"courses/{searcher.doc(address).get_first('id')}")
    queries = [
        Query.term_query(schema.schema(), schema.TITLE, f"w{n}", "freq") if n % 7 else None
        for n in range(1, ASKED + 1)
    ]
    return reasons._marks(queries, shown.hits, found, searcher)


RIGHT = [
    sum(1 << n - 1 for n in range(1, ASKED + 1) if n % 7 and (place + n) % 3 == 0) for place in range(COURSES)
]


def test_each_hit_is_told_what_found_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks(monkeypatch, reasons.MOST) == RIGHT


def test_a_score_holds_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert marks(monkeypatch, ASKED) != RIGHT  # the control: 60 in one search are too many


def test_no_hits_need_no_reasons() -> None:
    assert reasons._marks([Query.all_query()], SearchCoursesResponse().hits, [], Indexed().add()) == []
