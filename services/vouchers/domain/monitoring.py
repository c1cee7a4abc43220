"""Rules that look at accepted redemptions: what each kind measures, and how a sample is drawn."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import monitoring_rule_pb2

from services.platform.errors import Refusal, Violation
from services.vouchers.domain.money import amount_violation, cents_of

Message = monitoring_rule_pb2.MonitoringRule
MEDIAN_FROM = 5  # amounts that a median needs to mean something
SHARE_WHOLE = 10_000  # basis points


class Median(NamedTuple):
    """Median in cents of the last accepted amounts of a course, and of how many."""

    cents: int
    of: int


NO_MEDIAN = Median(0, 0)


@dataclass(frozen=True)
class Accepted:
    """An accepted redemption and what it is compared with. Amounts in cents; `nuts` of the session and
    `residence` of the learner, empty when not known; `on_the_day`: accepted redemptions of the provider
    delivered on the same day, this one included; `sharing`: other providers with its bank account;
    `neighbours`: at its address; `first`: when the first training of the provider was accepted; `taken` cents
    in the currency and `count` redemptions: accepted of the provider so far, this one included."""

    redemption: str
    programme: str
    course: str
    organisation: str
    currency: str
    cents: int
    started: datetime | None = None
    delivered: datetime | None = None
    nuts: str = ""
    residence: str = ""
    median: Median = NO_MEDIAN
    on_the_day: int = 0
    sharing: Sequence[str] = ()
    neighbours: Sequence[str] = ()
    accepted: datetime | None = None
    first: datetime | None = None
    taken: int = 0
    count: int = 0


class Hit(NamedTuple):
    """What was measured, and what the rule allows; the unit goes with the kind. `others`: providers."""

    measured: int
    allowed: int
    others: Sequence[str] = ()


@dataclass(frozen=True)
class Rule:
    """A version of a rule. `seed`: 32 bytes when it draws a sample."""

    code: str
    number: int
    message: Message
    seed: bytes = b""

    @property
    def name(self) -> str:
        """Resource name of the version."""
        return f"monitoringRules/{self.code}/versions/{self.number}"

    @property
    def kind(self) -> str:
        """Name of the condition: `amount`, `speed`, …"""
        return str(self.message.WhichOneof("condition"))

    def concerns(self, programme: str) -> bool:
        """True when the rule looks at redemptions of the programme (its id)."""
        return self.message.programme in ("", f"programmes/{programme}")

    def target(self, redemption: str, course: str, organisation: str) -> str:
        """Returns what an alert is about, and what it stops."""
        scopes = {Message.HOLD_ON_COURSE: course, Message.HOLD_ON_PROVIDER: organisation}
        return scopes.get(self.message.hold_on, redemption)

    def look(self, it: Accepted) -> Hit | None:
        """Returns what hits; None when nothing does, or when complaints are what the rule waits for."""
        found = _LOOKS.get(self.kind)
        return found(self, it) if found else None


def sampled(seed: bytes, redemption: str, share: int) -> bool:
    """True when a redemption (`redemptions/{id}`) is drawn. `share`: basis points."""
    drawn = int.from_bytes(hmac.digest(seed, redemption.encode(), "sha256")[:8], "big")
    return drawn * SHARE_WHOLE < share << 64


def seed_hash(seed: bytes) -> str:
    """Returns what is published of a seed: its SHA-256, hex."""
    return hashlib.sha256(seed).hexdigest()


def check(message: Message) -> None:
    """Raises Refusal(INVALID_ARGUMENT) for a rule that says nothing, naming what to give."""
    problems: list[Violation] = []
    amount, speed, new = message.amount, message.speed, message.new_provider
    if message.HasField("amount") and not amount.HasField("above") and not amount.above_median_percent:
        problems.append(Violation("monitoring_rule.amount", "give above or above_median_percent"))
    if message.HasField("new_provider") and not new.HasField("above") and not new.more_than:
        problems.append(Violation("monitoring_rule.new_provider", "give above or more_than"))
    for kind, condition in (("amount", amount), ("new_provider", new)):
        if condition.HasField("above"):
            wrong = amount_violation(f"monitoring_rule.{kind}.above", condition.above)
            problems += [wrong] if wrong else []
    if message.HasField("speed") and not speed.sooner_than_hours and not speed.more_than_per_day:
        problems.append(Violation("monitoring_rule.speed", "give sooner_than_hours or more_than_per_day"))
    if problems:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=problems)


def _amount(rule: Rule, it: Accepted) -> Hit | None:
    condition = rule.message.amount
    if condition.HasField("above") and condition.above.currency_code == it.currency:
        limit = cents_of(condition.above)
        if it.cents > limit:
            return Hit(it.cents, limit)
    if condition.above_median_percent and it.median.of >= MEDIAN_FROM:
        limit = it.median.cents * condition.above_median_percent // 100
        if it.cents > limit:
            return Hit(it.cents, limit)
    return None


def _speed(rule: Rule, it: Accepted) -> Hit | None:
    condition = rule.message.speed
    if condition.sooner_than_hours and it.started and it.delivered:
        minutes, limit = (
            int((it.delivered - it.started).total_seconds()) // 60,
            condition.sooner_than_hours * 60,
        )
        if minutes < limit:
            return Hit(minutes, limit)
    if condition.more_than_per_day and it.on_the_day > condition.more_than_per_day:
        return Hit(it.on_the_day, condition.more_than_per_day)
    return None


def _distance(rule: Rule, it: Accepted) -> Hit | None:
    level = rule.message.distance.nuts_level
    for each in range(level + 1):
        digits = 2 + each
        if min(len(it.nuts), len(it.residence)) < digits:
            return None
        if it.nuts[:digits] != it.residence[:digits]:
            return Hit(each, level)
    return None


def _shared_account(_: Rule, it: Accepted) -> Hit | None:
    return Hit(len(it.sharing), 0, it.sharing) if it.sharing else None


def _shared_address(_: Rule, it: Accepted) -> Hit | None:
    return Hit(len(it.neighbours), 0, it.neighbours) if it.neighbours else None


def _new_provider(rule: Rule, it: Accepted) -> Hit | None:
    condition = rule.message.new_provider
    if not it.accepted or not it.first or it.accepted - it.first >= timedelta(days=condition.within_days):
        return None
    if condition.HasField("above") and condition.above.currency_code == it.currency:
        limit = cents_of(condition.above)
        if it.taken > limit:
            return Hit(it.taken, limit)
    if condition.more_than and it.count > condition.more_than:
        return Hit(it.count, condition.more_than)
    return None


def _sample(rule: Rule, it: Accepted) -> Hit | None:
    share = rule.message.sample.share_basis_points
    return Hit(0, share) if sampled(rule.seed, it.redemption, share) else None


_LOOKS: Mapping[str, Callable[[Rule, Accepted], Hit | None]] = {
    "amount": _amount,
    "speed": _speed,
    "distance": _distance,
    "shared_account": _shared_account,
    "sample": _sample,
    "shared_address": _shared_address,
    "new_provider": _new_provider,
}


def kind_number(kind: str, kinds: Any) -> int:
    """Returns the number in the contract's enum of a condition's name."""
    return int(kinds.Value(f"KIND_{kind.upper()}"))
