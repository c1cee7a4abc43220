"""After a delisting learners go elsewhere with their voucher, or have their money back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from waymark.catalogue.v1 import events_pb2 as catalogue
from waymark.vouchers.v1 import events_pb2, programme_pb2, voucher_pb2
from waymark.vouchers.v1 import rebooking_pb2 as rebookings
from waymark.vouchers.v1 import redemption_pb2 as redemptions

from services.cli.amounts import json_money
from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers import rebooking as rebooking_of_others
from services.vouchers.store import rebookings as store
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_sanctions import appeal, decide
from tests.support.quality import Sanction, look, run, sanction, told
from tests.support.vouchers import NO_EVIDENCE, cents

Redemption, Rebooking = redemptions.Redemption, rebookings.Rebooking
DELISTED = Sanction.KIND_DELISTED


def elsewhere(world: Any, course: str, **changes: Any) -> str:
    """Tells of a course of another accredited provider; returns its session."""
    owner = f"organisations/{course.partition('/')[2]}-school"
    world.accredit(owner)
    session: str = world.offer(course, organisation=owner, **changes)
    return session


def rebooking(world: Any, redemption: str) -> Any:
    """Reads the offer for a redemption, as the learner."""
    request = rebookings.GetRebookingRequest(name=f"{redemption}/rebooking")
    return world.person_.rebookings.GetRebooking(request)


def test_after_a_delisting_the_learner_chooses_a_like_course(school: Any) -> None:
    like = elsewhere(school, "courses/like", price=80_000)
    elsewhere(school, "courses/far", nuts="BE32")
    elsewhere(school, "courses/unlike", occupations=[events_occupation("7115")])
    elsewhere(school, "courses/free-of-price", price=None)
    elsewhere(school, "courses/closed", apply_until=school.today - timedelta(days=1))
    redemption = school.reserve(school.person_, school.voucher_)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    jobs.rebook(school.app)  # once is enough
    offer = rebooking(school, redemption.name)
    assert (offer.state, list(offer.sessions)) == (Rebooking.STATE_OFFERED, [like])
    (event,) = told(school, events_pb2.RebookingOffered)
    assert (event.redemption, event.learner) == (redemption.name, school.person_.learner)
    assert list(event.sessions) == [like]
    name = f"{redemption.name}/rebooking"
    wrong = rebookings.AcceptRebookingRequest(name=name, session=school.session)
    assert refused(lambda: school.person_.rebookings.AcceptRebooking(wrong)) == "REBOOKING_NOT_OFFERED"
    accept = rebookings.AcceptRebookingRequest(name=name, session=like)
    assert refused(lambda: school.learner().rebookings.AcceptRebooking(accept)) == "NOT_FOUND"
    taken = school.person_.rebookings.AcceptRebooking(accept)
    assert taken.state == Rebooking.STATE_ACCEPTED
    read = redemptions.GetRedemptionRequest
    new = school.person_.redemptions.GetRedemption(read(name=taken.new_redemption))
    assert (new.session, new.state, cents(new.amount)) == (like, Redemption.STATE_RESERVED, 80_000)
    old = school.person_.redemptions.GetRedemption(read(name=redemption.name))
    assert (old.state, old.end_reason) == (Redemption.STATE_VOIDED, Redemption.END_REASON_SESSION_CHANGED)
    wallet = school.wallet(school.person_, school.voucher_)
    assert (cents(wallet.available), cents(wallet.reserved)) == (20_000, 80_000)
    assert refused(lambda: school.person_.rebookings.AcceptRebooking(accept)) == "WRONG_STATE"
    assert school.verify().intact


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_what_is_offered_the_programme_pays_for(
    school: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    high = elsewhere(school, "courses/aaa-too-high", eqf_level=7)
    dear = elsewhere(school, "courses/bbb-too-dear", price=900_000)
    like = elsewhere(school, "courses/like")
    rule = {"accreditationRequired": True, "maxEqfLevel": 5, "priceCap": json_money("8000.00")}
    plan = school.programme(courseRule=rule, **NO_EVIDENCE)
    school.person_, voucher = school.voucher(plan, school.learner())
    redemption = school.reserve(school.person_, voucher)
    sanction(school, DELISTED)
    if not guarded:
        monkeypatch.setattr(rebooking_of_others, "pays", lambda *_: True)
    jobs.rebook(school.app)
    offered = list(rebooking(school, redemption.name).sessions)
    assert offered == ([like] if guarded else [high, dear, like])
    accept = rebookings.AcceptRebookingRequest(name=f"{redemption.name}/rebooking", session=offered[0])
    # What was offered is not asked again: without the guard the programme pays for a course beyond its rule.
    assert school.person_.rebookings.AcceptRebooking(accept).state == Rebooking.STATE_ACCEPTED


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_who_has_nothing_booked_is_told_once(
    school: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    like = elsewhere(school, "courses/like", price=80_000)
    elsewhere(school, "courses/far", nuts="BE32")
    idle = {school.person_.learner: school.voucher_}
    for _ in range(4):
        person, voucher = school.voucher(school.plan)
        idle[person.learner] = voucher
    booker, booked = school.voucher(school.plan)
    redemption = school.reserve(booker, booked)
    spender, spent = school.voucher(school.plan)
    school.accepted(spender, spent, amount=10_000)
    canceller, cancelled = school.voucher(school.plan)
    canceller.vouchers.CancelVoucher(voucher_pb2.CancelVoucherRequest(name=cancelled))
    jobs.rebook(school.app)
    assert told(school, events_pb2.VoucherProviderDelisted) == []
    sanction(school, DELISTED)
    monkeypatch.setattr(rebooking_of_others, "AT_ONCE", 2)
    sizes = counted(monkeypatch)
    jobs.rebook(school.app)
    assert sizes == [2, 2, 1]
    found = told(school, events_pb2.VoucherProviderDelisted)
    assert {event.learner: event.voucher for event in found} == idle
    assert {(event.organisation, event.session, *event.sessions) for event in found} == {
        (school.organisation, school.session, like)
    }
    assert found[0].HasField("expire_time")
    booker.rebookings.DeclineRebooking(
        rebookings.DeclineRebookingRequest(name=f"{redemption.name}/rebooking")
    )  # was told of the offer, and knows
    if not guarded:
        run(school, "DELETE FROM delisting_notices")
    jobs.rebook(school.app)
    assert len(told(school, events_pb2.VoucherProviderDelisted)) == (5 if guarded else 10)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Returns how many were told in each transaction, as it goes on."""
    sizes: list[int] = []
    real = rebooking_of_others.tell_unbooked

    def tell(app: Any, tx: Any) -> int:
        sizes.append(real(app, tx))
        return sizes[-1]

    monkeypatch.setattr(rebooking_of_others, "tell_unbooked", tell)
    return sizes


