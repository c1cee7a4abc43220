"""Every trigger decides: which evidence a delivery needs, when the money may leave; instalments, how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.vouchers.v1 import programme_pb2, redemption_pb2

from services.vouchers.domain import payment
from services.vouchers.domain.payment import Due, Evidence, Rule
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.states import RedemptionState

ATTENDANCE, COMPLETION, OUTCOME = Evidence.KIND_ATTENDANCE, Evidence.KIND_COMPLETION, Evidence.KIND_OUTCOME
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("trigger", "count", "field"),
    [
        (Rule.TRIGGER_ATTENDANCE, 1, ""),
        (Rule.TRIGGER_ATTENDANCE, 0, "evidence_count"),
        (Rule.TRIGGER_COMPLETION, 10, ""),
        (Rule.TRIGGER_COMPLETION, 0, "evidence_count"),
        (Rule.TRIGGER_DELIVERY, 0, ""),
        (Rule.TRIGGER_DELIVERY, 1, "evidence_count"),
        (Rule.TRIGGER_OUTCOME, 1, ""),
        (Rule.TRIGGER_OUTCOME, 0, "evidence_count"),
        (Rule.TRIGGER_START, 0, "trigger"),  # for a first instalment only
        (Rule.TRIGGER_UNSPECIFIED, 1, "trigger"),
        (99, 1, "trigger"),
    ],
)
def test_a_rule_that_payment_cannot_follow_is_refused(trigger: int, count: int, field: str) -> None:
    rule = Rule(trigger=trigger, evidence_count=count)  # type: ignore[arg-type]
    expected = [f"version.payment_rule.{field}"] if field else []
    assert [violation.field for violation in payment.problems(rule)] == expected


def test_no_value_of_the_contract_is_left_without_a_meaning() -> None:
    triggers = programme_pb2.PaymentRule.Trigger.values()
    assert set(payment.PROOF) == set(triggers) - {Rule.TRIGGER_UNSPECIFIED}
    kinds = set(redemption_pb2.DeliveryEvidence.Kind.values())
    assert set(payment.PROOF.values()) == kinds


@pytest.mark.parametrize(
    ("trigger", "counted"),
    [
        (Rule.TRIGGER_ATTENDANCE, 2),
        (Rule.TRIGGER_COMPLETION, 1),
        (Rule.TRIGGER_OUTCOME, 1),
        (Rule.TRIGGER_DELIVERY, 0),
        (Rule.TRIGGER_START, 0),
    ],
)
def test_only_evidence_of_the_triggers_kind_counts(trigger: Rule.Trigger, counted: int) -> None:
    assert payment.counting(Due(trigger, 1, 100), [ATTENDANCE, COMPLETION, OUTCOME, ATTENDANCE]) == counted


@pytest.mark.parametrize(
    ("trigger", "last_day", "released"),
    [
        (Rule.TRIGGER_ATTENDANCE, date(2026, 6, 9), NOON + DAY),
        (Rule.TRIGGER_DELIVERY, date(2026, 6, 9), NOON + DAY),
        (Rule.TRIGGER_START, date(2026, 6, 9), NOON + DAY),
        (Rule.TRIGGER_OUTCOME, date(2026, 6, 9), datetime(2026, 6, 10, tzinfo=UTC)),
        (Rule.TRIGGER_COMPLETION, date(2026, 6, 9), datetime(2026, 6, 10, tzinfo=UTC)),
        (Rule.TRIGGER_COMPLETION, date(2026, 5, 9), NOON + DAY),
        (Rule.TRIGGER_COMPLETION, None, NOON + DAY),
    ],
)
def test_completion_and_outcome_wait_for_the_last_day(
    trigger: Rule.Trigger, last_day: date | None, released: datetime
) -> None:
    assert payment.release_time(Due(trigger, 1, 100), NOON, DAY, last_day) == released


@pytest.mark.parametrize(
    ("percent", "reserved", "fee"), [(0, 1_000, 0), (100, 1_000, 1_000), (33, 1_000, 330), (33, 3, 0)]
)
def test_a_no_show_pays_a_share_rounded_down(percent: int, reserved: int, fee: int) -> None:
    assert payment.no_show_fee(Rule(no_show_percent=percent), reserved) == fee


def test_a_start_pays_a_first_instalment_and_no_other() -> None:
    start = Rule.Instalment(trigger=Rule.TRIGGER_START, percent=30)
    rest = Rule.Instalment(trigger=Rule.TRIGGER_OUTCOME, evidence_count=1, percent=70)
    assert payment.problems(Rule(instalments=[start, rest])) == []
    (found,) = payment.problems(Rule(instalments=[rest, start]))
    assert found.field == "version.payment_rule.instalments[1].trigger"


def parted(*percents: int) -> Rule:
    """Returns a rule that pays in such parts, on the provider's word."""
    parts = [Rule.Instalment(trigger=Rule.TRIGGER_DELIVERY, percent=percent) for percent in percents]
    return Rule(instalments=parts)


