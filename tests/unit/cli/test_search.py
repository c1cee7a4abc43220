"""What `waymark search` asks for, option by option, and what it prints of the counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import typer
from google.protobuf.json_format import ParseDict
from typer.testing import CliRunner
from waymark.catalogue.v1 import course_pb2
from waymark.catalogue.v1 import search_pb2 as pb

from services.cli import call, search, shortage
from services.platform.rpc.interceptors.validation import violations_of

FOUND = {
    "totalSize": "3",
    "asOf": {"year": 2026},
    "facets": [
        {
            "facet": "FACET_REGION",
            "values": [{"value": "BE211", "count": "2"}, {"value": "BE332", "count": "1"}],
        },
        {"facet": "FACET_EQF_LEVEL"},
    ],
}


class Edge:
    """Answers every call with FOUND; keeps what was asked."""

    def rest(self, _verb: str, _path: str, _body: Any = None, **query: Any) -> Any:
        self.asked = query
        return FOUND

    def request(self) -> pb.SearchCoursesRequest:
        """What was asked, as the edge makes a request of it."""
        tree: dict[str, Any] = {}
        for name, value in self.asked.items():
            *above, last = name.split(".")
            inner = tree
            for part in above:
                inner = inner.setdefault(part, {})
            inner[last] = value == "true" if value in ("true", "false") else value
        return ParseDict(tree, pb.SearchCoursesRequest())


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    answering = Edge()

    @contextmanager
    def calling(*_: Any, **__: Any) -> Iterator[Edge]:
        yield answering

    monkeypatch.setattr(call, "calling", calling)
    return answering


def run(*typed: str) -> str:
    app = typer.Typer()
    app.command("search")(search.search)
    app.command("other")(search.suggest)
    done = CliRunner().invoke(app, ["search", *typed], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_each_option_is_a_filter(edge: Edge) -> None:
    run(
        *(
            "welding",
            "iron",
            "--language",
            "en",
            "--provider",
            "organisations/harbour",
            "--mode",
            "on-site",
            "--online",
            "--taught-in",
            "nl",
        ),
        *(
            "--eqf-from",
            "3",
            "--eqf-to",
            "5",
            "--max-price",
            "99.50 SEK",
            "--from",
            "2030-01-02",
            "--to",
            "2030-03-04",
        ),
        *(
            "--shortage",
            "--shortage-region",
            "BE2",
            "--order",
            "start",
            "--count",
            "provider",
            "--count",
            "month",
        ),
    )
    asked = edge.request()
    assert violations_of(asked) == []
    assert (asked.query, list(asked.organisations)) == ("welding iron", ["organisations/harbour"])
    assert asked.language == "en"
    assert list(asked.modes) == [course_pb2.COURSE_MODE_ON_SITE, course_pb2.COURSE_MODE_ONLINE]
    assert (list(asked.instruction_languages), asked.eqf_level_from, asked.eqf_level_to) == (["nl"], 3, 5)
    price = asked.max_price
    assert (price.currency_code, price.units, price.nanos) == ("SEK", 99, 500_000_000)
    assert (asked.start_from.month, asked.start_to.month) == (1, 3)
    assert (asked.shortage, asked.shortage_nuts_code) == (True, "BE2")
    assert asked.order_by == pb.SEARCH_ORDER_NEXT_START
    assert list(asked.facets) == [pb.FACET_ORGANISATION, pb.FACET_START_MONTH]


def test_without_options_nothing_is_filtered_and_counts_are_printed(edge: Edge) -> None:
    printed = run()
    asked = edge.request()
    assert violations_of(asked) == []
    asked.ClearField("page_size")
    assert asked == pb.SearchCoursesRequest(order_by=pb.SEARCH_ORDER_RELEVANCE)
    for words in ("3 in all", "region", "BE211", "eqf"):
        assert words in printed


def test_more_than_a_page_is_read_page_by_page_with_titles_in_the_language_of_the_words(
    monkeypatch: pytest.MonkeyPatch, edge: Edge
) -> None:
    sizes = []

    def rest(_verb: str, _path: str, _body: Any = None, **query: Any) -> Any:
        first, size = int(query.get("page_token") or 0), int(query["page_size"])
        sizes.append(size)
        titles = [{"en": f"Course {n}", "nl": f"Cursus {n}"} for n in range(first, min(first + size, 230))]
        token = str(first + size) if first + size < 230 else ""
        return {"hits": [{"titles": each} for each in titles], "totalSize": "230", "nextPageToken": token}

    monkeypatch.setattr(edge, "rest", rest)
    printed = run("cursus", "--language", "nl", "--limit", "250")
    assert sizes == [100, 100, 50]
    assert [f"Cursus {number}" in printed for number in (0, 229)] == [True, True]
    assert "Course" not in printed.replace("courses", "")
    assert "Course 0" in run("course", "--limit", "120")
    assert sizes[3:] == [100, 20]


def test_who_sees_no_version_of_a_list_is_not_told_to_create_it(
    monkeypatch: pytest.MonkeyPatch, edge: Edge
) -> None:
    monkeypatch.setattr(edge, "rest", lambda *_, **__: {})
    done = CliRunner().invoke(shortage.shortage, ["list", "shortageLists/national"], catch_exceptions=False)
    assert done.output.strip() == "no published version; staff see drafts as well"
    assert "create" in CliRunner().invoke(shortage.shortage, ["list"]).output  # control: of lists it is right