def events_occupation(isco: str) -> Any:
    """Returns an occupation as the catalogue tells it."""
    return catalogue.OccupationRef(uri=f"esco/{isco}", isco_code=isco)


def test_a_voucher_for_one_course_may_be_rebooked_too(school: Any) -> None:
    course = programme_pb2.ProgrammeVersion.Scope.Name(programme_pb2.ProgrammeVersion.SCOPE_COURSE)
    like = elsewhere(school, "courses/like")
    plan = school.programme(scope=course, **NO_EVIDENCE)
    school.person_, voucher = school.voucher(plan, school.learner())
    redemption = school.reserve(school.person_, voucher)
    void = redemptions.VoidRedemptionRequest(name=redemption.name)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    name = f"{redemption.name}/rebooking"
    accept = rebookings.AcceptRebookingRequest(name=name, session=like)
    taken = school.person_.rebookings.AcceptRebooking(accept)
    assert taken.new_redemption
    assert refused(lambda: school.person_.redemptions.VoidRedemption(void)) == "WRONG_STATE"


def test_a_voucher_for_one_course_is_spent_elsewhere_once_its_provider_was_delisted(school: Any) -> None:
    course = programme_pb2.ProgrammeVersion.Scope.Name(programme_pb2.ProgrammeVersion.SCOPE_COURSE)
    like = elsewhere(school, "courses/like", price=80_000)
    others = [
        elsewhere(school, "courses/far", nuts="BE32"),
        elsewhere(school, "courses/unlike", occupations=[events_occupation("7115")]),
        elsewhere(school, "courses/too-high", eqf_level=7),
    ]
    rule = {"accreditationRequired": True, "minEqfLevel": 2, "maxEqfLevel": 5}
    plan = school.programme(scope=course, courseRule=rule, **NO_EVIDENCE)
    person, voucher = school.voucher(plan, school.learner())

    def spend(session: str) -> Any:
        return school.reserve(person, voucher, 10_000, session)

    assert refused(lambda: spend(like)) == "VOUCHER_NOT_FOR_SESSION"
    imposed = sanction(school, DELISTED)
    assert refused(lambda: spend(school.session)) == "PROVIDER_SANCTIONED"
    assert {refused(lambda other=other: spend(other)) for other in others} == {"VOUCHER_NOT_FOR_SESSION"}
    assert spend(like).session == like
    appeal(school, imposed.name)
    decide(school, imposed.name, school.person("finance"), lift=True)
    assert refused(lambda: spend(like)) == "VOUCHER_NOT_FOR_SESSION"
    assert spend(school.session).session == school.session
    assert school.verify().intact


