"""How often search showed whose courses: counted without the database, kept once, added up over processes."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from waymark.catalogue.v1 import exposure_pb2_grpc, search_pb2
from waymark.catalogue.v1.exposure_pb2 import Exposure, ListExposuresRequest

from services.catalogue.search.exposure import Exposures
from services.cli.stack.ports import free_port
from services.platform.errors import Refusal
from services.platform.objects.store import Objects
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.servers import token

AS_OF = day("2030-01-15")
TODAY = datetime.now(UTC).date()


def listed(catalogue: Catalogue, access: str | None = None, **values: Any) -> list[tuple[str, int, int, int]]:
    request = ListExposuresRequest(
        start_date=day(f"{TODAY - timedelta(days=1)}"), end_date=day(f"{TODAY + timedelta(days=1)}"), **values
    )
    answer = catalogue.stub(exposure_pb2_grpc.ExposureServiceStub, access).ListExposures(request)
    return [(e.organisation, e.kind, e.shown_count, e.first_count) for e in answer.exposures]


def kinds_page_by_page(catalogue: Catalogue, organisation: str) -> list[int]:
    stub = catalogue.stub(exposure_pb2_grpc.ExposureServiceStub)
    tomorrow = day(f"{TODAY + timedelta(days=1)}")
    request = ListExposuresRequest(
        start_date=day(f"{TODAY}"), end_date=tomorrow, organisation=organisation, page_size=1
    )
    kinds = []
    while True:
        answer = stub.ListExposures(request)
        kinds += [each.kind for each in answer.exposures]
        if not answer.next_page_token:
            return kinds
        request.page_token = answer.next_page_token


def test_what_was_shown_is_counted_once_and_told_to_whom_it_concerns(catalogue: Catalogue) -> None:
    run = secrets.token_hex(4)
    ours, theirs = (catalogue.organisation(f"{name}-{run}") for name in ("harbour", "quayside"))
    catalogue.feed(catalogue.source(ours), feed(*(row(f"W{n}", f"Welding number {n}") for n in range(5))))
    catalogue.feed(catalogue.source(theirs), feed(row("B", "Baking")))
    catalogue.wait_for(lambda: catalogue.search(as_of=AS_OF).total_size == 6)
    exposures = catalogue.app.exposures
    exposures.write(catalogue.app.objects)

    def counted(organisation: str, access: str | None = None) -> dict[int, tuple[int, int]]:
        found = listed(catalogue, access, organisation=organisation)
        return {kind: (shown, first) for _, kind, shown, first in found}

    before = counted(ours).get(Exposure.KIND_FILTERS, (0, 0))
    page = catalogue.search("welding", as_of=AS_OF, page_size=4)
    catalogue.search("welding", as_of=AS_OF, page_size=4, page_token=page.next_page_token)
    among = search_pb2.SearchCoursesRequest(as_of=AS_OF)
    like = search_pb2.FindSimilarCoursesRequest(name=page.hits[0].course, among=among)
    catalogue.searches("").FindSimilarCourses(like)
    exposures.write(catalogue.app.objects)
    wanted = {Exposure.KIND_WORDS: (5, 3), Exposure.KIND_SIMILAR: (4, 3), Exposure.KIND_FILTERS: before}
    assert counted(ours) == wanted
    # Writing again adds nothing: an object holds all that a process counted. Another process adds its own.
    exposures.add(TODAY, Exposure.KIND_WORDS, [])
    exposures.write(catalogue.app.objects)
    assert counted(ours) == wanted
    other = Exposures()
    other.add(TODAY, Exposure.KIND_WORDS, page.hits[:1])
    other.write(catalogue.app.objects)
    assert counted(ours)[Exposure.KIND_WORDS] == (6, 4)
    # A provider reads of itself alone; strangers nothing; nobody more than a quarter of a year.
    provider = token("provider", org=ours)
    assert counted(ours, provider)[Exposure.KIND_WORDS] == (6, 4)
    assert counted(theirs)
    assert not counted(theirs, provider)
    assert {name for name, *_ in listed(catalogue, provider)} == {ours}
    request = ListExposuresRequest(start_date=day("2026-01-01"), end_date=day("2026-04-04"))
    stub = catalogue.stub(exposure_pb2_grpc.ExposureServiceStub)
    assert reason_of(stub.ListExposures, request) == "INVALID_ARGUMENT"
    assert kinds_page_by_page(catalogue, ours) == sorted(wanted)


def test_what_cannot_be_kept_is_kept_later(catalogue: Catalogue) -> None:
    away = Objects(replace(catalogue.app.settings, s3_endpoint=f"http://127.0.0.1:{free_port()}"))
    exposures, name = Exposures(), f"organisations/late-{secrets.token_hex(4)}"
    exposures.add(TODAY, Exposure.KIND_WORDS, [search_pb2.CourseHit(organisation=name)])
    with pytest.raises(Refusal):
        exposures.write(away)
    assert not listed(catalogue, organisation=name)
    exposures.write(catalogue.app.objects)
    assert listed(catalogue, organisation=name) == [(name, Exposure.KIND_WORDS, 1, 1)]
