"""Voucher events move the learner's steps: any order, any number, nobody else's."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import events_pb2, pathway_pb2
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.platform.events.cloudevents import EventInfo
from services.portfolio.domain.keys import KeyRing
from services.portfolio.domain.steps import Stage
from services.portfolio.reactions import redemptions
from services.portfolio.service import DEFINITION
from services.portfolio.store import vault
from tests.support.portfolio import Caller, Portfolio, pathway, step

COURSE = "courses/welding"
LIFE = [
    (vouchers.RedemptionReserved, "BOOKED"),
    (vouchers.RedemptionStarted, "RUNNING"),
    (vouchers.RedemptionDelivered, "EVIDENCE_SUBMITTED"),
    (vouchers.RedemptionAccepted, "CONFIRMED"),
]
INFO = EventInfo("id", "type", "topic", 0, 0, datetime.now(UTC), "key", "")


def event(kind, person: Caller, *, course: str = COURSE, redemption: str = "redemptions/1"):
    ref = vouchers.RedemptionRef(redemption=redemption, learner=f"learners/{person.subject}", course=course)
    return kind(ref=ref)


def tell(portfolio: Portfolio, message) -> None:
    with transaction(portfolio.app) as tx:
        DEFINITION.reactions[type(message)](portfolio.app, tx, message, INFO)


def states(person: Caller) -> list[str]:
    request = pathway_pb2.ListPathwaysRequest(parent=person.holder)
    return [
        pathway_pb2.Step.State.Name(found.state).removeprefix("STATE_")
        for way in person.ListPathways(request).pathways
        for found in way.steps
    ]


def moves(portfolio: Portfolio, person: Caller) -> list[tuple[str, str, str]]:
    with transaction(portfolio.app) as tx:
        payloads = tx.execute(text("SELECT payload FROM outbox ORDER BY seq")).scalars()
        found = [events_pb2.PathwayStepMoved.FromString(payload) for payload in payloads]
    own = [moved for moved in found if moved.step.startswith(f"{person.holder}/pathways/")]
    return [(moved.from_state, moved.to_state, moved.cause) for moved in own]


def walker(portfolio: Portfolio, *courses: str) -> Caller:
    person = portfolio.person()
    way = pathway(person)
    for course in courses or (COURSE,):
        step(person, way.name, course=course)
    return person


@pytest.mark.parametrize(("kind", "state"), LIFE)
def test_each_event_moves_the_step(portfolio: Portfolio, kind, state: str) -> None:
    person = walker(portfolio)
    tell(portfolio, event(kind, person))
    assert states(person) == [state]
    assert moves(portfolio, person) == [("PLANNED", state, kind.__name__)]


def test_a_release_gives_the_step_back(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    for kind, _ in LIFE[:3]:
        tell(portfolio, event(kind, person))
    tell(portfolio, event(vouchers.RedemptionReleased, person))
    assert states(person) == ["PLANNED"]
    tell(portfolio, event(vouchers.RedemptionReserved, person))  # told again, late
    assert states(person) == ["PLANNED"]
    tell(portfolio, event(vouchers.RedemptionReserved, person, redemption="redemptions/2"))
    assert states(person) == ["BOOKED"]
    tell(portfolio, event(vouchers.RedemptionReleased, person))  # of the first, again
    assert states(person) == ["BOOKED"]


def test_a_no_show_gives_the_step_back_and_its_payment_confirms_nothing(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    tell(portfolio, event(vouchers.RedemptionReserved, person))
    tell(portfolio, event(vouchers.NoShowReported, person))
    assert states(person) == ["PLANNED"]
    paid = event(vouchers.RedemptionAccepted, person)
    paid.no_show = True
    tell(portfolio, paid)
    assert states(person) == ["PLANNED"]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_number_confirms_in_the_end(portfolio: Portfolio, seed: int) -> None:
    person = walker(portfolio)
    messages = [event(kind, person) for kind, _ in LIFE] * 2
    random.Random(seed).shuffle(messages)
    for message in messages:
        tell(portfolio, message)
    assert states(person) == ["CONFIRMED"]
    order = [state for _, state in LIFE]
    reached = [order.index(to_state) for _, to_state, _ in moves(portfolio, person)]
    assert reached == sorted(set(reached))


def test_without_remembered_stages_a_late_event_would_move_back(portfolio: Portfolio, monkeypatch) -> None:
    """Control: it is the furthest stage that is kept, not the last one told."""
    person = walker(portfolio)
    told: list[Stage] = []
    monkeypatch.setattr(redemptions.steps, "note_stage", lambda *noted: told.append(noted[-1]))
    monkeypatch.setattr(redemptions.steps, "stages", lambda _, found: dict.fromkeys(found, told[-1:]))
    tell(portfolio, event(vouchers.RedemptionAccepted, person))
    tell(portfolio, event(vouchers.RedemptionStarted, person))
    assert states(person) == ["RUNNING"]


def test_only_the_learner_and_the_course_of_the_event(portfolio: Portfolio) -> None:
    person, other = walker(portfolio, COURSE, "courses/other", COURSE), walker(portfolio)
    tell(portfolio, event(vouchers.RedemptionReserved, person))
    assert states(person) == ["BOOKED", "PLANNED", "BOOKED"]
    assert states(other) == ["PLANNED"]


def test_an_unknown_learner_or_course_has_no_effect(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    for kind in redemptions.STAGES:
        tell(portfolio, event(kind, portfolio.learner()))
        tell(portfolio, event(kind, person, course="courses/none"))
        tell(portfolio, event(kind, person, course=""))
        tell(portfolio, kind())
    assert states(person) == ["PLANNED"]
    assert moves(portfolio, person) == []


def test_an_ended_pathway_stays_as_it_is(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    (way,) = person.ListPathways(pathway_pb2.ListPathwaysRequest(parent=person.holder)).pathways
    person.AbandonPathway(pathway_pb2.AbandonPathwayRequest(name=way.name, reason="over"))
    tell(portfolio, event(vouchers.RedemptionAccepted, person))
    assert states(person) == ["PLANNED"]


def test_a_moved_step_makes_the_pathway_a_new_version(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    request = pathway_pb2.ListPathwaysRequest(parent=person.holder)
    before = person.ListPathways(request).pathways[0]
    tell(portfolio, event(vouchers.RedemptionReserved, person))
    after = person.ListPathways(request).pathways[0]
    assert (before.etag != after.etag, before.revision) == (True, after.revision)


def test_events_at_the_same_moment_lose_nothing(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    threads = [
        threading.Thread(target=tell, args=(portfolio, event(kind, person)))
        for kind, _ in LIFE
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(person) == ["CONFIRMED"]


def test_the_holders_key_is_not_needed(portfolio: Portfolio, monkeypatch) -> None:
    """The consumer moves steps by what is in the clear."""
    person = walker(portfolio)
    monkeypatch.setattr(portfolio.app, "keys", KeyRing(b"n" * 32))
    tell(portfolio, event(vouchers.RedemptionAccepted, person))
    assert moves(portfolio, person) == [("PLANNED", "CONFIRMED", "RedemptionAccepted")]


def test_an_erased_holder_stops_no_topic(portfolio: Portfolio) -> None:
    person = walker(portfolio)
    with transaction(portfolio.app) as tx:
        assert vault.erase_key(tx, person.subject)
    tell(portfolio, event(vouchers.RedemptionAccepted, person))
    assert moves(portfolio, person) == []
