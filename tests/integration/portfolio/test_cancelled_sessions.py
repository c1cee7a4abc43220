"""When the session booked is cancelled the step is planned again, whoever tells first, twice or late."""

from __future__ import annotations

import itertools
import uuid

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import events_pb2, pathway_pb2
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.portfolio.domain.steps import Stage
from services.portfolio.store import steps
from tests.integration.portfolio.test_course_events import (
    CANCELLED,
    FINE,
    NOT_OFFERED,
    active,
    alerts,
    changed,
    read,
    spent,
    stalled,
    standings,
    tell,
)
from tests.support.portfolio import Portfolio

Step = pathway_pb2.Step
PLANNED, BOOKED = Step.STATE_PLANNED, Step.STATE_BOOKED


@pytest.fixture
def course() -> str:
    return f"courses/{uuid.uuid4()}"


def moves(portfolio: Portfolio, name: str) -> list[tuple[str, str, str]]:
    """From where to where the steps of a pathway were moved, and by what."""
    statement = text("SELECT payload FROM outbox WHERE type LIKE '%.PathwayStepMoved' ORDER BY seq")
    with transaction(portfolio.app) as tx:
        found = [events_pb2.PathwayStepMoved.FromString(each) for each in tx.execute(statement).scalars()]
    return [(each.from_state, each.to_state, each.cause) for each in found if each.pathway == name]


def test_the_catalogue_alone_plans_the_step_again_and_alerts(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, changed(course, 1, "a", "b"), spent(vouchers.RedemptionReserved, person, course))
    assert standings(person, name) == [(BOOKED, FINE)]
    gone = changed(course, 2, "a", "b", cancelled="a")
    tell(portfolio, gone, gone)
    assert standings(person, name) == [(PLANNED, CANCELLED)]
    (needy,) = read(person, name).steps
    assert (needy.session, stalled(counsellor), alerts(portfolio, name)) == (
        "",
        {name: [needy.name]},
        [[needy.name]],
    )
    assert moves(portfolio, name)[1:] == [("BOOKED", "PLANNED", "CourseChanged")]
    tell(portfolio, spent(vouchers.RedemptionReleased, person, course))  # the money follows
    assert (standings(person, name), stalled(counsellor)) == ([(PLANNED, CANCELLED)], {name: [needy.name]})
    assert (len(moves(portfolio, name)), len(alerts(portfolio, name))) == (2, 1)
    tell(portfolio, spent(vouchers.RedemptionReserved, person, course, "b"))
    assert (standings(person, name), stalled(counsellor)) == ([(BOOKED, FINE)], {})
    assert read(person, name).steps[0].session == f"{course}/sessions/b"


def test_any_order_and_number_ends_the_same(portfolio: Portfolio) -> None:
    for order in itertools.permutations(range(4)):
        course = f"courses/{uuid.uuid4()}"
        person, counsellor, name = active(portfolio, course)
        messages = [
            changed(course, 1, "a"),
            spent(vouchers.RedemptionReserved, person, course),
            changed(course, 2, "a", cancelled="a"),
            spent(vouchers.RedemptionReleased, person, course),
        ]
        for index in order:
            tell(portfolio, messages[index], messages[index])
        assert standings(person, name) == [(PLANNED, CANCELLED)], order
        assert (list(stalled(counsellor)), len(alerts(portfolio, name))) == ([name], 1), order


def test_any_order_ends_the_same_when_it_takes_place_after_all(portfolio: Portfolio) -> None:
    for order in itertools.permutations(range(4)):
        course = f"courses/{uuid.uuid4()}"
        person, counsellor, name = active(portfolio, course)
        messages = [
            spent(vouchers.RedemptionReserved, person, course),
            changed(course, 1, "a", cancelled="a"),
            spent(vouchers.RedemptionReleased, person, course),
            changed(course, 2, "a"),
        ]
        for index in order:
            tell(portfolio, messages[index])
        assert (standings(person, name), stalled(counsellor)) == ([(PLANNED, FINE)], {}), order


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (vouchers.RedemptionStarted, Step.STATE_RUNNING),
        (vouchers.RedemptionDelivered, Step.STATE_EVIDENCE_SUBMITTED),
        (vouchers.RedemptionAccepted, Step.STATE_CONFIRMED),
    ],
)
def test_what_has_started_stays(portfolio: Portfolio, course: str, kind, state) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, spent(kind, person, course), changed(course, 1, "a", cancelled="a"))
    assert (standings(person, name), stalled(counsellor)) == ([(state, FINE)], {})
    late = f"courses/{uuid.uuid4()}"
    person, counsellor, name = active(portfolio, late)
    tell(portfolio, spent(vouchers.RedemptionReserved, person, late), changed(late, 1, "a", cancelled="a"))
    tell(portfolio, spent(kind, person, late))  # it had started, which is told late
    assert (standings(person, name), stalled(counsellor)) == ([(state, FINE)], {})


def test_of_two_sessions_booked_the_other_is_enough(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    for session in "ab":
        tell(portfolio, spent(vouchers.RedemptionReserved, person, course, session))
    tell(portfolio, changed(course, 1, "a", "b", cancelled="a"))
    assert (standings(person, name), stalled(counsellor)) == ([(BOOKED, FINE)], {})
    assert read(person, name).steps[0].session == f"{course}/sessions/b"
    tell(portfolio, changed(course, 2, "b", cancelled="b"))
    assert standings(person, name) == [(BOOKED, NOT_OFFERED)]  # a has vanished, which says nothing for sure
    tell(portfolio, changed(course, 3, "a", "b", cancelled="ab"))
    assert standings(person, name) == [(PLANNED, CANCELLED)]


def test_only_whoever_booked_it(portfolio: Portfolio, course: str) -> None:
    people = [active(portfolio, course), active(portfolio, course)]
    tell(portfolio, spent(vouchers.RedemptionReserved, people[0][0], course))
    tell(portfolio, spent(vouchers.RedemptionReserved, people[1][0], course, "b"))
    tell(portfolio, changed(course, 1, "a", "b", "c", cancelled="ac"))
    assert [standings(person, name) for person, _, name in people] == [
        [(PLANNED, CANCELLED)],
        [(BOOKED, FINE)],
    ]


def test_a_verdict_stays(portfolio: Portfolio, course: str) -> None:
    person, counsellor, name = active(portfolio, course)
    tell(portfolio, spent(vouchers.RedemptionReserved, person, course))
    (step,) = read(person, name).steps
    moved = pathway_pb2.MoveStepRequest(name=step.name, state=Step.STATE_WAIVED, reason="has done it")
    counsellor.MoveStep(moved)
    tell(portfolio, changed(course, 1, "a", cancelled="a"))
    assert standings(person, name) == [(Step.STATE_WAIVED, FINE)]
    counsellor.MoveStep(pathway_pb2.MoveStepRequest(name=step.name, state=PLANNED, reason="has not"))
    assert standings(person, name) == [(PLANNED, CANCELLED)]


def test_without_the_rule_the_step_would_stay_booked(
    portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: it is the cancelled session that moves the step."""
    person, _, name = active(portfolio, course)
    tell(portfolio, spent(vouchers.RedemptionReserved, person, course))
    monkeypatch.setattr(steps, "counted", lambda stage, **_: Stage(stage))
    tell(portfolio, changed(course, 1, "a", cancelled="a"))
    assert read(person, name).steps[0].state == BOOKED
