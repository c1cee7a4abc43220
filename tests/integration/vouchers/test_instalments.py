"""A training paid in instalments: one thing for the learner, a redemption of its own for each payment."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from waymark.vouchers.v1 import events_pb2, programme_pb2, redemption_pb2, voucher_pb2

from services.vouchers.domain import payment
from services.vouchers.store import redemptions
from tests.integration.vouchers.refusals import at_once, refused, violations_of
from tests.integration.vouchers.test_bank_results import approved
from tests.integration.vouchers.test_claw_back import HELD, RECEIVABLE, balances, claw_back, intact, listed
from tests.integration.vouchers.test_no_show import accept, no_show
from tests.integration.vouchers.test_payouts import place
from tests.integration.vouchers.test_races import BRIEF, LONG, Meanwhile, tried
from tests.integration.vouchers.test_refund import refund
from tests.integration.vouchers.test_statement import lines
from tests.integration.vouchers.unlocked import unlock_instalments
from tests.support.quality import run, told
from tests.support.vouchers import World, cents, eur, request_id

pb = redemption_pb2
State = pb.Redemption
WHOLE = 99_999
AMOUNTS = [29_999, 30_000, 40_000]


def rule(*percents: int, **more: Any) -> dict[str, Any]:
    """Returns a payment rule in such parts, on the provider's word."""
    parts = [{"trigger": "TRIGGER_DELIVERY", "percent": percent} for percent in percents]
    return {"paymentRule": {"instalments": parts, **more}}


@pytest.fixture
def parted(world: World) -> Any:
    """A world with a delivered redemption of 999.99 euro, to be paid in 30, 30 and 40 %."""
    made: Any = world
    made.offer(start=made.today)
    made.plan = made.programme(**rule(30, 30, 40, noShowPercent=50))
    made.learner_, made.voucher_ = made.voucher(made.plan)
    made.bank_account()
    made.main = made.delivered(made.learner_, made.voucher_, WHOLE)
    return made


def get(world: World, name: str) -> Any:
    return world.auditor.redemptions.GetRedemption(pb.GetRedemptionRequest(name=name))


def deliver(world: Any) -> Any:
    """Delivers the next instalment."""
    return world.provider.redemptions.DeliverRedemption(pb.DeliverRedemptionRequest(name=world.main.name))


def paid(world: Any, amount: int = 0, **options: Any) -> Any:
    """Accepts the instalment at hand; returns the redemption."""
    request = pb.AcceptRedemptionRequest(name=world.main.name, **options)
    if amount:
        request.amount.CopyFrom(eur(amount))
    return world.caseworker.redemptions.AcceptRedemption(request)


def part(answer: Any) -> Any:
    """The name of the instalment accepted last."""
    return [each.redemption for each in answer.instalments if each.redemption][-1]


def wallet(world: Any) -> tuple[int, int]:
    """What of the voucher is available and reserved."""
    found = world.wallet(world.learner_, world.voucher_)
    return cents(found.available), cents(found.reserved)


def test_each_instalment_is_delivered_and_accepted_by_itself_to_the_last_cent(parted: Any) -> None:
    assert [(each.number, each.percent, cents(each.amount)) for each in parted.main.instalments] == [
        (1, 30, AMOUNTS[0]),
        (2, 30, AMOUNTS[1]),
        (3, 40, AMOUNTS[2]),
    ]
    first = paid(parted)
    assert (first.state, cents(first.amount)) == (State.STATE_STARTED, WHOLE - AMOUNTS[0])
    assert not first.HasField("accepted_amount")
    assert cents(first.learner_share) == cents(first.price) - WHOLE
    assert wallet(parted) == (100_000 - WHOLE, WHOLE - AMOUNTS[0])
    assert refused(lambda: paid(parted)) == "WRONG_STATE"
    deliver(parted)
    paid(parted)
    deliver(parted)
    last = paid(parted)
    assert (last.state, cents(last.accepted_amount)) == (State.STATE_ACCEPTED, AMOUNTS[2])
    assert [cents(each.accepted_amount) for each in last.instalments] == AMOUNTS
    assert last.instalments[2].redemption == last.name
    assert last == get(parted, last.name)
    assert wallet(parted) == (100_000 - WHOLE, 0)
    assert balances(parted, HELD) == [WHOLE]
    assert intact(parted)
    own = get(parted, last.instalments[0].redemption)
    assert (own.part_of, own.state, cents(own.accepted_amount)) == (
        last.name,
        State.STATE_ACCEPTED,
        AMOUNTS[0],
    )
    assert not own.HasField("price")
    assert not own.instalments
    told_parts = told(parted, events_pb2.InstalmentAccepted)
    assert [(event.number, event.part, cents(event.amount)) for event in told_parts] == [
        (each.number, each.redemption, cents(each.amount)) for each in last.instalments[:2]
    ]
    assert {event.ref.redemption for event in told_parts} == {last.name}
    assert [cents(event.amount) for event in told(parted, events_pb2.RedemptionAccepted)] == [AMOUNTS[2]]


