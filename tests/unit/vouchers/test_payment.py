"""Every trigger decides: which evidence a delivery needs, and when the money may leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from waymark.vouchers.v1 import programme_pb2, redemption_pb2

from services.vouchers.domain import payment
from services.vouchers.domain.payment import Evidence, Rule

ATTENDANCE, COMPLETION = Evidence.KIND_ATTENDANCE, Evidence.KIND_COMPLETION
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
    [(Rule.TRIGGER_ATTENDANCE, 2), (Rule.TRIGGER_COMPLETION, 1), (Rule.TRIGGER_DELIVERY, 0)],
)
def test_only_evidence_of_the_triggers_kind_counts(trigger: Rule.Trigger, counted: int) -> None:
    assert payment.counting(Rule(trigger=trigger), [ATTENDANCE, COMPLETION, ATTENDANCE]) == counted


@pytest.mark.parametrize(
    ("trigger", "last_day", "released"),
    [
        (Rule.TRIGGER_ATTENDANCE, date(2026, 6, 9), NOON + DAY),
        (Rule.TRIGGER_DELIVERY, date(2026, 6, 9), NOON + DAY),
        (Rule.TRIGGER_COMPLETION, date(2026, 6, 9), datetime(2026, 6, 10, tzinfo=UTC)),
        (Rule.TRIGGER_COMPLETION, date(2026, 5, 9), NOON + DAY),
        (Rule.TRIGGER_COMPLETION, None, NOON + DAY),
    ],
)
def test_completion_alone_waits_for_the_last_day(
    trigger: Rule.Trigger, last_day: date | None, released: datetime
) -> None:
    assert payment.release_time(Rule(trigger=trigger), NOON, DAY, last_day) == released


@pytest.mark.parametrize(
    ("percent", "reserved", "fee"), [(0, 1_000, 0), (100, 1_000, 1_000), (33, 1_000, 330), (33, 3, 0)]
)
def test_a_no_show_pays_a_share_rounded_down(percent: int, reserved: int, fee: int) -> None:
    assert payment.no_show_fee(Rule(no_show_percent=percent), reserved) == fee
