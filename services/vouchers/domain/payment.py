"""When a provider is paid: what each trigger asks for with a delivery, how much of that can be accepted, and
when the money may go. Cents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from waymark.vouchers.v1 import programme_pb2, redemption_pb2

from services.platform.days import begin
from services.platform.errors import Violation
from services.vouchers.domain.redemption import Redemption

Rule = programme_pb2.PaymentRule
Evidence = redemption_pb2.DeliveryEvidence
# The kind of evidence that each trigger wants; unspecified: the provider's word is enough.
PROOF: Mapping[int, int] = {
    Rule.TRIGGER_ATTENDANCE: Evidence.KIND_ATTENDANCE,
    Rule.TRIGGER_COMPLETION: Evidence.KIND_COMPLETION,
    Rule.TRIGGER_DELIVERY: Evidence.KIND_UNSPECIFIED,
    Rule.TRIGGER_START: Evidence.KIND_UNSPECIFIED,
    Rule.TRIGGER_OUTCOME: Evidence.KIND_OUTCOME,
}
PLACE = "version.payment_rule"


class Due(NamedTuple):
    """What comes next of a redemption: what its delivery needs, and what can be accepted of it at most.
    `last`: nothing follows."""

    trigger: int
    evidence_count: int
    cents: int
    last: bool = True


def problems(rule: Rule) -> list[Violation]:
    """Returns what is wrong with a rule that payment cannot follow, naming the field."""
    return list(_wrong_instalments(rule) if rule.instalments else _wrong_whole(rule))


def _wrong_whole(rule: Rule) -> Iterator[Violation]:
    yield from _wrong_trigger(rule, PLACE)
    if rule.trigger == Rule.TRIGGER_START:
        yield Violation(
            f"{PLACE}.trigger", "must not be all that is paid for: START is for a first instalment"
        )


def _wrong_trigger(rule: Rule | Rule.Instalment, place: str) -> Iterator[Violation]:
    if rule.trigger not in PROOF:
        yield Violation(f"{place}.trigger", "is none that payment can follow")
    elif PROOF[rule.trigger] and not rule.evidence_count:
        yield Violation(f"{place}.evidence_count", "must be at least 1: this trigger is evidence")
    elif not PROOF[rule.trigger] and rule.evidence_count:
        yield Violation(f"{place}.evidence_count", "must be 0: this trigger asks for no evidence")


def _wrong_instalments(rule: Rule) -> Iterator[Violation]:
    if rule.trigger:
        yield Violation(f"{PLACE}.trigger", "must be unset: each instalment has its own")
    if rule.evidence_count:
        yield Violation(f"{PLACE}.evidence_count", "must be 0: each instalment has its own")
    if len(rule.instalments) == 1:
        yield Violation(f"{PLACE}.instalments", "must be 2 at least; leave them out to pay at once")
    for index, instalment in enumerate(rule.instalments):
        yield from _wrong_trigger(instalment, f"{PLACE}.instalments[{index}]")
        if index and instalment.trigger == Rule.TRIGGER_START:
            yield Violation(f"{PLACE}.instalments[{index}].trigger", "must be that of the first: START")
    total = sum(instalment.percent for instalment in rule.instalments)
    if total != 100:
        yield Violation(f"{PLACE}.instalments", f"have percents that sum to {total}, and must sum to 100")


def instalments(rule: Rule, whole: int) -> list[tuple[Rule.Instalment, int]]:
    """Returns the instalments of what was reserved, each with its cents, which sum to it exactly; none where
    it is paid at once, as what is below 100 cents, of which a percent would be nothing."""
    if whole < 100:
        return []
    ends = [whole * percent // 100 for percent in accumulate(part.percent for part in rule.instalments)]
    starts = [0, *ends]
    return [(part, end - start) for part, start, end in zip(rule.instalments, starts, ends, strict=False)]


def due(rule: Rule, redemption: Redemption) -> Due:
    """Returns what comes next of a redemption."""
    if redemption.no_show:
        return Due(Rule.TRIGGER_DELIVERY, 0, no_show_fee(rule, redemption.amount))
    parts = instalments(rule, redemption.whole)
    if parts:
        part, cents = parts[redemption.instalment]
        last = redemption.instalment + 1 == len(parts)
        return Due(part.trigger, part.evidence_count, cents, last)
    only = rule.instalments[-1] if rule.instalments else rule
    return Due(only.trigger, only.evidence_count, redemption.amount)


def no_show_fee(rule: Rule, reserved: int) -> int:
    """Returns what a provider may get at most, of `reserved`, for a learner who was not there."""
    return reserved * rule.no_show_percent // 100


def counting(due: Due, kinds: Iterable[int]) -> int:
    """Returns how many of these pieces of evidence are of the kind that the trigger wants."""
    wanted = PROOF.get(due.trigger)
    return sum(kind == wanted for kind in kinds)


def took_place(due: Due) -> bool:
    """True when its delivery says that training took place; a first instalment at the start does not."""
    return due.trigger != Rule.TRIGGER_START


def waits_for_the_end(due: Due) -> bool:
    """True when no money is released before the session's last day has passed."""
    return due.trigger in (Rule.TRIGGER_COMPLETION, Rule.TRIGGER_OUTCOME)


def release_time(due: Due, accepted: datetime, delay: timedelta, last_day: date | None) -> datetime:
    """Returns when (UTC) an amount accepted at `accepted` may be paid out. `last_day`: of the session,
    None when it is not known."""
    earliest = accepted + delay
    if waits_for_the_end(due) and last_day is not None:
        return max(earliest, begin(last_day + timedelta(days=1)))
    return earliest
