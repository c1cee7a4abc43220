"""Why something ended: a code for programs, and a note that whom it concerns reads, kept sealed (I11)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import appeal_pb2, application_pb2, hold_pb2, inquiry_pb2, voucher_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform import seals
from services.platform.db.transaction import transaction
from services.vouchers import jobs
from services.vouchers.app import VouchersApp
from services.vouchers.domain.states import EndReason
from tests.integration.vouchers import desks
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import CANARY, everything
from tests.support.vouchers import NO_EVIDENCE, Person, World, day_message, request_id

Redemption, Voucher = pb.Redemption, voucher_pb2.Voucher
NOTE = f"{CANARY} was ill that day"


def write_everywhere(world: World) -> tuple[Person, list[str]]:
    """Puts the canary wherever words can be written, and repeats each request; returns a learner and names of
    a voided and a rejected redemption, a voucher, an application and a hold."""
    programme = world.programme(**NO_EVIDENCE)
    learner, voucher = world.voucher(programme)
    voided = world.reserve(learner, voucher)
    withdrew = pb.VoidRedemptionRequest(
        name=voided.name, reason=NOTE, reason_code=Redemption.END_REASON_LEARNER_WITHDREW
    )
    twice(learner.redemptions.VoidRedemption, withdrew)
    returned = world.delivered(learner, voucher, 10_000).name
    rejected = world.delivered(learner, voucher).name
    queued = world.apply(world.person("learner"), programme)  # of whom nothing is known yet
    placed = hold_pb2.PlaceHoldRequest(hold=hold_pb2.Hold(target=world.course, reason=NOTE))
    hold = twice(world.payer.holds.PlaceHold, placed)
    requests: list[tuple[Any, Any]] = [
        (
            world.payer.redemptions.ReturnDelivery,
            pb.ReturnDeliveryRequest(name=returned, reason=NOTE, reason_code=Redemption.END_REASON_OTHER),
        ),
        (
            world.caseworker.redemptions.RejectRedemption,
            pb.RejectRedemptionRequest(
                name=rejected, reason=NOTE, reason_code=Redemption.END_REASON_NOT_ATTENDED
            ),
        ),
        (
            world.caseworker.vouchers.RevokeVoucher,
            voucher_pb2.RevokeVoucherRequest(
                name=voucher, reason=NOTE, reason_code=Voucher.END_REASON_FALSE_FACTS
            ),
        ),
        (
            world.caseworker.applications.DecideApplication,
            application_pb2.DecideApplicationRequest(name=queued.name, reason=NOTE),
        ),
        (
            world.approver.holds.ReleaseHold,
            hold_pb2.ReleaseHoldRequest(name=hold.name, finding=NOTE),
        ),
    ]
    for call, message in requests:
        twice(call, message)
    write_at_the_desk(world)
    return learner, [voided.name, rejected, voucher, queued.name, hold.name]


def write_at_the_desk(world: World) -> None:
    """Puts the canary into a question, its answer, the grounds of an appeal and the decision on it."""
    asked = world.person("learner")
    ask = inquiry_pb2.CreateInquiryRequest(
        parent=desks.waiting(world, person=asked).name,
        inquiry=inquiry_pb2.Inquiry(
            kind=inquiry_pb2.Inquiry.KIND_OTHER_DOCUMENT,
            note=NOTE,
            due_date=day_message(desks.tomorrow(world)),
        ),
    )
    question = twice(world.caseworker.inquiries.CreateInquiry, ask)
    file = f"holders/{asked.subject}/evidence/e"
    reply = inquiry_pb2.AnswerInquiryRequest(name=question.name, evidence=[file], note=NOTE)
    twice(asked.inquiries.AnswerInquiry, reply)
    person, refusal = desks.refused_by_rules(world)
    grounds = appeal_pb2.AppealApplicationRequest(name=refusal.name, grounds=NOTE)
    twice(person.appeals.AppealApplication, grounds)
    decided = appeal_pb2.DecideAppealRequest(name=refusal.name, reason=NOTE)
    twice(world.caseworker.appeals.DecideAppeal, decided)


def twice(call: Any, message: Any) -> Any:
    """Sends a request and repeats it: the repeat gets the kept answer."""
    message.request_id = request_id()
    answer = call(message)
    assert CANARY in str(answer)
    assert call(message) == answer
    return answer


def test_a_note_is_nowhere_in_the_clear(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    write_everywhere(world)
    for call, message in [
        (world.caseworker.redemptions.RejectRedemption, pb.RejectRedemptionRequest(reason=NOTE)),
        (world.payer.holds.PlaceHold, hold_pb2.PlaceHoldRequest(hold=hold_pb2.Hold(reason=NOTE))),
    ]:
        assert CANARY not in str(violations_of(lambda call=call, message=message: call(message)))
    assert CANARY not in everything(world.app.engine)
    out, err = capfd.readouterr()
    assert CANARY not in out + err


def test_control_without_the_seal_notes_and_answers_lie_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "encrypt", lambda key, plain, bound: plain)
    monkeypatch.setattr(seals, "decrypt", lambda key, sealed, bound: sealed)
    write_everywhere(world)
    assert everything(world.app.engine).count(CANARY) == 25  # eleven notes, and answers that repeat fourteen


def test_control_without_sealed_answers_the_note_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VouchersApp, "seal_answer", lambda self, tx, request, answer: answer)
    monkeypatch.setattr(VouchersApp, "open_answer", lambda self, tx, request, kept: kept)
    write_everywhere(world)
    assert everything(world.app.engine).count(CANARY) == 14


def test_whom_it_concerns_reads_why(world: World) -> None:
    learner, (voided, rejected, voucher, application, hold) = write_everywhere(world)
    for reader in (learner, world.provider, world.caseworker):
        found = reader.redemptions.GetRedemption(pb.GetRedemptionRequest(name=rejected))
        assert (found.end_reason, found.end_note) == (Redemption.END_REASON_NOT_ATTENDED, NOTE)
    mine = learner.redemptions.ListRedemptions(pb.ListRedemptionsRequest(learner=learner.learner))
    assert {(one.name, one.end_reason, one.end_note) for one in mine.redemptions} >= {
        (voided, Redemption.END_REASON_LEARNER_WITHDREW, NOTE),
        (rejected, Redemption.END_REASON_NOT_ATTENDED, NOTE),
    }
    revoked = world.wallet(learner, voucher)
    assert (revoked.end_reason, revoked.end_note) == (Voucher.END_REASON_FALSE_FACTS, NOTE)
    request = application_pb2.GetApplicationRequest(name=application)
    assert world.caseworker.applications.GetApplication(request).decision_reason == NOTE
    (held,) = world.auditor.holds.ListHolds(hold_pb2.ListHoldsRequest(show_ended=True)).holds
    assert (held.name, held.reason, held.finding) == (hold, NOTE, NOTE)


def test_a_reason_is_a_code_and_only_the_service_says_time_limit(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    name = world.reserve(learner, voucher).name
    limit = pb.VoidRedemptionRequest(name=name, reason_code=Redemption.END_REASON_TIME_LIMIT)
    assert "reason_code" in violations_of(lambda: learner.redemptions.VoidRedemption(limit))
    bare = pb.RejectRedemptionRequest(name=name, reason="no code")
    assert "reason_code" in violations_of(lambda: world.caseworker.redemptions.RejectRedemption(bare))
    void = pb.VoidRedemptionRequest(name=name)
    voided = learner.redemptions.VoidRedemption(void)
    assert (voided.end_reason, voided.end_note) == (Redemption.END_REASON_OTHER, "")
    late = world.reserve(learner, voucher).name
    assert not learner.redemptions.GetRedemption(pb.GetRedemptionRequest(name=late)).end_reason
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE redemptions SET authorise_until = now() WHERE state = 1"))
    jobs.expire_reservations(world.app)
    expired = learner.redemptions.GetRedemption(pb.GetRedemptionRequest(name=late))
    assert expired.end_reason == Redemption.END_REASON_TIME_LIMIT == EndReason.TIME_LIMIT


def test_a_note_put_in_the_place_of_another_does_not_open(world: World) -> None:
    learner, (voided, rejected, *_) = write_everywhere(world)
    swap = """UPDATE redemptions SET sealed_note =
      (SELECT sealed_note FROM redemptions WHERE id = :a) WHERE id = :b"""
    with transaction(world.app) as tx:
        tx.execute(text(swap), {"a": voided[-36:], "b": rejected[-36:]})
    get = pb.GetRedemptionRequest(name=rejected)
    assert refused(lambda: learner.redemptions.GetRedemption(get)) == "INTERNAL"
