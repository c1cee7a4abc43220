"""What several vouchers, or several reservations of one, may pay of one session for one person."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.vouchers.store import redemptions
from tests.integration.vouchers.refusals import refused, tried
from tests.support.meetings import Meanwhile
from tests.support.vouchers import NO_EVIDENCE, World, cents, sample

ANY_COURSE = {**NO_EVIDENCE, "scope": "SCOPE_PROGRAMME"}


def shared(name: str = "dutch-temporary-training-voucher", **amount: Any) -> dict[str, Any]:
    """Returns rules of a programme that minds no other, and whose vouchers go for any course."""
    rule = {**sample(name)["version"]["amountRule"], "noDoubleFunding": False, **amount}
    return {**ANY_COURSE, "amountRule": rule}


@pytest.fixture
def dear(world: World) -> str:
    """A session of another course, at 2 000 euro, double the price of the world's own."""
    return world.offer("courses/dear", price=200_000)


def two_programmes(world: World, dear: str, **changes: Any) -> tuple[Any, str, str]:
    """Returns a learner with vouchers of two programmes, granted for different sessions."""
    learner = world.learner()
    one = world.apply(learner, world.programme(**(changes or ANY_COURSE)), world.session)
    other = world.apply(learner, world.programme(**(changes or ANY_COURSE)), dear)
    return learner, one.voucher, other.voucher


def test_a_session_is_not_funded_by_two_programmes_wherever_they_were_granted_for(
    world: World, dear: str
) -> None:
    learner, one, other = two_programmes(world, dear)
    first = world.reserve(learner, one)
    assert refused(lambda: world.reserve(learner, other)) == "SESSION_FUNDED"
    assert cents(world.reserve(learner, other, session=dear).amount) == 200_000
    learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=first.name))
    assert refused(lambda: world.reserve(learner, one, session=dear)) == "SESSION_FUNDED"
    assert cents(world.reserve(learner, one).amount) == 100_000
    assert world.verify().intact


def test_programmes_that_go_together_pay_no_more_than_the_price(world: World, dear: str) -> None:
    learner, one, other = two_programmes(world, dear, **shared())
    world.reserve(learner, one, amount=70_000)
    assert refused(lambda: world.reserve(learner, other, amount=30_001)) == "AMOUNT_TOO_HIGH"
    assert cents(world.reserve(learner, other).amount) == 30_000
    assert refused(lambda: world.reserve(learner, one)) == "SESSION_FUNDED"


@pytest.mark.parametrize("strict_first", [True, False])
def test_one_programme_that_minds_others_is_enough_whichever_comes_first(
    world: World, dear: str, strict_first: bool
) -> None:
    learner, rules = world.learner(), [ANY_COURSE, shared()]
    first, second = [world.programme(**each) for each in (rules if strict_first else reversed(rules))]
    one, other = world.apply(learner, first).voucher, world.apply(learner, second, dear).voucher
    assert "DOUBLE_FUNDING" in world.apply(learner, second).reason_codes
    reserved = world.reserve(learner, one, amount=60_000)
    assert refused(lambda: world.reserve(learner, other)) == "SESSION_FUNDED"
    learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=reserved.name))
    assert cents(world.reserve(learner, other).amount) == 100_000
    assert refused(lambda: world.reserve(learner, one)) == "SESSION_FUNDED"


def test_a_voucher_pays_a_session_once(world: World, dear: str) -> None:
    learner = world.learner()
    voucher = world.apply(learner, world.programme(**ANY_COURSE), dear).voucher  # 2 000 euro
    world.accepted(learner, voucher, amount=60_000)
    assert refused(lambda: world.reserve(learner, voucher, amount=40_001)) == "AMOUNT_TOO_HIGH"
    assert cents(world.reserve(learner, voucher).amount) == 40_000
    assert refused(lambda: world.reserve(learner, voucher)) == "SESSION_FUNDED"
    assert cents(world.wallet(learner, voucher).available) == 100_000


def test_what_was_not_accepted_or_was_taken_back_may_be_paid_again(world: World, dear: str) -> None:
    learner = world.learner()
    voucher = world.apply(learner, world.programme(**ANY_COURSE), dear).voucher
    redemption = world.accepted(learner, voucher, accept=90_000)
    assert cents(world.reserve(learner, voucher).amount) == 10_000
    back = pb.RefundRedemptionRequest(name=redemption.name, reason_code=pb.Redemption.END_REASON_OTHER)
    world.provider.redemptions.RefundRedemption(back)
    assert cents(world.reserve(learner, voucher).amount) == 90_000


def test_instalments_count_as_the_training_that_they_are_of(world: World, dear: str) -> None:
    halves = {"paymentRule": {"instalments": [{"trigger": "TRIGGER_DELIVERY", "percent": 50}] * 2}}
    learner = world.learner()
    voucher = world.apply(learner, world.programme(**{**ANY_COURSE, **halves}), dear).voucher
    world.accepted(learner, voucher)
    assert refused(lambda: world.reserve(learner, voucher)) == "SESSION_FUNDED"


def test_the_learners_fixed_share_stays_when_the_price_falls(world: World) -> None:
    world.offer(price=55_000, kind="guidance")
    learner = world.learner(employment_status="employed")
    programme = world.programme("flemish-career-guidance-voucher", **NO_EVIDENCE)
    _, voucher = world.voucher(programme, learner)
    world.offer(price=50_000, kind="guidance")
    assert refused(lambda: world.reserve(learner, voucher, amount=46_001)) == "AMOUNT_TOO_HIGH"
    assert cents(world.reserve(learner, voucher).amount) == 46_000
    world.offer(price=4_000, kind="guidance")
    other = world.learner(employment_status="employed")
    world.offer(price=55_000, kind="guidance")
    _, voucher = world.voucher(programme, other)
    world.offer(price=4_000, kind="guidance")
    assert refused(lambda: world.reserve(other, voucher)) == "VOUCHER_NOT_FOR_SESSION"


def race(world: World, dear: str, monkeypatch: pytest.MonkeyPatch, patience: float) -> Meanwhile:
    """Reserves a session with a second voucher while a reservation with the first stands between looking and
    writing; returns the second."""
    learner, *vouchers = two_programmes(world, dear)

    def reserve(voucher: str) -> Any:  # without a request id calls do not share a thread
        request = pb.ReserveRedemptionRequest(voucher=voucher, session=world.session)
        return learner.redemptions.ReserveRedemption(request, timeout=60)

    second = Meanwhile(monkeypatch, redemptions, "funded", lambda: reserve(vouchers[1]), patience)
    reserve(vouchers[0])
    return second


def test_of_two_vouchers_at_once_one_pays(world: World, dear: str, monkeypatch: pytest.MonkeyPatch) -> None:
    second = race(world, dear, monkeypatch, 1)
    assert refused(lambda: second.answer) == "SESSION_FUNDED"
    assert not second.done


def test_control_without_the_lock_on_the_learner_both_pay(
    world: World, dear: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = redemptions.named("one_learner_unlocked", "SELECT CAST(:learner AS text)")
    monkeypatch.setattr(redemptions, "_ONE_LEARNER", unlocked)
    assert cents(race(world, dear, monkeypatch, 30).answer.amount) == 100_000


def test_vouchers_at_once_in_one_group_pay_once_too(world: World, dear: str) -> None:
    learner, *vouchers = two_programmes(world, dear)
    with ThreadPoolExecutor(2) as pool:
        came = Counter(pool.map(lambda each: tried(lambda: world.reserve(learner, each)), vouchers))
    assert came == Counter(["", "SESSION_FUNDED"])