def test_a_voucher_for_one_course_is_spent_elsewhere_once_its_session_was_cancelled(school: Any) -> None:
    like, unlike = elsewhere(school, "courses/like"), elsewhere(school, "courses/far", nuts="BE32")
    person, voucher = school.voucher(school.programme(scope="SCOPE_COURSE", **NO_EVIDENCE), school.learner())
    assert refused(lambda: school.reserve(person, voucher, session=like)) == "VOUCHER_NOT_FOR_SESSION"
    school.offer(cancelled=True)
    assert refused(lambda: school.reserve(person, voucher, session=unlike)) == "VOUCHER_NOT_FOR_SESSION"
    assert school.reserve(person, voucher, session=like).session == like


@pytest.mark.parametrize("limit", ["order_until", "expires_at"])
def test_who_ordered_in_time_is_rebooked_past_the_limits_too(school: Any, limit: str) -> None:
    like = elsewhere(school, "courses/like", price=80_000)
    redemption = school.reserve(school.person_, school.voucher_)
    run(school, f"UPDATE vouchers SET {limit} = now() - interval '1 second'")
    jobs.expire_vouchers(school.app)
    assert refused(lambda: school.reserve(school.person_, school.voucher_)) == "VOUCHER_EXPIRED"
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    accept = rebookings.AcceptRebookingRequest(name=f"{redemption.name}/rebooking", session=like)
    taken = school.person_.rebookings.AcceptRebooking(accept)
    read = redemptions.GetRedemptionRequest(name=taken.new_redemption)
    assert cents(school.person_.redemptions.GetRedemption(read).amount) == 80_000
    jobs.expire_vouchers(school.app)
    wallet = school.wallet(school.person_, school.voucher_)
    left = 0 if limit == "expires_at" else 20_000
    assert (cents(wallet.available), cents(wallet.reserved)) == (left, 80_000)
    assert school.verify().intact


