"""Evidence goes straight to the object store and is compared before a delivery counts."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import grpc
import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.vouchers import jobs
from services.vouchers.domain import payment
from services.vouchers.store import evidence as store
from tests.integration.vouchers.refusals import refused
from tests.support import uploads
from tests.support.quality import told
from tests.support.refusals import reason_of
from tests.support.vouchers import World, cents

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def started(world: World, trigger: str = "TRIGGER_COMPLETION") -> Any:
    """Returns a redemption whose training has started; the programme asks for one piece of evidence."""
    rule = {"paymentRule": {"trigger": trigger, "evidenceCount": 1}}
    learner, voucher = world.voucher(world.programme(**rule, holdRule={"delayDays": 0}))
    redemption = world.reserve(learner, voucher)
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=redemption.name))
    return world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=redemption.name))


def ticket(
    world: World, redemption: Any, content: bytes = PDF, kind: Any = pb.DeliveryEvidence.KIND_COMPLETION
) -> Any:
    """Returns leave to upload."""
    evidence = pb.DeliveryEvidence(
        size_bytes=len(content),
        content_type="application/pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        kind=kind,
    )
    request = pb.CreateDeliveryEvidenceRequest(parent=redemption.name, evidence=evidence)
    return world.provider.redemptions.CreateDeliveryEvidence(request)


def put(piece: Any, content: bytes = PDF) -> int:
    """Uploads; returns the HTTP status."""
    return uploads.put(piece.upload_uri, piece.upload_headers, content).status_code


def test_delivery_with_evidence(stored: World) -> None:
    redemption = started(stored)
    piece = ticket(stored, redemption)
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    assert refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver)) == "UPLOAD_MISSING"
    assert put(piece) == 200
    delivered = stored.provider.redemptions.DeliverRedemption(deliver)
    assert delivered.state == pb.Redemption.STATE_DELIVERED
    assert list(delivered.evidence) == [piece.name]
    jobs.sweep_evidence(stored.app)
    with stored.app.objects.open(store.BUCKET, piece.name.rpartition("/")[2]) as kept:
        assert kept.read() == PDF


def test_other_bytes_than_announced_never_count(stored: World) -> None:
    redemption = started(stored)
    piece = ticket(stored, redemption)
    put(piece, PDF[:-1] + b"x")
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    reason = refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver))
    assert reason in ("UPLOAD_MISMATCH", "UPLOAD_MISSING")


def test_evidence_of_another_redemption_is_unknown(stored: World) -> None:
    redemption, other = started(stored), started(stored)
    piece = ticket(stored, other)
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    assert refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver)) == "NOT_FOUND"


def test_tickets_are_limited_and_need_a_started_training(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = stored.voucher(stored.programme())
    assert refused(lambda: ticket(stored, stored.reserve(learner, voucher))) == "WRONG_STATE"
    monkeypatch.setattr(store, "MAXIMUM", 1)
    redemption = started(stored)
    ticket(stored, redemption)
    assert refused(lambda: ticket(stored, redemption)) == "EVIDENCE_LIMIT"


TRIGGERS = [
    ("TRIGGER_ATTENDANCE", pb.DeliveryEvidence.KIND_ATTENDANCE, pb.DeliveryEvidence.KIND_COMPLETION),
    ("TRIGGER_COMPLETION", pb.DeliveryEvidence.KIND_COMPLETION, pb.DeliveryEvidence.KIND_ATTENDANCE),
    ("TRIGGER_ATTENDANCE", pb.DeliveryEvidence.KIND_UNSPECIFIED, pb.DeliveryEvidence.KIND_COMPLETION),
]


@pytest.mark.parametrize(("trigger", "right", "wrong"), TRIGGERS)
def test_a_delivery_needs_evidence_of_the_kind_that_triggers_payment(
    stored: World, trigger: str, right: Any, wrong: Any
) -> None:
    assert deliver_with(stored, started(stored, trigger), wrong) == "EVIDENCE_MISSING"
    assert deliver_with(stored, started(stored, trigger), right) == ""


def deliver_with(world: World, redemption: Any, kind: Any) -> str:
    """Delivers with one piece of evidence; returns the reason of a refusal."""
    piece = ticket(world, redemption, kind=kind)
    assert piece.kind == (kind or pb.DeliveryEvidence.KIND_ATTENDANCE)
    assert put(piece) == 200
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name])
    try:
        world.provider.redemptions.DeliverRedemption(deliver)
    except grpc.RpcError as error:
        return reason_of(error)
    return ""


@pytest.mark.parametrize(("trigger", "kind", "waits"), [(*TRIGGERS[0][:2], False), (*TRIGGERS[1][:2], True)])
def test_money_for_completion_waits_for_the_last_day(
    stored: World, trigger: str, kind: Any, waits: bool
) -> None:
    stored.bank_account()
    redemption = started(stored, trigger)
    assert deliver_with(stored, redemption, kind) == ""
    accept = pb.AcceptRedemptionRequest(name=redemption.name)
    accepted = stored.caseworker.redemptions.AcceptRedemption(accept)
    last_day = stored.today + timedelta(days=9)  # of the world's session
    released = accepted.release_time.ToDatetime().date()
    assert released == (last_day + timedelta(days=1) if waits else stored.today)
    if waits:
        assert refused(stored.batch) == "NOTHING_TO_PAY"
    else:
        assert cents(stored.batch().total) == cents(accepted.amount)


def test_control_without_the_trigger_money_leaves_before_the_training_is_over(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment, "waits_for_the_end", lambda rule: False)
    stored.bank_account()
    redemption = started(stored, "TRIGGER_COMPLETION")
    deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_COMPLETION)
    stored.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=redemption.name))
    assert cents(stored.batch().total) > 0


def test_control_without_the_trigger_any_paper_will_do(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment, "counting", lambda rule, kinds: len(list(kinds)))
    redemption = started(stored, "TRIGGER_COMPLETION")
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_ATTENDANCE) == ""


def in_two(world: World) -> Any:
    """Returns a started redemption, paid half on attendance and half on completion."""
    halves = [
        {"trigger": "TRIGGER_ATTENDANCE", "evidenceCount": 1, "percent": 50},
        {"trigger": "TRIGGER_COMPLETION", "evidenceCount": 1, "percent": 50},
    ]
    plan = world.programme(paymentRule={"instalments": halves}, holdRule={"delayDays": 0})
    learner, voucher = world.voucher(plan)
    redemption = world.reserve(learner, voucher)
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=redemption.name))
    return world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=redemption.name))


def test_a_start_is_paid_by_word_and_an_outcome_by_what_came_of_it(stored: World) -> None:
    parts = [
        {"trigger": "TRIGGER_START", "percent": 30},
        {"trigger": "TRIGGER_OUTCOME", "evidenceCount": 1, "percent": 70},
    ]
    plan = stored.programme(paymentRule={"instalments": parts}, holdRule={"delayDays": 0})
    learner, voucher = stored.voucher(plan)
    name = {"name": stored.reserve(learner, voucher).name}
    learner.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(**name))
    redemption = stored.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(**name))
    stored.provider.redemptions.DeliverRedemption(pb.DeliverRedemptionRequest(**name))
    assert not told(stored, events_pb2.RedemptionDelivered)  # nothing took place so far
    accept = pb.AcceptRedemptionRequest(**name)
    first = stored.caseworker.redemptions.AcceptRedemption(accept)
    assert cents(first.instalments[0].accepted_amount) == 30_000
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_COMPLETION) == "EVIDENCE_MISSING"
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_OUTCOME) == ""
    last = stored.caseworker.redemptions.AcceptRedemption(accept)
    assert last.release_time.ToDatetime().date() == stored.today + timedelta(days=10)
    assert len(told(stored, events_pb2.RedemptionDelivered)) == 1


def test_each_instalment_has_its_own_kind_of_evidence_and_time(stored: World) -> None:
    redemption = in_two(stored)
    accept = pb.AcceptRedemptionRequest(name=redemption.name)
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_COMPLETION) == "EVIDENCE_MISSING"
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_ATTENDANCE) == ""
    first = stored.caseworker.redemptions.AcceptRedemption(accept)
    assert not first.evidence
    read = pb.GetRedemptionRequest(name=first.instalments[0].redemption)
    part = stored.auditor.redemptions.GetRedemption(read)
    assert len(part.evidence) == 1
    assert part.release_time.ToDatetime().date() == stored.today
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_ATTENDANCE) == "EVIDENCE_MISSING"
    assert deliver_with(stored, redemption, pb.DeliveryEvidence.KIND_COMPLETION) == ""
    last = stored.caseworker.redemptions.AcceptRedemption(accept)
    assert last.release_time.ToDatetime().date() == stored.today + timedelta(days=10)


def used_again(world: World) -> pb.DeliverRedemptionRequest:
    """Has an instalment accepted; returns the delivery of the next with the same evidence."""
    redemption = in_two(world)
    piece = ticket(world, redemption, kind=pb.DeliveryEvidence.KIND_ATTENDANCE)
    other = ticket(world, redemption)
    assert [put(piece), put(other)] == [200, 200]
    deliver = pb.DeliverRedemptionRequest(name=redemption.name, evidence=[piece.name, other.name])
    world.provider.redemptions.DeliverRedemption(deliver)
    world.caseworker.redemptions.AcceptRedemption(pb.AcceptRedemptionRequest(name=redemption.name))
    return deliver


def test_evidence_of_an_earlier_instalment_does_not_count_again(stored: World) -> None:
    deliver = used_again(stored)
    assert refused(lambda: stored.provider.redemptions.DeliverRedemption(deliver)) == "EVIDENCE_USED"


def test_control_without_its_mark_evidence_would_be_paid_for_twice(stored: World) -> None:
    deliver = used_again(stored)
    with stored.app.engine.begin() as connection:
        connection.execute(text("UPDATE evidence SET verified_at = NULL"))
    delivered = stored.provider.redemptions.DeliverRedemption(deliver)
    assert delivered.state == pb.Redemption.STATE_DELIVERED


def test_tickets_of_what_was_handed_in_leave_room_for_the_next(
    stored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAXIMUM", 2)
    name = used_again(stored).name
    redemption = stored.auditor.redemptions.GetRedemption(pb.GetRedemptionRequest(name=name))
    assert ticket(stored, redemption).name
