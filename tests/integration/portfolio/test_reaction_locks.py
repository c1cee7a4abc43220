"""What reactions lock: few pathways at a time, and in one order whoever locks."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from waymark.catalogue.v1.events_pb2 import CourseChanged
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.faults import refusal_of
from services.platform.db.transaction import transaction
from services.platform.events.cloudevents import EventInfo
from services.platform.events.dead_letters import DeadLetters
from services.platform.events.effects import Effects
from services.platform.events.messages import Known
from services.platform.service import Lock
from services.portfolio import jobs
from services.portfolio.reactions import courses, redemptions
from services.portfolio.service import DEFINITION
from services.portfolio.store import stalled, step_courses
from tests.integration.portfolio.test_course_events import INFO, active, alerts, changed
from tests.support.databases import WAITING, sessions
from tests.support.portfolio import Portfolio
from tests.support.waiting import eventually

FEW = 3


@pytest.fixture
def course() -> str:
    return f"courses/{uuid.uuid4()}"


@pytest.fixture(autouse=True)
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "PATHWAYS", FEW)


def told(portfolio: Portfolio, event: CourseChanged) -> None:
    """The reaction alone."""
    with transaction(portfolio.app) as tx:
        courses.follow_course(portfolio.app, tx, event, INFO)


def locked(portfolio: Portfolio) -> int:
    """How many pathways are locked just now."""
    with transaction(portfolio.app) as tx:
        free = text("SELECT count(*) FROM (SELECT FROM pathways FOR UPDATE SKIP LOCKED) AS free")
        every = text("SELECT count(*) FROM pathways")
        return int(tx.execute(every).scalar_one()) - int(tx.execute(free).scalar_one())


def watched(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, before: Callable[[], object]) -> None:
    """Has something done before each call of an attribute."""
    inner = getattr(place, name)

    def call(*given: Any, **named: Any) -> Any:
        before()
        return inner(*given, **named)

    monkeypatch.setattr(place, name, call)


@pytest.mark.parametrize("bounded", [True, False], ids=["bounded", "control"])
def test_a_course_that_many_plan_locks_few_pathways_at_a_time(
    portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch, *, bounded: bool
) -> None:
    ways = [active(portfolio, course)[2] for _ in range(FEW + 2)]
    if not bounded:
        monkeypatch.setattr(courses, "PATHWAYS", 100)
    counts = list[int]()
    watched(monkeypatch, stalled, "notice_courses", lambda: counts.append(locked(portfolio)))
    told(portfolio, changed(course, 1, removed=True))
    assert counts == []  # the consumer locks none
    jobs.look_at_told_courses(portfolio.app)
    assert counts == ([FEW, 2] if bounded else [FEW + 2])
    assert [len(alerts(portfolio, way)) for way in ways] == [1] * len(ways)


def test_exactly_as_many_as_go_at_once_leave_nothing_to_do(portfolio: Portfolio, course: str) -> None:
    ways = [active(portfolio, course)[2] for _ in range(FEW)]
    told(portfolio, changed(course, 1, removed=True))
    jobs.look_at_told_courses(portfolio.app)
    assert [len(alerts(portfolio, way)) for way in ways] == [1] * FEW
    with transaction(portfolio.app) as tx:
        assert step_courses.unfinished(tx) is None


def failing_at(number: int) -> Callable[[], None]:
    """Fails at the call with this number, from one on, and at no other."""
    calls = iter(range(1, 100))

    def call() -> None:
        if next(calls) == number:
            raise ConnectionError

    return call


@pytest.mark.parametrize("place", [(stalled, "notice_courses"), (step_courses, "looked")])
@pytest.mark.parametrize("part", [1, 2])
def test_who_ends_between_parts_loses_nothing_and_tells_nothing_twice(
    portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], part: int
) -> None:
    ways = [active(portfolio, course)[2] for _ in range(2 * FEW + 1)]
    told(portfolio, changed(course, 1, removed=True))
    watched(monkeypatch, *place, failing_at(part))
    with pytest.raises(ConnectionError):
        jobs.look_at_told_courses(portfolio.app)
    assert sum(len(alerts(portfolio, way)) for way in ways) == FEW * (part - 1)
    jobs.look_at_told_courses(portfolio.app)
    assert [len(alerts(portfolio, way)) for way in ways] == [1] * len(ways)


def test_control_who_does_not_note_how_far_loses_the_rest(
    portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [active(portfolio, course)[2] for _ in range(FEW + 1)]
    told(portfolio, changed(course, 1, removed=True))
    note = step_courses.looked
    monkeypatch.setattr(step_courses, "looked", lambda tx, of, _: note(tx, of, None))
    jobs.look_at_told_courses(portfolio.app)
    assert sum(len(alerts(portfolio, way)) for way in ways) == FEW


def test_a_course_that_comes_back_in_between_is_looked_at_from_the_start(
    portfolio: Portfolio, course: str
) -> None:
    ways = [active(portfolio, course)[2] for _ in range(FEW + 1)]
    told(portfolio, changed(course, 1, removed=True))
    with transaction(portfolio.app) as tx:
        assert courses.look_on(tx)
    told(portfolio, changed(course, 2))
    jobs.look_at_told_courses(portfolio.app)
    assert sum(len(alerts(portfolio, way)) for way in ways) == FEW
    marked = text("SELECT count(*) FROM pathways WHERE stalled_at IS NOT NULL AND id = ANY (:ids)")
    with transaction(portfolio.app) as tx:
        assert tx.execute(marked, {"ids": [way.split("/")[-1] for way in ways]}).scalar_one() == 0


def known(of: Any) -> Known:
    """An event as the consumer hands it to its reaction."""
    info = EventInfo(str(uuid.uuid4()), "type", "topic", 0, 0, datetime.now(UTC), "key", "")
    return Known(None, info, of, DEFINITION.reactions[type(of)])


def reserved(way: str, course: str) -> Known:
    holder = way.split("/")[1]
    ref = vouchers.RedemptionRef(redemption="redemptions/1", learner=f"learners/{holder}", course=course)
    return known(vouchers.RedemptionReserved(ref=ref))


def meeting(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, course: str, lock: Lock | None, other: str
) -> Iterator[str]:
    """Two reservations in one transaction, the one of the later pathway first, meet after that one who locks
    them the other way round; yields why any of the two was ended."""
    low, high = sorted(active(portfolio, course)[2] for _ in range(2))
    effects = Effects(portfolio.app, DeadLetters(portfolio.app.settings, portfolio.app.engine), lock)
    told(portfolio, changed(course, 1, removed=True))
    faults, begun = list[BaseException](), list[None]()

    def consume(*ways: str) -> None:
        with transaction(portfolio.app) as tx:
            effects.react(tx, [reserved(way, course) for way in ways])

    def guarded(call: Callable[..., None], *given: Any) -> None:
        try:
            call(*given)
        except Exception as error:
            faults.append(error)

    second = (consume, low, high) if other == "consumer" else (jobs.look_at_told_courses, portfolio.app)
    thread = threading.Thread(target=guarded, args=second)

    def with_the_first_locked() -> None:
        if not begun:
            begun.append(thread.start())
            eventually(lambda: sessions(portfolio.app.engine, WAITING))

    watched(monkeypatch, redemptions, "follow", with_the_first_locked)
    guarded(consume, high, low)
    thread.join()
    for fault in faults:
        refusal = refusal_of(fault)
        yield refusal.reason_name if refusal else repr(fault)


@pytest.mark.parametrize("other", ["consumer", "job"])
@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "control"])
def test_who_moves_steps_of_many_waits_for_nobody_who_waits_for_it(
    lonely_portfolio: Portfolio, course: str, monkeypatch: pytest.MonkeyPatch, other: str, *, ordered: bool
) -> None:
    lock = DEFINITION.locks if ordered else None
    ended = list(meeting(lonely_portfolio, monkeypatch, course, lock, other))
    assert ended == ([] if ordered else ["LOCKED"])
