"""The page of an occupation: everything in one call, each part with its source, in few round trips."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import event
from waymark.catalogue.v1 import assessment_pb2, assessment_pb2_grpc, occupation_pb2, occupation_pb2_grpc

from services.catalogue.domain.skill_levels import isced_levels, skill_levels
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import DEVELOPER, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused
from tests.support.servers import token

HEAD = b"measure,occupation,region,period,value,unit,status,suppressed\n"
FIGURES = HEAD + (
    b"vacancies,2512,BE21,2025-Q4,80,persons,,\n"
    b"vacancies,2512,BE21,2026-Q1,90,persons,,\n"
    b"vacancies,2512,BE22,2026-Q1,70,persons,,\n"
    b"jobseekers,2512,BE2,2026-Q1,300,persons,,\n"
    b"wage,2512,BE,2025,4100.5,EUR/month,provisional,\n"
    b"travel,2512,BE2,2025,31.5,minutes,,\n"
)
ROWS = b"occupation,region,severity,cause\n251,BE2,4,too_few_people\n"
OTHERS = b"occupation,region,severity,cause\nbaker,BE2,2,\n"


@pytest.fixture
def lmi(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def page(lmi: Catalogue, occupation: str = DEVELOPER, place: str = "BE21") -> occupation_pb2.OccupationPage:
    request = occupation_pb2.GetOccupationPageRequest(occupation=occupation, nuts_code=place)
    stub = lmi.stub(occupation_pb2_grpc.OccupationServiceStub, "")
    answer: occupation_pb2.OccupationPage = stub.GetOccupationPage(request)
    return answer


def assess(lmi: Catalogue, area: str, severity: int) -> None:
    entered, second = (
        lmi.stub(assessment_pb2_grpc.AssessmentServiceStub, token("caseworker", subject=str(uuid.uuid4())))
        for _ in range(2)
    )
    given = assessment_pb2.Assessment(occupation=DEVELOPER, nuts_code=area, severity=severity, cause=1)  # type: ignore[arg-type]
    name = entered.CreateAssessment(assessment_pb2.CreateAssessmentRequest(assessment=given)).name
    second.VerifyAssessment(assessment_pb2.VerifyAssessmentRequest(name=name))


def test_the_whole_page(lmi: Catalogue) -> None:
    lmi.take_in(lmi.observation_source("register"), FIGURES)
    assess(lmi, "BE21", 4)
    assess(lmi, "BE22", 1)
    parent = lmi.shortage_list()
    old = lmi.publish(lmi.draft(parent, ROWS, valid_from=day("2025-01-01")).name)
    new = lmi.publish(lmi.draft(parent, OTHERS, valid_from=day("2026-01-01")).name)
    found = page(lmi)
    assert found.concept.name == "taxonomies/esco-occupations/versions/1.1.1/concepts/dev"
    assert (found.concept.labels["en"], found.concept.description) == (
        "software developer",
        "Writes programs.",
    )
    assert (list(found.required_level.skill_levels), list(found.required_level.isced_levels)) == (
        [4],
        [6, 7, 8],
    )
    assert "ISCO-08" in found.required_level.source
    assert [(o.nuts_code, o.period, o.value) for o in found.observations] == [
        ("BE", "2025", 4100.5),
        ("BE2", "2026-Q1", 300),
        ("BE2", "2025", 31.5),  # to work, in minutes
        ("BE21", "2026-Q1", 90),  # the latest; and none of another region
    ]
    assert [source.publisher for source in found.sources] == ["PES"]
    assert [(r.nuts_code, r.severity, len(r.assessments)) for r in found.roll_ups] == [
        ("BE", 3, 2),
        ("BE2", 3, 2),
        ("BE21", 4, 1),
    ]
    assert [(s.version, s.in_force, s.entry.severity) for s in found.shortages] == [
        (new.name, True, 0),
        (old.name, False, 4),
    ]


def test_the_page_of_a_group_and_of_what_nobody_knows(lmi: Catalogue) -> None:
    found = page(lmi, "25")
    assert found.concept.labels["en"].startswith("Information and communications technology")
    assert not found.observations
    assert not any(each.assessed for each in found.roll_ups)
    request = occupation_pb2.GetOccupationPageRequest(occupation="9999", nuts_code="BE2")
    stub = lmi.stub(occupation_pb2_grpc.OccupationServiceStub, "")
    assert reason_of(stub.GetOccupationPage, request) == "NOT_FOUND"
    nowhere = occupation_pb2.GetOccupationPageRequest(occupation="25", nuts_code="BE999")
    assert fields_refused(stub.GetOccupationPage, nowhere) == ["nuts_code"]


def test_courses_are_counted_once_the_index_is_there_and_the_first_here_are_shown(lmi: Catalogue) -> None:
    assert lmi.wait_for(lambda: page(lmi).HasField("course_count"))
    assert (page(lmi).course_count, page(lmi).local_course_count) == (0, 0)
    rows = [
        row(f"C{month}", "Software development", start_date=f"2030-{month:02}-01")
        for month in range(7, 0, -1)
    ]
    elsewhere = row("E", "Software development", nuts_code="BE332")
    lmi.feed(lmi.source(lmi.organisation("harbour")), feed(*rows, elsewhere, row("W", "Welding")))
    lmi.wait_for(lambda: page(lmi).course_count == 8)
    found = page(lmi)
    assert found.local_course_count == 7
    assert [hit.next_session.start_date.month for hit in found.courses] == [1, 2, 3, 4, 5]
    assert not page(lmi, place="NL").courses


def test_the_round_trips_do_not_grow(lmi: Catalogue) -> None:
    def once() -> int:
        seen: list[Any] = []

        def note(*arguments: Any) -> None:
            seen.append(arguments[2])

        event.listen(lmi.app.engine, "before_cursor_execute", note)
        try:
            page(lmi)
        finally:
            event.remove(lmi.app.engine, "before_cursor_execute", note)
        return len(seen)

    def trips() -> int:
        return min(once() for _ in range(10))  # what the index asks now and then for itself is in the others

    assert lmi.wait_for(lambda: page(lmi).HasField("course_count"))
    before = trips()
    lmi.take_in(lmi.observation_source("register"), FIGURES)
    for area in ("BE21", "BE22", "BE23"):
        assess(lmi, area, 4)
    parent = lmi.shortage_list()
    for year in range(2010, 2016):
        lmi.publish(lmi.draft(parent, ROWS, valid_from=day(f"{year}-01-01")).name)
    assert 0 < before <= trips() <= 9  # with BEGIN and COMMIT eleven


@pytest.mark.parametrize(
    ("code", "levels", "isced"),
    [
        ("2512", (4,), [6, 7, 8]),
        ("7212", (2,), [2, 3, 4]),
        ("1411", (3,), [5]),
        ("1120", (3, 4), [5, 6, 7, 8]),
        ("9", (1,), [1]),
        ("0310", (1,), [1]),
        ("", (), []),
    ],
)
def test_skill_levels(code: str, levels: tuple[int, ...], isced: list[int]) -> None:
    assert skill_levels(code) == levels
    assert isced_levels(levels) == isced