@pytest.mark.parametrize("way", ["none", "decline", "time"])
def test_the_money_returns_to_the_voucher(school: Any, way: str) -> None:
    if way != "none":
        elsewhere(school, "courses/like")
    redemption = school.reserve(school.person_, school.voucher_)
    school.person_.redemptions.AuthoriseRedemption(
        redemptions.AuthoriseRedemptionRequest(name=redemption.name)
    )
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    if way == "decline":
        request = rebookings.DeclineRebookingRequest(name=f"{redemption.name}/rebooking")
        school.person_.rebookings.DeclineRebooking(request)
    elif way == "time":
        run(school, "UPDATE rebookings SET expires_at = now()")
        accept = rebookings.AcceptRebookingRequest(
            name=f"{redemption.name}/rebooking", session="courses/like/sessions/spring"
        )
        assert refused(lambda: school.person_.rebookings.AcceptRebooking(accept)) == "WRONG_STATE"
        jobs.rebook(school.app)
    states = {
        "none": Rebooking.STATE_NONE,
        "decline": Rebooking.STATE_DECLINED,
        "time": Rebooking.STATE_EXPIRED,
    }
    assert rebooking(school, redemption.name).state == states[way]
    assert cents(school.wallet(school.person_, school.voucher_).available) == 100_000
    (released,) = told(school, events_pb2.RedemptionReleased)
    assert released.state == "VOIDED"
    assert school.verify().intact


def test_a_learner_has_the_time_of_the_offer_and_not_of_the_reservation(school: Any) -> None:
    like = elsewhere(school, "courses/like", price=80_000)
    redemption = school.reserve(school.person_, school.voucher_)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    run(school, "UPDATE redemptions SET authorise_until = now()")
    jobs.expire_reservations(school.app)
    accept = rebookings.AcceptRebookingRequest(name=f"{redemption.name}/rebooking", session=like)
    assert school.person_.rebookings.AcceptRebooking(accept).state == Rebooking.STATE_ACCEPTED
    assert school.verify().intact


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_a_booking_stands_where_the_delisting_does_not(
    school: Any, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    elsewhere(school, "courses/like")
    redemption = school.reserve(school.person_, school.voucher_)
    school.person_.redemptions.AuthoriseRedemption(
        redemptions.AuthoriseRedemptionRequest(name=redemption.name)
    )
    imposed = sanction(school, DELISTED)
    jobs.rebook(school.app)
    appeal(school, imposed.name)
    decide(school, imposed.name, school.person("finance"), lift=True)
    if not guarded:
        monkeypatch.setattr(store, "delisted", lambda *_: True)
    jobs.rebook(school.app)
    read = redemptions.GetRedemptionRequest(name=redemption.name)
    state, ended = school.person_.redemptions.GetRedemption(read).state, rebooking(school, redemption.name)
    if not guarded:
        assert (state, ended.state) == (Redemption.STATE_VOIDED, Rebooking.STATE_EXPIRED)
        return
    assert (state, ended.state) == (Redemption.STATE_AUTHORISED, Rebooking.STATE_ENDED)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    assert rebooking(school, redemption.name).state == Rebooking.STATE_OFFERED
    assert len(told(school, events_pb2.RebookingOffered)) == 2


def test_a_delisting_that_was_lifted_meanwhile_ends_no_booking(school: Any) -> None:
    redemption = school.reserve(school.person_, school.voucher_)
    with transaction(school.app) as tx:  # as of a job that had seen it count; there is no like course
        rebooking_of_others.offer(school.app, tx, redemption.name.partition("/")[2])
    read = redemptions.GetRedemptionRequest(name=redemption.name)
    assert school.person_.redemptions.GetRedemption(read).state == Redemption.STATE_RESERVED


def test_an_offer_that_was_taken_meanwhile_does_not_end(school: Any) -> None:
    like = elsewhere(school, "courses/like")
    redemption = school.reserve(school.person_, school.voucher_)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    accept = rebookings.AcceptRebookingRequest(name=f"{redemption.name}/rebooking", session=like)
    taken = school.person_.rebookings.AcceptRebooking(accept)
    with transaction(school.app) as tx:  # as of a job that had seen it open
        rebooking_of_others.expire(tx, redemption.name.partition("/")[2])
    assert rebooking(school, redemption.name) == taken


def test_what_was_delivered_is_paid_and_not_rebooked(school: Any) -> None:
    school.delivered(school.person_, school.voucher_)
    sanction(school, DELISTED)
    jobs.rebook(school.app)
    assert told(school, events_pb2.RebookingOffered) == []
    assert look(school) == []
