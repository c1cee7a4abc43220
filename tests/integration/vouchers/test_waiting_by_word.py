"""Waiting for money by the word of a caseworker, where rules alone could not say that nothing else lacks."""

from __future__ import annotations

from waymark.vouchers.v1 import application_pb2

from services.vouchers.jobs import offer_waiting
from tests.integration.vouchers import desks
from tests.integration.vouchers.queues import Entry, Waiter, accept, empty, entry, give_back, join, states
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import NO_EVIDENCE, Person, World


def judged(world: World, programme: str, name: str, person: Person) -> Waiter:
    """Who waits because a caseworker found that nothing but money lacks."""
    desks.decide(world.caseworker, name, reason_codes=["BUDGET_EXHAUSTED"])
    return person, join(person, name).name


def test_who_needs_a_caseworker_waits_by_the_word_of_one(world: World) -> None:
    programme = world.programme(fund=100_000, **NO_EVIDENCE)
    people = [world.person("learner") for _ in range(3)]
    names = [desks.waiting(world, programme, person).name for person in people]
    holder, voucher = world.voucher(programme)
    grant = {"grant": True}
    assert refused(lambda: desks.decide(world.caseworker, names[0], **grant)) == "BUDGET_EXHAUSTED"
    assert refused(lambda: join(people[0], names[0])) == "WAITING_NOT_POSSIBLE"  # nobody has looked yet
    desks.decide(world.caseworker, names[2])
    assert refused(lambda: join(people[2], names[2])) == "WAITING_NOT_POSSIBLE"
    gone, here = found = [judged(world, programme, *each) for each in zip(names[:2], people[:2], strict=True)]
    world.push(gone[0], {"employment_status": "employed"})  # what is verified since counts
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert states(found) == ["CLOSED", "OFFERED"]
    accepted = accept(*here)
    assert accepted.state == Entry.STATE_ACCEPTED
    got = here[0].applications.GetApplication(application_pb2.GetApplicationRequest(name=names[1]))
    assert (got.state, got.automatic) == (application_pb2.Application.STATE_GRANTED, False)
    assert got.decision_reason == ""  # that of the refusal is not that of the grant
    replay = application_pb2.ReplayApplicationRequest(name=names[1])
    assert world.auditor.applications.ReplayApplication(replay).agrees
    assert world.verify().intact


def test_an_appeal_that_another_refused_takes_the_word_back(world: World) -> None:
    programme = world.programme(fund=100_000, **NO_EVIDENCE, **desks.APPEAL)
    people = [world.person("learner") for _ in range(2)]
    names = [desks.waiting(world, programme, person).name for person in people]
    holder, voucher = world.voucher(programme)
    for name in names:
        desks.decide(world.caseworker, name, reason_codes=["BUDGET_EXHAUSTED"])
    desks.appeal(people[0], names[0])
    desks.decide_appeal(world.person("caseworker"), names[0])
    found = [(person, join(person, name).name) for person, name in zip(people, names, strict=True)]
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert states(found) == ["CLOSED", "OFFERED"]  # the second is the control: the word alone


def test_control_without_the_word_of_a_caseworker_what_nobody_verified_is_no_ground(world: World) -> None:
    programme, holder, voucher = empty(world)
    person = world.person("learner")
    refusal = desks.waiting(world, programme, person)  # by rules, as the money is gone for certain
    (waiter,) = found = [(person, join(person, refusal.name).name)]
    give_back(holder, voucher)
    offer_waiting(world.app)
    assert states(found) == ["CLOSED"]
    assert list(entry(*waiter).reason_codes) == ["NOT_A_JOBSEEKER"]
