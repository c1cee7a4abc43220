"""Staff who are learners too have their own case decided by colleagues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import alert_pb2, hold_pb2, learner_fact_pb2, voucher_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import desk
from tests.integration.vouchers.refusals import refused
from tests.support.voucher_callers import Person
from tests.support.vouchers import NO_EVIDENCE, World

OTHER = pb.Redemption.END_REASON_OTHER


def facts_of(person: Person) -> learner_fact_pb2.PushLearnerFactsRequest:
    fact = learner_fact_pb2.LearnerFact(
        key="education_level", number=2, source=learner_fact_pb2.FACT_SOURCE_PES_REGISTER
    )
    return learner_fact_pb2.PushLearnerFactsRequest(parent=person.learner, facts=[fact])


def steps(world: World) -> tuple[Person, list[Callable[[], Any]]]:
    """Somebody's voucher and trainings; returns what staff can do with them, as that same person."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    returnable, delivered, refusable, taken = (
        world.delivered(learner, voucher, 10_000).name for _ in range(4)
    )
    world.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=taken))
    missed = world.reserve(learner, voucher, 10_000).name
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=missed))
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE sessions SET start_date = current_date - 1"))
    alert = world.caseworker.alerts.RaiseAlert(
        alert_pb2.RaiseAlertRequest(alert=alert_pb2.Alert(target=taken, reason="odd hours"), place_hold=False)
    )
    hold = world.caseworker.holds.PlaceHold(
        hold_pb2.PlaceHoldRequest(hold=hold_pb2.Hold(target=taken, reason="odd hours"))
    )
    own = world.person("caseworker", "finance", subject=learner.subject)
    spend, life = own.redemptions, own.vouchers
    return own, [
        lambda: own.facts.PushLearnerFacts(facts_of(own)),
        lambda: spend.ReturnDelivery(pb.ReturnDeliveryRequest(name=returnable, reason_code=OTHER)),
        lambda: spend.AcceptRedemption(pb.AcceptRedemptionRequest(name=delivered)),
        lambda: spend.RejectRedemption(pb.RejectRedemptionRequest(name=refusable, reason_code=OTHER)),
        lambda: spend.ReportNoShow(pb.ReportNoShowRequest(name=missed)),
        lambda: own.alerts.RecordFinding(
            alert_pb2.RecordFindingRequest(
                name=alert.name,
                outcome=alert_pb2.Alert.OUTCOME_UNFOUNDED,
                finding="nothing odd",
                evidence="papers/1",
            )
        ),
        lambda: own.holds.ReleaseHold(hold_pb2.ReleaseHoldRequest(name=hold.name, finding="nothing odd")),
        lambda: spend.ClawBackRedemption(pb.ClawBackRedemptionRequest(name=taken, reason_code=OTHER)),
        lambda: life.ReissueVoucher(voucher_pb2.ReissueVoucherRequest(name=voucher, reason_code=1)),
        lambda: life.RevokeVoucher(voucher_pb2.RevokeVoucherRequest(name=voucher, reason_code=1)),
    ]


def test_nobody_decides_their_own_case(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    own, acts = steps(world)
    assert [refused(act) for act in acts] == ["SAME_PERSON"] * len(acts)
    monkeypatch.setattr(desk, "learner_of", lambda _: "")  # control: nobody is asked who they are
    for act in acts:
        act()
    listing = learner_fact_pb2.ListLearnerFactsRequest(parent=own.learner)
    told = {fact.key: fact.told_by for fact in world.caseworker.facts.ListLearnerFacts(listing).facts}
    assert told["education_level"] == own.subject
    assert told["employment_status"] == world.system.subject
    learner = world.person("learner", subject=own.subject)
    assert not any(fact.told_by for fact in learner.facts.ListLearnerFacts(listing).facts)
