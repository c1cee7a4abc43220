"""Rules on what was accepted: what hits, who puts them into force, and that nothing unseen is paid."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from waymark.vouchers.v1 import bank_account_pb2, events_pb2, hold_pb2
from waymark.vouchers.v1 import monitoring_rule_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import jobs, monitoring, settlement
from services.vouchers.store import payouts
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import everything
from tests.support.quality import Alert, Rule, alerts, draft, look, rule, run, told
from tests.support.vouchers import IBAN, NO_EVIDENCE, World, cents, eur

HIGH = {"amount": pb.AmountCondition(above=eur(50_000))}


@pytest.fixture
def owed(world: World) -> World:
    """A world with a programme, in which the school has an account."""
    world.plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    world.bank_account()
    return world


def accept(world: World, amount: int = 0, **options: Any) -> Any:
    """Has a redemption accepted on a voucher of its own."""
    return world.accepted(*world.voucher(world.plan, **options), amount=amount)


def test_a_high_amount_is_held_and_the_rest_is_paid(owed: World) -> None:
    rule(owed, **HIGH)
    low, high = accept(owed, 50_000), accept(owed, 50_001)
    (alert,) = look(owed)
    assert (alert.redemption, alert.target) == (high.name, high.name)
    assert (alert.kind, alert.measured, alert.limit) == (Alert.KIND_AMOUNT, 50_001, 50_000)
    assert (alert.rule, alert.organisation) == ("monitoringRules/rule/versions/1", owed.organisation)
    (hold,) = owed.auditor.holds.ListHolds(hold_pb2.ListHoldsRequest()).holds
    assert (hold.name, hold.target, hold.alert) == (alert.hold, high.name, alert.name)
    (event,) = told(owed, events_pb2.AlertRaised)
    assert (event.alert, event.kind, event.holds) == (alert.name, "AMOUNT", True)
    assert cents(owed.batch().total) == 50_000
    assert low.state == high.state


def test_the_median_of_the_course_is_the_measure_once_it_means_something(owed: World) -> None:
    rule(owed, amount=pb.AmountCondition(above_median_percent=150))
    for _ in range(4):
        accept(owed, 10_000)
    accept(owed, 90_000)  # the fifth: a median of four says nothing
    assert look(owed) == []
    accept(owed, 15_000)
    assert look(owed) == []
    accept(owed, 15_001)
    (alert,) = look(owed)
    assert (alert.measured, alert.limit) == (15_001, 15_000)


def test_a_delivery_just_after_the_start_hits(owed: World) -> None:
    rule(owed, speed=pb.SpeedCondition(sooner_than_hours=8))
    slow, fast = accept(owed), accept(owed)
    run(
        owed,
        "UPDATE redemptions SET started_at = started_at - interval '8 hours' WHERE id = :id",
        id=slow.name.partition("/")[2],
    )
    (alert,) = look(owed)
    assert (alert.redemption, alert.kind) == (fast.name, Alert.KIND_SPEED)
    assert (alert.measured, alert.limit) == (0, 8 * 60)


def test_more_deliveries_on_a_day_than_allowed_hit_whenever_they_are_looked_at(owed: World) -> None:
    rule(owed, speed=pb.SpeedCondition(more_than_per_day=2))
    accept(owed)
    assert look(owed) == []
    accept(owed), accept(owed)
    (third,) = look(owed)
    assert (third.measured, third.limit) == (3, 2)
    accept(owed)
    assert {alert.measured for alert in look(owed)} == {3, 4}


@pytest.mark.parametrize(
    ("level", "residence", "hits"),
    [(1, "BE211", False), (1, "BE10", True), (0, "BE10", False), (0, "NL41", True), (3, "BE21", False)],
)
def test_a_learner_from_another_region_hits(owed: World, level: int, residence: str, hits: bool) -> None:
    rule(owed, distance=pb.DistanceCondition(nuts_level=level))
    accept(owed, person=owed.learner(residence_nuts=residence))  # the session is in BE21
    assert [alert.kind for alert in look(owed)] == [Alert.KIND_DISTANCE] * hits


def test_two_providers_with_one_account_are_held_and_the_number_is_nowhere(
    owed: World, capfd: pytest.CaptureFixture[str]
) -> None:
    rule(owed, shared_account=pb.SharedAccountCondition(), hold_on=Rule.HOLD_ON_PROVIDER)
    accept(owed)
    assert look(owed) == []
    owed.accredit("organisations/twin")
    proposed = owed.payer.accounts.ProposeBankAccount(
        bank_account_pb2.ProposeBankAccountRequest(
            parent="organisations/twin",
            bank_account=bank_account_pb2.BankAccount(holder_name="Twin", iban=IBAN),
        )
    )
    accept(owed)
    assert look(owed) == []  # proposed only
    owed.approver.accounts.ConfirmBankAccount(bank_account_pb2.ConfirmBankAccountRequest(name=proposed.name))
    accept(owed), accept(owed)
    (alert,) = look(owed)  # one while it is open
    assert (alert.kind, alert.target, alert.measured) == (Alert.KIND_SHARED_ACCOUNT, owed.organisation, 1)
    assert list(alert.linked) == ["organisations/twin"]
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    assert IBAN not in str(alert) + str(told(owed, events_pb2.AlertRaised)) + "".join(capfd.readouterr())
    kept = everything(owed.app.engine)
    assert kept.count(IBAN) == 2  # the two accounts themselves


@pytest.mark.parametrize(
    ("twin", "paid", "hits"),
    [
        ({"addresses": ["door", "other"]}, False, True),
        ({"addresses": ["door"], "accredited": False}, True, True),  # whatever became of who was paid before
        ({"addresses": ["door"], "accredited": False}, False, False),  # an office of somebody else
        ({"addresses": ["other"]}, False, False),
        ({}, False, False),
    ],
)
def test_two_providers_at_one_address_are_held(
    owed: World, twin: dict[str, Any], paid: bool, hits: bool
) -> None:
    rule(owed, shared_address=pb.SharedAddressCondition(), hold_on=Rule.HOLD_ON_PROVIDER)
    if paid:
        accept(owed)
        look(owed)
        run(owed, "UPDATE acceptances SET organisation = 'organisations/twin'")
    owed.accredit(addresses=["door", "yard"])
    owed.accredit("organisations/twin", **twin)
    accept(owed), accept(owed)
    found = [(alert.kind, alert.target, alert.measured, *alert.linked) for alert in look(owed)]
    hit = (Alert.KIND_SHARED_ADDRESS, owed.organisation, 1, "organisations/twin")
    assert found == [hit] * hits  # one while it is open
    if hits:
        assert refused(owed.batch) == "NOTHING_TO_PAY"


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_what_a_new_provider_takes_beyond_its_cap_is_held(owed: World, guarded: bool) -> None:
    cap = pb.NewProviderCondition(within_days=90, above=eur(50_000))
    rule(owed, new_provider=cap, off=not guarded)
    accept(owed, 30_000)
    assert look(owed) == []
    within, beyond = accept(owed, 20_000), accept(owed, 1)  # looked at together
    found = {alert.redemption: (alert.kind, alert.measured, alert.limit) for alert in look(owed)}
    assert found == ({beyond.name: (Alert.KIND_NEW_PROVIDER, 50_001, 50_000)} if guarded else {})
    assert within.name not in found
    assert cents(owed.batch().total) == 50_000 + (not guarded)


def test_a_provider_is_new_from_its_first_acceptance_on_and_for_so_long_only(owed: World) -> None:
    rule(owed, new_provider=pb.NewProviderCondition(within_days=90, more_than=1))
    accept(owed)
    look(owed)
    owed.accredit()  # anew, which starts nothing
    turn = "UPDATE acceptances SET accepted_at = accepted_at - make_interval(days => :days)"
    run(owed, turn, days=89)
    accept(owed)
    assert [(alert.measured, alert.limit) for alert in look(owed)] == [(2, 1)]
    run(owed, turn, days=1)
    accept(owed)
    assert len(look(owed)) == 1


def test_a_sample_can_be_drawn_again_from_the_seed_that_was_committed_to(owed: World) -> None:
    made = rule(owed, sample=pb.SampleCondition(share_basis_points=5_000))
    names = {accept(owed).name for _ in range(12)}
    found = {alert.redemption for alert in look(owed)}
    request = pb.GetSamplingSeedRequest(name=made.name)
    assert refused(lambda: owed.payer.rules.GetSamplingSeed(request)) == "PERMISSION_DENIED"
    told_ = owed.auditor.rules.GetSamplingSeed(request)
    seed = bytes.fromhex(told_.seed)
    assert hashlib.sha256(seed).hexdigest() == told_.seed_sha256 == made.sample.seed_sha256
    assert found == {
        name
        for name in names
        if int.from_bytes(hmac.digest(seed, name.encode(), "sha256")[:8], "big") < 2**63
    }
    assert told_.seed not in everything(owed.app.engine)
    rule(owed, sample=pb.SampleCondition(share_basis_points=10_000))
    one = accept(owed).name
    assert one in {alert.redemption for alert in look(owed)}


def test_many_alerts_are_raised_over_one_connection(owed: World) -> None:
    """PostgreSQL plans a statement anew for its first values and then for any; both must find the index."""
    rule(owed, sample=pb.SampleCondition(share_basis_points=10_000))
    names = {accept(owed).name for _ in range(16)}
    assert names <= {alert.redemption for alert in look(owed)}


def test_a_version_takes_two_people_and_replaces_the_one_before(owed: World) -> None:
    first = draft(owed, **HIGH)
    activate = pb.ActivateMonitoringRuleRequest(name=first.name)
    assert refused(lambda: owed.maker.rules.ActivateMonitoringRule(activate)) == "SAME_PERSON"
    accept(owed)
    assert look(owed) == []  # a draft looks at nothing
    assert owed.checker.rules.ActivateMonitoringRule(activate).state == Rule.STATE_ACTIVE
    assert refused(lambda: owed.checker.rules.ActivateMonitoringRule(activate)) == "WRONG_STATE"
    older = draft(owed, **HIGH)
    second = rule(owed, off=True, **HIGH)
    assert second.name == "monitoringRules/rule/versions/3"
    late = pb.ActivateMonitoringRuleRequest(name=older.name)
    assert refused(lambda: owed.checker.rules.ActivateMonitoringRule(late)) == "WRONG_STATE"
    accept(owed)
    assert look(owed) == []  # switched off
    states = {
        each.name[-1]: each.state
        for each in owed.auditor.rules.ListMonitoringRules(
            pb.ListMonitoringRulesRequest(show_superseded=True)
        ).monitoring_rules
    }
    assert states == {"1": Rule.STATE_SUPERSEDED, "2": Rule.STATE_DRAFT, "3": Rule.STATE_ACTIVE}
    read = owed.auditor.rules.GetMonitoringRule(pb.GetMonitoringRuleRequest(name=first.name))
    assert (read.amount, read.state) == (HIGH["amount"], Rule.STATE_SUPERSEDED)


def test_a_rule_that_says_nothing_or_of_no_programme_is_refused_and_not_kept(owed: World) -> None:
    nothing = lambda **fields: violations_of(lambda: draft(owed, **fields))  # noqa: E731
    assert "monitoring_rule.amount" in nothing(amount=pb.AmountCondition())
    assert "monitoring_rule.speed" in nothing(speed=pb.SpeedCondition())
    assert "monitoring_rule.new_provider" in nothing(new_provider=pb.NewProviderCondition(within_days=9))
    bad = eur(1)
    bad.nanos = 1
    assert "monitoring_rule.amount.above.nanos" in nothing(amount=pb.AmountCondition(above=bad))
    cap = pb.NewProviderCondition(within_days=9, above=bad)
    assert "monitoring_rule.new_provider.above.nanos" in nothing(new_provider=cap)
    assert "monitoring_rule.hold_on" in nothing(hold_on=0, **HIGH)
    assert refused(lambda: draft(owed, programme="programmes/none", **HIGH)) == "NOT_FOUND"
    assert not owed.auditor.rules.ListMonitoringRules(pb.ListMonitoringRulesRequest()).monitoring_rules


def test_a_rule_of_a_programme_looks_at_that_one_only(owed: World) -> None:
    rule(owed, programme=owed.programme(**NO_EVIDENCE), **HIGH)
    accept(owed)
    assert look(owed) == []


def test_an_alert_that_holds_nothing_lets_the_money_go(owed: World) -> None:
    rule(owed, hold_on=Rule.HOLD_ON_NOTHING, **HIGH)
    accept(owed)
    (alert,) = look(owed)
    assert not alert.hold
    assert cents(owed.batch().total) == 100_000


def test_what_no_rule_has_looked_at_is_looked_at_before_it_is_released(owed: World) -> None:
    rule(owed, **HIGH)
    accept(owed), accept(owed, 50_000)
    assert cents(owed.batch().total) == 50_000  # no job came by; the batch looks itself
    assert len(alerts(owed)) == 1


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_what_nobody_has_looked_at_is_never_released(
    owed: World, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    rule(owed, **HIGH)
    accept(owed)
    monkeypatch.setattr(settlement, "check_accepted", lambda *_: 0)
    monkeypatch.setattr(monitoring, "check_accepted", lambda *_: 0)
    if not guarded:
        careless = str(payouts._RELEASABLE).replace("r.checked_at IS NOT NULL", "true")
        monkeypatch.setattr(payouts, "_RELEASABLE", payouts.text(careless))
    jobs.release_held(owed.app)
    if guarded:
        assert refused(owed.batch) == "NOTHING_TO_PAY"
    else:
        assert cents(owed.batch().total) == 100_000  # paid although a rule would have stopped it


def test_who_releases_while_somebody_looks_releases_nothing_of_it(owed: World) -> None:
    rule(owed, **HIGH)
    accept(owed)
    app: Any = owed.app
    with transaction(app) as looking:
        assert monitoring.check_accepted(app, looking) == 1
        jobs.release_held(app)  # in a transaction of its own, before the alert can be seen
    assert refused(owed.batch) == "NOTHING_TO_PAY"
    assert len(alerts(owed)) == 1


def test_alerts_are_raised_in_one_order_whatever_was_accepted_first(owed: World) -> None:
    """Two who look at once meet at the same targets; in two orders each could wait for the other."""
    rule(owed, hold_on=Rule.HOLD_ON_COURSE, **HIGH)
    for course in ("courses/zinc", "courses/brass"):
        session, person = owed.offer(course), owed.learner()
        voucher = owed.apply(person, owed.plan, session).voucher
        owed.session = session
        owed.accepted(person, voucher)
    assert [alert.target for alert in reversed(look(owed))] == ["courses/brass", "courses/zinc"]


def test_acceptance_itself_asks_no_rule(owed: World) -> None:
    rule(owed, **HIGH)
    accept(owed)
    assert alerts(owed) == []
    assert len(look(owed)) == 1
    assert len(look(owed)) == 1  # and looks once


def test_many_are_looked_at_in_several_transactions(owed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "AT_ONCE", 3)
    real = monitoring.check_accepted
    sizes: list[int] = []

    def few(app: Any, tx: Any, limit: int = 3) -> int:
        sizes.append(real(app, tx, limit))
        return sizes[-1]

    monkeypatch.setattr(monitoring, "check_accepted", few)
    rule(owed, **HIGH)
    for _ in range(7):
        accept(owed)
    assert len(look(owed)) == 7
    assert sizes == [3, 3, 1]


def test_the_rules_ask_the_region_that_is_valid_today(owed: World) -> None:
    rule(owed, distance=pb.DistanceCondition(nuts_level=1))
    person = owed.learner(residence_nuts="BE10")
    run(
        owed,
        "UPDATE learner_facts SET valid_until = :gone WHERE key = 'residence_nuts'",
        gone=datetime.now(UTC).date() - timedelta(days=1),
    )
    accept(owed, person=person)
    assert look(owed) == []