@st.composite
def hundreds(draw: st.DrawFn) -> list[int]:
    """2 to 12 percents that sum to 100."""
    cuts = draw(st.sets(st.integers(1, 99), min_size=1, max_size=11))
    ends = [*sorted(cuts), 100]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


@given(hundreds(), st.integers(100, 10_000_000))
def test_instalments_sum_to_what_was_reserved_and_none_is_nothing(percents: list[int], whole: int) -> None:
    rule, taken = parted(*percents), 0
    for number, (part, cents) in enumerate(payment.instalments(rule, whole), 1):
        assert part.percent == percents[number - 1]
        assert cents == whole * sum(percents[:number]) // 100 - taken
        assert cents > 0
        taken += cents
    assert taken == whole


def test_what_comes_next_follows_from_what_was_taken_out() -> None:
    rule = parted(30, 30, 40)
    rule.no_show_percent = 50
    at = Redemption("r", RedemptionState.DELIVERED, 999, 0, NOON)
    seen = []
    for number in range(3):
        due = payment.due(rule, at)
        seen.append((due.cents, due.last))
        if not due.last:
            at, part = at.accept_part(f"part-{number}", 1, due.cents)
            assert (part.amount, part.accepted, part.instalment) == (due.cents, 1, number + 1)
            assert (at.state, at.whole) == (RedemptionState.STARTED, 999)
            at = replace(at, state=RedemptionState.DELIVERED)
    assert seen == [(299, False), (300, False), (400, True)]
    assert payment.due(rule, replace(at, no_show=NOON)) == Due(Rule.TRIGGER_DELIVERY, 0, 200)


def test_less_than_a_hundred_cents_is_paid_at_once_by_what_the_last_asks_for() -> None:
    rule = parted(50, 50)
    rule.instalments[1].trigger, rule.instalments[1].evidence_count = Rule.TRIGGER_COMPLETION, 2
    assert payment.instalments(rule, 99) == []
    tiny = Redemption("r", RedemptionState.STARTED, 99, 0, NOON)
    assert payment.due(rule, tiny) == Due(Rule.TRIGGER_COMPLETION, 2, 99)


@pytest.mark.parametrize(
    ("percents", "field"),
    [((50, 50), ""), ((100,), "instalments"), ((50, 49), "instalments"), ((51, 50), "instalments")],
)
def test_instalments_that_do_not_make_a_whole_are_refused(percents: tuple[int, ...], field: str) -> None:
    found = [violation.field for violation in payment.problems(parted(*percents))]
    assert found == ([f"version.payment_rule.{field}"] if field else [])


def test_each_instalment_has_its_own_trigger_and_the_rule_none() -> None:
    rule = parted(50, 50)
    rule.trigger, rule.evidence_count = Rule.TRIGGER_ATTENDANCE, 1
    rule.instalments[0].trigger = Rule.TRIGGER_COMPLETION
    rule.instalments[1].evidence_count = 1
    assert [violation.field for violation in payment.problems(rule)] == [
        "version.payment_rule.trigger",
        "version.payment_rule.evidence_count",
        "version.payment_rule.instalments[0].evidence_count",
        "version.payment_rule.instalments[1].evidence_count",
    ]
