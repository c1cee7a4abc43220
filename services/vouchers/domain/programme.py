"""Programme rules: the contract's version message, checked and compiled into something that can decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import programme_pb2

from services.platform.days import begin, day_of
from services.platform.errors import Refusal, Violation
from services.vouchers.domain import co_funding, draw, payment
from services.vouchers.domain.expressions import Condition, ExpressionError, compile_condition
from services.vouchers.domain.facts import digest
from services.vouchers.domain.money import amount_violation, cents_of
from services.vouchers.domain.redemption import Redemption

Version = programme_pb2.ProgrammeVersion

# What the caller writes in a version; everything else is ours.
RULES = (
    "kind",
    "effective_date",
    "cohort",
    "clauses",
    "target_groups",
    "shortage_rule",
    "course_rule",
    "amount_rule",
    "sequence_rule",
    "window_rule",
    "payment_rule",
    "hold_rule",
    "scope",
    "appeal_rule",
    "opening_rule",
    "waiting_rule",
    "co_funding",
)
REPAYMENT_DAYS = 30  # where the rules say nothing
NOT_RULES = frozenset(field.name for field in Version.DESCRIPTOR.fields) - frozenset(RULES)


@dataclass(frozen=True)
class Clause:
    """An eligibility clause, ready to be evaluated."""

    id: str
    condition: Condition
    reason_code: str
    legal_reference: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """A target group, ready to be evaluated. `cover`: percent of the price that the programme pays, after the
    `share` that the learner pays first, up to `face_value`; both in cents."""

    code: str
    condition: Condition
    cover: int
    face_value: int
    share: int


@dataclass(frozen=True)
class Rules:
    """One version of a programme's rules. Amounts in cents of `currency`; None: no limit. `digest`: SHA-256
    over currency and rules, hex."""

    name: str
    currency: str
    version: Version
    clauses: tuple[Clause, ...]
    groups: tuple[Group, ...]
    lifetime_cap: int | None
    price_cap: int | None
    digest: str

    @property
    def for_newcomers(self) -> bool:
        """True when who has a grant of the programme goes on by the version of that."""
        return self.version.cohort == Version.COHORT_NEWCOMERS

    def period_start(self, today: date) -> date:
        """Returns the first day over which the face value counts; no day when each grant counts alone."""
        period, periods = self.version.amount_rule.period, programme_pb2.AmountRule
        if period == periods.PERIOD_GRANT:
            return date.max
        return today.replace(month=1, day=1) if period == periods.PERIOD_YEAR else date.min

    def grants_since(self, today: date) -> date:
        """Returns the first day whose grants count towards the most that one person may have."""
        years = self.version.sequence_rule.window_years
        return years_before(today, years) + timedelta(days=1) if years else date.min

    def order_limit(self, issued: datetime) -> datetime:
        """Returns the last moment (UTC) at which a voucher issued at `issued` can be reserved."""
        days = self.version.window_rule.order_days or self.version.window_rule.validity_days
        return issued + timedelta(days=days)

    def expiry(self, issued: datetime) -> datetime:
        """Returns the end of validity (UTC) of a voucher issued at `issued`."""
        return issued + timedelta(days=self.version.window_rule.validity_days)

    def earliest_start(self, applied: date) -> date:
        """Returns the first day on which a session may begin that somebody asks for on the day `applied`."""
        return applied - timedelta(days=self.version.window_rule.apply_until_days_after_start)

    def latest_start(self, reserved: datetime, expires: datetime) -> date:
        """Returns the last day on which a session may begin for which a voucher that is valid until
        `expires` is reserved at `reserved`."""
        days = self.version.window_rule.order_to_start_days
        if days:
            return day_of(reserved) + timedelta(days=days)
        return day_of(expires - timedelta(microseconds=1))

    def appeal_until(self, decided: datetime) -> date | None:
        """Returns the last day to appeal against a refusal of `decided`, None where there is none."""
        days = self.version.appeal_rule.days
        return day_of(decided) + timedelta(days=days) if days else None

    def extension_limit(self, issued: datetime) -> datetime:
        """Returns until when (UTC) one person alone may extend a voucher issued at `issued`."""
        return self.expiry(issued) + timedelta(days=self.version.window_rule.extend_days)

    def period_limit(self, last_day: date) -> datetime | None:
        """Returns until when (UTC) a voucher paid from a budget that ends with `last_day` may be valid; None
        for no limit."""
        if not self.version.window_rule.within_budget_period:
            return None
        return begin(last_day + timedelta(days=1))

    def authorise_limit(self, reserved: datetime) -> datetime:
        """Returns until when (UTC) the learner can authorise a reservation made at `reserved`."""
        return reserved + timedelta(minutes=self.version.window_rule.authorise_minutes or 30)

    def due(self, redemption: Redemption) -> payment.Due:
        """Returns what comes next of a redemption under this version."""
        return payment.due(self.version.payment_rule, redemption)

    def release_time(self, due: payment.Due, accepted: datetime, last_day: date | None) -> datetime:
        """Returns when (UTC) an amount accepted at `accepted` may be paid out. `last_day`: of the session,
        None when it is not known."""
        delay = timedelta(days=self.version.hold_rule.delay_days)
        return payment.release_time(due, accepted, delay, last_day)

    def repayment_limit(self, taken_back: date) -> date:
        """Returns the last day on which a provider is to have paid back what was taken back on that day."""
        return taken_back + timedelta(days=self.version.payment_rule.repayment_days or REPAYMENT_DAYS)


def compile_rules(name: str, currency: str, version: Version) -> Rules:
    """Compiles a version. Raises Refusal(RULE_INVALID) with a violation for each thing that is wrong, or
    CURRENCY_MISMATCH when an amount is in another currency than the programme's.
    """
    problems: list[Violation] = []
    clauses = _compiled(version.clauses, "version.clauses", lambda clause: clause.id, problems)
    groups = _compiled(version.target_groups, "version.target_groups", lambda group: group.code, problems)
    problems += _twice([c.id for c in version.clauses], "version.clauses", "id")
    problems += _twice([g.code for g in version.target_groups], "version.target_groups", "code")
    problems += _amounts(version, currency)
    problems += _sense(version)
    if problems:
        raise Refusal(reason_pb2.REASON_RULE_INVALID, violations=problems)
    amount = version.amount_rule
    return Rules(
        name=name,
        currency=currency,
        version=version,
        clauses=tuple(
            Clause(c.id, condition, c.reason_code, c.legal_reference, tuple(c.texts.items()))
            for c, condition in zip(version.clauses, clauses, strict=True)
        ),
        groups=tuple(
            Group(
                g.code,
                condition,
                g.cover_percent,
                cents_of(g.face_value if g.HasField("face_value") else amount.face_value),
                cents_of(g.fixed_share),
            )
            for g, condition in zip(version.target_groups, groups, strict=True)
        ),
        lifetime_cap=cents_of(amount.lifetime_cap) if amount.HasField("lifetime_cap") else None,
        price_cap=(
            cents_of(version.course_rule.price_cap) if version.course_rule.HasField("price_cap") else None
        ),
        digest=digest([currency, document(version)]),
    )


def document(version: Version) -> dict[str, Any]:
    """Returns the rules of a version in the form that is stored, without what the service itself sets."""
    rules = Version()
    rules.CopyFrom(version)
    for field in NOT_RULES:
        rules.ClearField(field)  # type: ignore[arg-type]
    return MessageToDict(rules, preserving_proto_field_name=True)


def _compiled(
    items: Sequence[Any], place: str, called: Callable[..., str], problems: list[Violation]
) -> list[Condition]:
    compiled = []
    for index, item in enumerate(items):
        try:
            compiled.append(compile_condition(item.expression))
        except ExpressionError as error:
            problems.append(Violation(f"{place}[{index}].expression", f"{called(item)}: {error}"))
    return compiled


def _twice(values: Sequence[str], place: str, field: str) -> list[Violation]:
    return [
        Violation(f"{place}[{index}].{field}", f"{value!r} is used before")
        for index, value in enumerate(values)
        if value in values[:index]
    ]


def _amounts(version: Version, currency: str) -> list[Violation]:
    amounts = [("amount_rule.face_value", version.amount_rule.face_value)]
    if version.amount_rule.HasField("lifetime_cap"):
        amounts.append(("amount_rule.lifetime_cap", version.amount_rule.lifetime_cap))
    if version.course_rule.HasField("price_cap"):
        amounts.append(("course_rule.price_cap", version.course_rule.price_cap))
    for index, group in enumerate(version.target_groups):
        place = f"target_groups[{index}]"
        amounts += [
            (f"{place}.{field}", getattr(group, field))
            for field in ("face_value", "fixed_share")
            if group.HasField(field)
        ]
    found = [amount_violation(f"version.{place}", money) for place, money in amounts]
    problems = [violation for violation in found if violation is not None]
    for place, money in amounts:
        if not problems and money.currency_code != currency:
            violation = Violation(f"version.{place}.currency_code", f"must be {currency}")
            raise Refusal(reason_pb2.REASON_CURRENCY_MISMATCH, violations=[violation])
    return problems


def _sense(version: Version) -> list[Violation]:
    rule = version.course_rule
    problems = []
    if rule.max_eqf_level and rule.min_eqf_level > rule.max_eqf_level:
        problems.append(Violation("version.course_rule.min_eqf_level", "must not be over max_eqf_level"))
    if version.HasField("sequence_rule") and not (
        version.sequence_rule.max_grants or version.sequence_rule.previous_used
    ):
        problems.append(Violation("version.sequence_rule", "must set max_grants or previous_used"))
    if version.sequence_rule.window_years and not version.sequence_rule.max_grants:
        problems.append(Violation("version.sequence_rule.window_years", "counts for max_grants, which is 0"))
    problems += draw.problems(version)
    for index, group in enumerate(version.target_groups):
        face = group.face_value if group.HasField("face_value") else version.amount_rule.face_value
        if group.HasField("fixed_share") and cents_of(group.fixed_share) >= cents_of(face):
            place = f"version.target_groups[{index}].fixed_share"
            problems.append(Violation(place, f"{group.code}: must be less than the face value"))
        if group.HasField("fixed_share") and version.scope != Version.SCOPE_COURSE:
            place = f"version.target_groups[{index}].fixed_share"
            problems.append(Violation(place, f"{group.code}: goes with SCOPE_COURSE only"))
    if version.window_rule.order_days > version.window_rule.validity_days:
        problems.append(Violation("version.window_rule.order_days", "must not be over validity_days"))
    return problems + co_funding.problems(version.co_funding)


def years_before(day: date, years: int) -> date:
    """Returns the same day so many years earlier; the 28th for a 29 February where there is none."""
    if day.year <= years:
        return date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
