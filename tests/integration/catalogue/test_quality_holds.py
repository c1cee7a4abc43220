"""What is held back for its quality: nobody finds or books it, whatever is imported; a second one ends it."""

from __future__ import annotations

import grpc
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import course_pb2, events_pb2, organisation_pb2, search_pb2
from waymark.catalogue.v1 import quality_hold_pb2 as pb

from services.platform.db.transaction import transaction
from tests.integration.catalogue.feeds import feed, row
from tests.integration.catalogue.holds import UNFOUNDED, calls, lift, place, placing
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import Catalogue, day
from tests.support.databases import WAITING, sessions
from tests.support.portfolio import reason_of
from tests.support.servers import token
from tests.support.waiting import eventually


def shown(catalogue: Catalogue) -> set[str]:
    return {hit.titles["en"] for hit in catalogue.search(as_of=day("2030-01-15")).hits}


def told(catalogue: Catalogue, course: str) -> tuple[int, int]:
    """How many sessions others were last told of, and the version of that."""
    last = [each for each in events(catalogue, events_pb2.CourseChanged) if each.course == course][-1]
    return len(last.sessions), last.version


def test_a_course_held_back_is_neither_found_nor_booked(catalogue: Catalogue) -> None:
    harbour = catalogue.organisation("harbour")
    source = catalogue.source(harbour)
    catalogue.feed(source, feed(row("W", "Welding"), row("B", "Baking")))
    courses = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    course = next(each.name for each in courses if each.external_id == "W")
    catalogue.wait_for(lambda: shown(catalogue) == {"Welding", "Baking"})
    request = placing(course)
    with transaction(catalogue.app) as tx:  # as an import that is writing the course
        tx.execute(text("SELECT FROM courses WHERE id = :id FOR UPDATE"), {"id": course.rpartition("/")[2]})
        with pytest.raises(grpc.RpcError):
            calls(catalogue).PlaceQualityHold(request, timeout=0.3)
        eventually(lambda: not sessions(catalogue.app.engine, WAITING))  # the server gives up, too
    hold = place(catalogue, course)  # control: it was the import that it waited for
    assert hold.organisation == harbour
    assert told(catalogue, course)[0] == 0
    catalogue.wait_for(lambda: shown(catalogue) == {"Baking"})
    suggest = search_pb2.SuggestTermsRequest(query="weld")
    assert not catalogue.searches("").SuggestTerms(suggest).suggestions
    assert catalogue.courses("").GetCourse(course_pb2.GetCourseRequest(name=course)).on_hold
    catalogue.feed(source, feed(row("W", "Welding for all"), row("B", "Baking")))
    assert told(catalogue, course)[0] == 0  # a later feed does not undo it
    assert (
        told(catalogue, courses[0].name if courses[0].name != course else courses[1].name)[0] == 1
    )  # control
    assert reason_of(calls(catalogue).PlaceQualityHold, request) == "QUALITY_HOLD_OPEN"
    end = pb.LiftQualityHoldRequest(name=hold.name, outcome=UNFOUNDED)
    assert reason_of(calls(catalogue).LiftQualityHold, end) == "SAME_PERSON"
    with pytest.raises(IntegrityError, match="second_person"), transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE quality_holds SET lifted_by = placed_by, outcome = 1, lift_time = now()"))
    before = told(catalogue, course)[1]
    assert lift(catalogue, hold.name).outcome == UNFOUNDED
    assert told(catalogue, course) == (1, before + 1)
    assert reason_of(lambda name: lift(catalogue, name), hold.name) == "WRONG_STATE"
    catalogue.wait_for(lambda: shown(catalogue) == {"Welding for all", "Baking"})
    assert [each.held for each in events(catalogue, events_pb2.QualityHoldChanged)] == [True, False]


def test_all_courses_of_an_organisation_held_back(catalogue: Catalogue) -> None:
    harbour, other = catalogue.organisation("harbour"), catalogue.organisation("other")
    catalogue.feed(catalogue.source(harbour), feed(row("W", "Welding")))
    catalogue.feed(catalogue.source(other), feed(row("B", "Baking")))
    grant = organisation_pb2.GrantAccreditationRequest(parent=harbour, valid_to=day("2099-12-31"))
    catalogue.organisations().GrantAccreditation(grant)
    catalogue.wait_for(lambda: shown(catalogue) == {"Welding", "Baking"})
    hold = place(catalogue, harbour)
    catalogue.wait_for(lambda: shown(catalogue) == {"Baking"})

    def accredited() -> bool:
        return bool(events(catalogue, events_pb2.OrganisationChanged)[-1].accredited)

    assert not accredited()
    catalogue.organisations().GrantAccreditation(
        organisation_pb2.GrantAccreditationRequest(
            parent=harbour, valid_from=day("2100-01-01"), valid_to=day("2100-12-31")
        )
    )
    assert not accredited()  # what changes meanwhile does not undo it
    listed = pb.ListQualityHoldsRequest(open_only=True)
    own, others = (token("provider", org=org) for org in (harbour, other))
    assert [each.name for each in calls(catalogue, own).ListQualityHolds(listed).quality_holds] == [hold.name]
    assert not calls(catalogue, others).ListQualityHolds(listed).quality_holds
    lift(catalogue, hold.name)
    assert accredited()
    assert not calls(catalogue).ListQualityHolds(listed).quality_holds
    catalogue.wait_for(lambda: shown(catalogue) == {"Welding", "Baking"})
