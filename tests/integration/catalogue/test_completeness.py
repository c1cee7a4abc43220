"""Providers see which of their courses tell least, and what to add; nobody else's."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import course_completeness_pb2 as pb
from waymark.catalogue.v1 import course_completeness_pb2_grpc

from tests.integration.catalogue.feeds import derive, feed, row
from tests.support.catalogue import Catalogue
from tests.support.servers import token

TOLD = {"description": "x" * 200, "url": "https://a.example/a", "subjects": "metal", "end_date": "2030-04-01"}


def listed(catalogue: Catalogue, access: str | None = None, **wanted: Any) -> list[tuple[str, int]]:
    stub = catalogue.stub(course_completeness_pb2_grpc.CourseCompletenessServiceStub, access)
    found: list[tuple[str, int]] = []
    request = pb.ListCourseCompletenessRequest(page_size=1, **wanted)
    while True:
        answer = stub.ListCourseCompleteness(request)
        found += [(each.external_id, each.score) for each in answer.course_completeness]
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def test_the_least_complete_first_with_what_to_add_and_each_its_own(catalogue: Catalogue) -> None:
    harbour, market = (catalogue.source(catalogue.organisation(name)) for name in ("harbour", "market"))
    catalogue.feed(harbour, feed(row("A", "Told", **TOLD), row("B", "Short")))
    catalogue.feed(market, feed(row("M", "Other", eqf_level="")))
    derive(catalogue)
    assert listed(catalogue) == [("M", 35), ("B", 45), ("A", 85)]
    provider = token("provider", org="organisations/harbour")
    assert listed(catalogue, provider) == [("B", 45), ("A", 85)]
    assert listed(catalogue, provider, organisation="organisations/market") == []
    assert listed(catalogue, organisation="organisations/market") == [("M", 35)]
    stub = catalogue.stub(course_completeness_pb2_grpc.CourseCompletenessServiceStub, provider)
    first = stub.ListCourseCompleteness(pb.ListCourseCompletenessRequest()).course_completeness[0]
    told = {pb.CourseAspect.Name(lack.aspect)[14:]: lack.points for lack in first.lacks}
    assert told == {"DESCRIPTION": 20, "OCCUPATIONS": 15, "URL": 10, "END": 5, "SUBJECTS": 5}
    assert all(lack.remedy for lack in first.lacks)
    catalogue.feed(harbour, feed(row("B", "Short", **TOLD), row("A", "Told", **TOLD)))
    catalogue.feed(market, feed())  # held: what is there stays
    derive(catalogue)
    assert sorted(listed(catalogue, provider)) == [("A", 85), ("B", 85)]
