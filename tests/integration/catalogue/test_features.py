"""What courses say beyond their sessions, from the feed to search and back out; views and bookings by day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import course_pb2, organisation_pb2, search_pb2
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.catalogue import tally
from services.catalogue.exports import csv_template, schema_org
from services.catalogue.reactions.bookings import count_booking
from services.platform.db.transaction import transaction
from services.platform.events.cloudevents import EventInfo
from tests.integration.catalogue.feeds import feed, row
from tests.support.catalogue import JSON, Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.servers import token

ROWS = [
    row(
        "M",
        "Welding in modules",
        modules="Safety::EQF 2|MIG seams::advanced|Drawings",
        target_groups="Jobseekers over 50|women",
        territories="QPV-59-001",
    ),
    row("W", "A day at the yard", kind="workshop", target_groups="women"),
    row("O", "Online drawing", mode="online"),
]
INFO = EventInfo("id", "type", "topic", 0, 0, datetime.now(UTC), "key", "")


def organisation(catalogue: Catalogue, name: str, sector: Any, parent: str = "") -> str:
    given = organisation_pb2.Organisation(display_name=name, sector=sector, parent=parent)
    request = organisation_pb2.CreateOrganisationRequest(organisation=given, organisation_id=name)
    return str(catalogue.organisations().CreateOrganisation(request).name)


def titles(catalogue: Catalogue, **wanted: Any) -> set[str]:
    found = catalogue.search(as_of=day("2030-01-15"), **wanted)
    return {next(iter(hit.titles.values())).split()[0] for hit in found.hits}


def courses(catalogue: Catalogue, organisation: str) -> dict[str, Any]:
    request = course_pb2.ListCoursesRequest(organisation=organisation)
    return {each.external_id: each for each in catalogue.courses("").ListCourses(request).courses}


def document(catalogue: Catalogue) -> Any:
    with transaction(catalogue.app) as tx:
        return tx.execute(text("SELECT document FROM courses WHERE external_id = 'M'")).scalar_one()


def test_modules_target_groups_and_territories_from_the_feed_to_search_and_back(catalogue: Catalogue) -> None:
    head = organisation(catalogue, "harbour", organisation_pb2.SECTOR_PUBLIC)
    branch = organisation(catalogue, "harbour-north", 0, head)
    third = organisation(catalogue, "quayside", organisation_pb2.SECTOR_THIRD)
    source = catalogue.source(branch)
    catalogue.feed(source, feed(*ROWS))
    other = catalogue.source(third)
    catalogue.feed(other, feed(row("X", "Evening classes")))
    catalogue.wait_for(lambda: len(titles(catalogue)) == 4)

    course = courses(catalogue, branch)["M"]
    assert [(each.title, each.eqf_level, each.level) for each in course.modules] == [
        ("Safety", 2, ""),
        ("MIG seams", 0, "advanced"),
        ("Drawings", 0, ""),
    ]
    assert list(course.target_groups) == ["jobseekers over 50", "women"]
    assert titles(catalogue, query="seams") == {"Welding"}  # by the title of a module
    assert titles(catalogue, kinds=["workshop", "guidance"]) == {"A"}
    assert titles(catalogue, target_groups=["women"]) == {"Welding", "A"}
    assert titles(catalogue, territories=["QPV-59-001"]) == {"Welding"}
    assert titles(catalogue, modes=["COURSE_MODE_ONLINE"]) == {"Online"}
    # A branch that says no sector is of the one above it.
    assert titles(catalogue, sectors=["SECTOR_PUBLIC"]) == {"Welding", "A", "Online"}
    assert titles(catalogue, sectors=["SECTOR_THIRD"]) == {"Evening"}
    facets = [search_pb2.FACET_TARGET_GROUP, search_pb2.FACET_TERRITORY, search_pb2.FACET_SECTOR]
    counted = catalogue.search(as_of=day("2030-01-15"), facets=facets).facets
    assert [[(value.value, value.count) for value in each.values] for each in counted] == [
        [("women", 2), ("jobseekers over 50", 1)],
        [("QPV-59-001", 1)],
        [("PUBLIC", 3), ("THIRD", 1)],
    ]

    stored = document(catalogue)
    catalogue.feed(source, csv_template.header() + csv_template.rows("M", stored), partial=True)
    assert document(catalogue) == stored
    third_source = catalogue.source(third, "SCHEMA_ORG")
    run = catalogue.feed(third_source, schema_org.line("M", stored), JSON)
    assert (run.courses_created, run.warning_count) == (1, 0)
    assert [each.severity for each in catalogue.findings(run.name)] == []
    read = courses(catalogue, third)["M"]
    assert (read.modules, read.target_groups, read.territories) == (
        course.modules,
        course.target_groups,
        course.territories,
    )


def usage(catalogue: Catalogue, parent: str, access: str | None = None) -> Any:
    return catalogue.courses(access).ListCourseUsage(course_pb2.ListCourseUsageRequest(parent=parent))


def test_views_and_bookings_are_counted_and_nobody_who_made_them(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour = catalogue.organisation("harbour")
    catalogue.feed(catalogue.source(harbour), feed(*ROWS))
    name = courses(catalogue, harbour)["M"].name
    reader = catalogue.courses("")
    for _ in range(3):
        reader.GetCourse(course_pb2.GetCourseRequest(name=name))
    with transaction(catalogue.app) as tx:
        for changed in ({}, {"sandbox": True}, {"course": f"courses/{'0' * 8}-0000-0000-0000-{'0' * 12}"}):
            ref = vouchers.RedemptionRef(**{"course": name, "learner": "learners/canary", **changed})
            count_booking(catalogue.app, tx, vouchers.RedemptionReserved(ref=ref), INFO)
    # What cannot be written now is written later.
    with monkeypatch.context() as broken:
        broken.setattr(tally, "transaction", None)
        with pytest.raises(TypeError):
            catalogue.app.views.settle(catalogue.app.engine)
    catalogue.app.views.settle(catalogue.app.engine)
    own = usage(catalogue, harbour, token("provider", org=harbour))
    assert [(each.course, each.views, each.bookings) for each in own.course_usage] == [(name, 3, 1)]
    assert (own.total_views, own.total_bookings) == (3, 1)
    with transaction(catalogue.app) as tx:
        kept = tx.execute(text("SELECT to_jsonb(course_usage)::text FROM course_usage")).scalars().all()
    assert not any("canary" in each for each in kept)
    stranger = catalogue.courses(token("provider", org="organisations/stranger"))
    request = course_pb2.ListCourseUsageRequest(parent=harbour)
    assert reason_of(stranger.ListCourseUsage, request) == "NOT_FOUND"