def test_lists_name_a_training_once_with_its_instalments(parted: Any) -> None:
    answer = paid(parted)
    for person, filters in (
        (parted.learner_, {"learner": parted.learner_.learner}),
        (parted.provider, {"organisation": parted.organisation}),
        (parted.auditor, {"state": State.STATE_STARTED}),
    ):
        found = person.redemptions.ListRedemptions(pb.ListRedemptionsRequest(**filters)).redemptions
        assert [(each.name, part(each)) for each in found] == [(answer.name, part(answer))]
    accepted = pb.ListRedemptionsRequest(state=State.STATE_ACCEPTED)
    assert not parted.auditor.redemptions.ListRedemptions(accepted).redemptions


def test_what_an_instalment_is_cut_by_returns_and_the_next_is_what_it_was(parted: Any) -> None:
    assert refused(lambda: paid(parted, AMOUNTS[0] + 1)) == "AMOUNT_TOO_HIGH"
    cut = paid(parted, 10_000)
    assert wallet(parted) == (100_000 - WHOLE + AMOUNTS[0] - 10_000, WHOLE - AMOUNTS[0])
    assert cents(cut.instalments[0].amount) == AMOUNTS[0]
    assert [cents(each.amount) for each in cut.instalments] == AMOUNTS
    deliver(parted)
    assert cents(get(parted, part(paid(parted))).accepted_amount) == AMOUNTS[1]
    assert intact(parted)


