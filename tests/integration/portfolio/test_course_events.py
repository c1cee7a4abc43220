"""Events of the catalogue say which steps need another course; in any order and number it ends the same."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime

import pytest
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.catalogue.v1 import events_pb2 as catalogue
from waymark.portfolio.v1 import events_pb2, mandate_pb2, pathway_pb2
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.platform.events.cloudevents import EventInfo
from services.portfolio import jobs
from services.portfolio.service import DEFINITION
from services.portfolio.store import step_courses
from tests.support.portfolio import Caller, Portfolio, pathway, step

Step, Pathway = pathway_pb2.Step, pathway_pb2.Pathway
FINE, WITHDRAWN = Step.COURSE_STANDING_UNSPECIFIED, Step.COURSE_STANDING_WITHDRAWN
NOT_OFFERED = Step.COURSE_STANDING_SESSION_NOT_OFFERED
CANCELLED = Step.COURSE_STANDING_SESSION_CANCELLED
INFO = EventInfo("id", "type", "topic", 0, 0, datetime.now(UTC), "key", "")
MAY = Date(year=2031, month=5, day=2)


@pytest.fixture
def course() -> str:
    return f"courses/{uuid.uuid4()}"


def changed(
    course: str,
    version: int,
    *sessions: str,
    removed: bool = False,
    start: Date | None = None,
    cancelled: str = "",
):
    """`sessions`: each by a letter; `cancelled`: which of them are."""
    refs = [
        catalogue.SessionRef(
            session=f"{course}/sessions/{each}", start_date=start, cancelled=each in cancelled
        )
        for each in sessions
    ]
    return catalogue.CourseChanged(course=course, version=version, removed=removed, sessions=refs)


def spent(kind, person: Caller, course: str, session: str = "a"):
    return kind(
        ref=vouchers.RedemptionRef(
            redemption=f"redemptions/{session}",
            learner=f"learners/{person.subject}",
            course=course,
            session=f"{course}/sessions/{session}",
        )
    )


def tell(portfolio: Portfolio, *messages) -> None:
    for message in messages:
        with transaction(portfolio.app) as tx:
            DEFINITION.reactions[type(message)](portfolio.app, tx, message, INFO)
        jobs.look_at_told_courses(portfolio.app)


def active(portfolio: Portfolio, *courses: str) -> tuple[Caller, Caller, str]:
    """A person, their counsellor and an active pathway with these courses."""
    person = portfolio.person()
    counsellor = portfolio.mandated(person, mandate_pb2.MANDATE_PURPOSE_PATHWAY)
    way = pathway(person)
    for each in courses:
        step(person, way.name, course=each)
    for who in (person, counsellor):
        who.AgreePathway(pathway_pb2.AgreePathwayRequest(name=way.name))
    person.StartPathway(pathway_pb2.StartPathwayRequest(name=way.name))
    return person, counsellor, way.name


def read(person: Caller, name: str) -> Pathway:
    return person.GetPathway(pathway_pb2.GetPathwayRequest(name=name))


def standings(person: Caller, name: str) -> list[tuple[int, int]]:
    return [(found.state, found.course_standing) for found in read(person, name).steps]


def alerts(portfolio: Portfolio, name: str) -> list[list[str]]:
    """The steps in each alert that was told of a pathway."""
    statement = text("SELECT payload FROM outbox WHERE type LIKE '%.PathwayStalled' ORDER BY seq")
    with transaction(portfolio.app) as tx:
        told = [events_pb2.PathwayStalled.FromString(each) for each in tx.execute(statement).scalars()]
    return [list(each.steps) for each in told if each.pathway == name]


def stalled(counsellor: Caller) -> dict[str, list[str]]:
    found = counsellor.ListStalledPathways(pathway_pb2.ListStalledPathwaysRequest(page_size=500))
    return {each.pathway: list(each.steps) for each in found.stalled_pathways}


def test_a_withdrawn_course_marks_the_step_and_alerts_once(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course, "courses/other")
    tell(portfolio, changed(course, 1, "a"))
    assert standings(person, name) == [(Step.STATE_PLANNED, FINE)] * 2
    gone = changed(course, 2, removed=True)
    tell(portfolio, gone, gone)
    assert standings(person, name) == [(Step.STATE_PLANNED, WITHDRAWN), (Step.STATE_PLANNED, FINE)]
    needy = [read(person, name).steps[0].name]
    assert alerts(portfolio, name) == [needy]
    assert stalled(counsellor) == {name: needy}
    assert read(person, name).HasField("stall_time")


def test_another_course_ends_it(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, changed(course, 1, removed=True))
    (needy,) = read(person, name).steps
    needy.course = "courses/other"
    person.UpdateStep(pathway_pb2.UpdateStepRequest(step=needy, update_mask={"paths": ["course"]}))
    assert standings(person, name) == [(Step.STATE_PLANNED, FINE)]
    assert stalled(counsellor) == {}


def test_another_change_does_not_end_it(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course, "courses/other")
    tell(portfolio, changed(course, 1, removed=True))
    needy, other = read(person, name).steps
    other.title = "Renamed"
    person.UpdateStep(pathway_pb2.UpdateStepRequest(step=other, update_mask={"paths": ["title"]}))
    tell(portfolio, spent(vouchers.RedemptionReserved, person, "courses/other"))
    assert stalled(counsellor) == {name: [needy.name]}


def test_one_that_is_started_with_a_withdrawn_course_is_found(portfolio: Portfolio, course: str) -> None:
    tell(portfolio, changed(course, 1, removed=True))
    person, counsellor, name = active(portfolio, course)
    assert stalled(counsellor) == {name: [read(person, name).steps[0].name]}


def test_a_course_that_comes_back_ends_it(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, changed(course, 1, removed=True), changed(course, 2))
    assert standings(person, name) == [(Step.STATE_PLANNED, FINE)]
    assert stalled(counsellor) == {}
    tell(portfolio, changed(course, 1, removed=True))  # told late
    assert (standings(person, name), stalled(counsellor)) == ([(Step.STATE_PLANNED, FINE)], {})
    assert len(alerts(portfolio, name)) == 1


def test_a_course_that_comes_back_moves_nothing_that_stood_still(portfolio: Portfolio, course: str) -> None:
    _, counsellor, name = active(portfolio, course)
    with transaction(portfolio.app) as tx:
        tx.execute(
            text("UPDATE pathways SET updated_at = now() - interval '61 days' WHERE id = :id"),
            {"id": name.split("/")[-1]},
        )
    jobs.notice_stalled_pathways(portfolio.app)
    tell(portfolio, changed(course, 1, removed=True), changed(course, 2))
    assert stalled(counsellor) == {name: []}


def test_a_booked_session_shows_its_day_and_that_it_is_gone(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, changed(course, 1, "a", "b"), spent(vouchers.RedemptionReserved, person, course))
    (booked,) = read(person, name).steps
    assert (booked.session, booked.HasField("session_start_date")) == (f"{course}/sessions/a", False)
    tell(portfolio, changed(course, 2, "a", "b", start=MAY))
    assert read(person, name).steps[0].session_start_date == MAY
    tell(portfolio, changed(course, 3, "b", start=MAY))
    # The money is still reserved: vouchers alone give the step back.
    assert standings(person, name) == [(Step.STATE_BOOKED, NOT_OFFERED)]
    assert list(stalled(counsellor)) == [name]
    tell(portfolio, spent(vouchers.RedemptionReleased, person, course))
    assert standings(person, name) == [(Step.STATE_PLANNED, FINE)]
    assert stalled(counsellor) == {}
    assert read(person, name).steps[0].session == ""


def test_what_runs_or_is_done_needs_no_other_course(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, spent(vouchers.RedemptionStarted, person, course), changed(course, 1, removed=True))
    assert standings(person, name) == [(Step.STATE_RUNNING, FINE)]
    tell(portfolio, spent(vouchers.RedemptionAccepted, person, course), changed(course, 2, removed=True))
    assert standings(person, name) == [(Step.STATE_CONFIRMED, FINE)]
    assert (stalled(counsellor), alerts(portfolio, name)) == ({}, [])


def test_any_order_and_number_ends_the_same(portfolio: Portfolio) -> None:
    for order in itertools.permutations(range(3)):
        course = f"courses/{uuid.uuid4()}"
        person, counsellor, name = active(portfolio, course)
        messages = [
            changed(course, 1, "a", start=MAY),
            changed(course, 2, "b"),
            spent(vouchers.RedemptionReserved, person, course),
        ]
        for index in order:
            tell(portfolio, messages[index], messages[index])
        assert standings(person, name) == [(Step.STATE_BOOKED, NOT_OFFERED)], order
        assert (list(stalled(counsellor)), len(alerts(portfolio, name))) == ([name], 1), order


def test_without_the_version_a_late_event_would_withdraw_it_again(
    portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: it is the version that keeps an older word out."""
    person, _, name = active(portfolio, course)
    put = step_courses.put
    versions = itertools.count(1)
    monkeypatch.setattr(step_courses, "put", lambda tx, of, _, **told: put(tx, of, next(versions), **told))
    tell(portfolio, changed(course, 2), changed(course, 1, removed=True))
    assert standings(person, name) == [(Step.STATE_PLANNED, WITHDRAWN)]


