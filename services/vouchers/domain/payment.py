"""When a provider is paid: what each trigger asks for with a delivery, and when it lets the money go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from waymark.vouchers.v1 import programme_pb2, redemption_pb2

from services.platform.errors import Violation
from services.vouchers.domain.redemption import Redemption

Rule = programme_pb2.PaymentRule
Evidence = redemption_pb2.DeliveryEvidence
# The kind of evidence that each trigger wants; unspecified: the provider's word is enough.
PROOF: Mapping[int, int] = {
    Rule.TRIGGER_ATTENDANCE: Evidence.KIND_ATTENDANCE,
    Rule.TRIGGER_COMPLETION: Evidence.KIND_COMPLETION,
    Rule.TRIGGER_DELIVERY: Evidence.KIND_UNSPECIFIED,
}


def problems(rule: Rule) -> list[Violation]:
    """Returns what is wrong with a rule that payment cannot follow, naming the field."""
    if rule.trigger not in PROOF:
        problem = ("trigger", "is none that payment can follow")
    elif PROOF[rule.trigger] and not rule.evidence_count:
        problem = ("evidence_count", "must be at least 1: this trigger is evidence")
    elif not PROOF[rule.trigger] and rule.evidence_count:
        problem = ("evidence_count", "must be 0: this trigger asks for no evidence")
    else:
        return []
    return [Violation(f"version.payment_rule.{problem[0]}", problem[1])]


def no_show_fee(rule: Rule, reserved: int) -> int:
    """Returns what a provider may get at most, of `reserved`, for a learner who was not there. Cents."""
    return reserved * rule.no_show_percent // 100


def acceptable(rule: Rule, redemption: Redemption) -> int:
    """Returns what of a delivery can be accepted at most, in cents."""
    return no_show_fee(rule, redemption.amount) if redemption.no_show else redemption.amount


def counting(rule: Rule, kinds: Iterable[int]) -> int:
    """Returns how many of these pieces of evidence are of the kind that the trigger wants."""
    wanted = PROOF.get(rule.trigger)
    return sum(kind == wanted for kind in kinds)


def waits_for_the_end(rule: Rule) -> bool:
    """True when no money is released before the session's last day has passed."""
    return rule.trigger == Rule.TRIGGER_COMPLETION


def release_time(rule: Rule, accepted: datetime, delay: timedelta, last_day: date | None) -> datetime:
    """Returns when (UTC) an amount accepted at `accepted` may be paid out. `last_day`: of the session,
    None when it is not known."""
    earliest = accepted + delay
    if waits_for_the_end(rule) and last_day is not None:
        return max(earliest, datetime.combine(last_day, time.min, UTC) + timedelta(days=1))
    return earliest