def test_control_without_the_plan_the_first_instalment_takes_what_is_asked(
    parted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = payment.due
    monkeypatch.setattr(payment, "due", lambda rule, it: due(rule, it)._replace(cents=it.amount - 1))
    assert cents(get(parted, part(paid(parted, 90_000))).accepted_amount) == 90_000


def test_a_repeat_has_one_effect(parted: Any) -> None:
    once = request_id()
    first = paid(parted, request_id=once)
    assert paid(parted, request_id=once) == first
    assert len(told(parted, events_pb2.InstalmentAccepted)) == 1
    assert balances(parted, HELD) == [AMOUNTS[0]]


def test_accepted_at_once_by_many_it_is_one_instalment(parted: Any) -> None:
    assert at_once(lambda: paid(parted, request_id=request_id()), 8) == {"": 1, "WRONG_STATE": 7}
    assert balances(parted, HELD) == [AMOUNTS[0]]
    assert intact(parted)


def accepting_meanwhile(world: Any, monkeypatch: pytest.MonkeyPatch, patience: float) -> Meanwhile:
    """Lets somebody else accept the instalment at hand once the first has read it."""

    def other() -> str:
        return tried(lambda: paid(world))

    return Meanwhile(monkeypatch, redemptions, "lock_with_money", other, patience)


def test_who_accepts_an_instalment_waits_for_whoever_does(
    parted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = accepting_meanwhile(parted, monkeypatch, BRIEF)
    assert (tried(lambda: paid(parted)), twin.done, twin.answer) == ("", False, "WRONG_STATE")


def test_control_without_the_lock_one_instalment_is_accepted_twice(
    parted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_instalments(monkeypatch)
    run(parted, "DROP INDEX redemptions_parts")
    twin = accepting_meanwhile(parted, monkeypatch, LONG)
    assert (tried(lambda: paid(parted)), twin.done, twin.answer) == ("", True, "")


def test_the_database_knows_each_instalment_once(parted: Any) -> None:
    paid(parted)
    deliver(parted)
    paid(parted)
    with pytest.raises(IntegrityError, match="redemptions_parts"):
        run(parted, "UPDATE redemptions SET instalment = 1 WHERE part_of IS NOT NULL")


@pytest.mark.parametrize("way", ["reject", "void", "no-show"])
def test_what_ends_it_later_returns_the_rest_and_parts_stand(parted: Any, way: str) -> None:
    first = paid(parted)
    stubs, name, fee = parted.caseworker.redemptions, parted.main.name, 0
    if way == "reject":
        deliver(parted)
        why = State.END_REASON_NOT_ATTENDED
        ended = stubs.RejectRedemption(pb.RejectRedemptionRequest(name=name, reason_code=why))
    elif way == "void":
        ended = stubs.VoidRedemption(pb.VoidRedemptionRequest(name=name))
    else:
        fee = (WHOLE - AMOUNTS[0]) // 2
        assert cents(no_show(parted, parted.main).amount) == WHOLE - AMOUNTS[0]
        assert refused(lambda: paid(parted, fee + 1)) == "AMOUNT_TOO_HIGH"
        ended = accept(parted, parted.main)
    states = {"reject": State.STATE_REJECTED, "void": State.STATE_VOIDED, "no-show": State.STATE_ACCEPTED}
    assert ended.state == states[way]
    assert [each.redemption for each in ended.instalments] == [part(first), "", ""]
    assert wallet(parted) == (100_000 - AMOUNTS[0] - fee, 0)
    assert balances(parted, HELD) == [AMOUNTS[0] + fee]
    assert intact(parted)


def test_a_part_is_paid_stated_and_taken_back_like_any_other(parted: Any) -> None:
    first = part(paid(parted))
    assert cents(approved(parted).total) == AMOUNTS[0]
    assert get(parted, first).state == State.STATE_PAID
    assert get(parted, parted.main.name).state == State.STATE_STARTED
    assert {line.redemption for line in lines(parted)} == {first}
    deliver(parted)
    second = part(paid(parted))
    parted.redemption = get(parted, first)
    refund(parted, 20_000)
    assert [(cents(each.amount), each.redemption) for each in listed(parted)] == [(20_000, first)]
    (payout,) = approved(parted).payouts
    assert (cents(payout.amount), cents(payout.set_off)) == (AMOUNTS[1] - 20_000, 20_000)
    assert get(parted, second).state == State.STATE_PAID
    assert balances(parted, HELD, RECEIVABLE) == [0, 0]
    assert told(parted, events_pb2.RedemptionClawedBack)[0].ref.part_of == parted.main.name
    assert wallet(parted) == (100_000 - WHOLE + 20_000, AMOUNTS[2])
    assert intact(parted)


def test_the_history_tells_of_a_part_taken_back_to_the_programme(parted: Any) -> None:
    parted.redemption = get(parted, part(paid(parted)))
    claw_back(parted, learner_at_fault=True)
    history = voucher_pb2.ListVoucherHistoryRequest(parent=parted.voucher_)
    last = parted.learner_.vouchers.ListVoucherHistory(history).items[-1]
    assert (last.kind, last.redemption) == (last.KIND_CLAWED_BACK, parted.redemption.name)
    assert intact(parted)


def test_a_hold_of_the_training_stops_its_parts_and_one_of_a_part_that_alone(parted: Any) -> None:
    first = part(paid(parted))
    deliver(parted)
    second = part(paid(parted))
    hold = place(parted, first)
    assert cents(approved(parted).total) == AMOUNTS[1]
    assert get(parted, second).state == State.STATE_PAID
    place(parted, parted.main.name)
    run(parted, "UPDATE holds SET released_at = now(), released_by = 'x' WHERE id = :id", id=hold.name[6:])
    assert refused(parted.batch) == "NOTHING_TO_PAY"


def test_a_voucher_that_has_expired_pays_on_and_takes_nothing_back(parted: Any) -> None:
    run(parted, "UPDATE vouchers SET expires_at = now()")
    paid(parted, 10_000)
    deliver(parted)
    assert cents(get(parted, part(paid(parted))).accepted_amount) == AMOUNTS[1]
    assert intact(parted)


def test_what_is_reserved_of_less_than_a_hundred_cents_is_paid_at_once(parted: Any) -> None:
    parted.main = parted.delivered(*parted.voucher(parted.plan), 99)
    assert not parted.main.instalments
    assert paid(parted).state == State.STATE_ACCEPTED
    assert intact(parted)


def test_a_draft_names_what_is_wrong_with_its_instalments(world: World) -> None:
    version = world.maker.programmes.GetProgrammeVersion(
        programme_pb2.GetProgrammeVersionRequest(name=f"{world.programme(fund=0)}/versions/1")
    )
    version.payment_rule.instalments.add(trigger=1, percent=60)
    version.payment_rule.instalments.add(trigger=3, percent=39)
    request = programme_pb2.CreateProgrammeVersionRequest(
        parent=version.name.partition("/versions")[0], version=version
    )
    assert set(violations_of(lambda: world.maker.programmes.CreateProgrammeVersion(request))) == {
        "version.payment_rule.trigger",
        "version.payment_rule.evidence_count",
        "version.payment_rule.instalments[0].evidence_count",
        "version.payment_rule.instalments",
    }


def test_a_part_is_no_step_of_the_training(parted: Any) -> None:
    name = part(paid(parted))
    for call, request in (
        (parted.learner_.redemptions.VoidRedemption, pb.VoidRedemptionRequest(name=name)),
        (parted.provider.redemptions.DeliverRedemption, pb.DeliverRedemptionRequest(name=name)),
        (parted.provider.redemptions.ReportNoShow, pb.ReportNoShowRequest(name=name)),
        (parted.caseworker.redemptions.AcceptRedemption, pb.AcceptRedemptionRequest(name=name)),
    ):
        assert refused(lambda call=call, request=request: call(request)) == "WRONG_STATE"  # type: ignore[misc]
    other = parted.person("provider", org="organisations/other")
    read = pb.GetRedemptionRequest(name=name)
    assert refused(lambda: other.redemptions.GetRedemption(read)) == "NOT_FOUND"
    assert parted.provider.redemptions.GetRedemption(read).voucher == ""


def test_control_parts_would_be_listed_as_trainings(parted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(parted)
    everything = redemptions.select(redemptions.redemptions)
    monkeypatch.setattr(redemptions, "listed", lambda *_, **__: everything)
    found = parted.auditor.redemptions.ListRedemptions(pb.ListRedemptionsRequest()).redemptions
    assert len(found) == 2