def test_a_step_added_later_is_told_of_too(portfolio: Portfolio, course: str) -> None:
    person = portfolio.person()
    tell(portfolio, changed(course, 1, removed=True))  # nobody's yet
    way = step(person, pathway(person).name, course=course)
    assert way.steps[0].course_standing == WITHDRAWN


def test_nothing_that_was_told_is_sealed_into_the_step(portfolio: Portfolio, course: str) -> None:
    person, _, name = active(portfolio, course)
    tell(portfolio, changed(course, 1, removed=True))
    (needy,) = read(person, name).steps
    needy.title = "Renamed"
    person.UpdateStep(pathway_pb2.UpdateStepRequest(step=needy, update_mask={"paths": ["title"]}))
    tell(portfolio, changed(course, 2, "a"))
    assert standings(person, name) == [(Step.STATE_PLANNED, FINE)]


def test_everybody_with_the_course_and_nobody_else(portfolio: Portfolio, course: str) -> None:
    people = [active(portfolio, course), active(portfolio, course), active(portfolio, "courses/other")]
    tell(portfolio, changed(course, 1, removed=True))
    assert [list(stalled(counsellor)) for _, counsellor, _ in people] == [[people[0][2]], [people[1][2]], []]


def test_an_ended_or_unstarted_pathway_alerts_nobody(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    draft = step(person, pathway(person).name, course=course)
    person.AbandonPathway(pathway_pb2.AbandonPathwayRequest(name=name, reason="over"))
    tell(portfolio, changed(course, 1, removed=True))
    assert (stalled(counsellor), alerts(portfolio, name), alerts(portfolio, draft.name)) == ({}, [], [])
    assert standings(person, draft.name) == [(Step.STATE_PLANNED, WITHDRAWN)]
