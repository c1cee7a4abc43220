"""Money: `google.type.Money` at the border, integer cents inside."""

from __future__ import annotations

from google.type import money_pb2
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

CENT_NANOS = 10_000_000
MAX_CENTS = 10**14  # a trillion euro; keeps sums far from the limits of 64 bits


def money(cents: int, currency: str) -> money_pb2.Money:
    """Returns cents as Money; units and nanos carry the same sign."""
    sign = -1 if cents < 0 else 1
    units, rest = divmod(abs(cents), 100)
    return money_pb2.Money(currency_code=currency, units=sign * units, nanos=sign * rest * CENT_NANOS)


def cents_of(amount: money_pb2.Money) -> int:
    """Returns an amount that `amount_violation` has passed, in cents."""
    return int(amount.units) * 100 + int(amount.nanos) // CENT_NANOS


def amount_violation(field: str, amount: money_pb2.Money, *, least: int = 1) -> Violation | None:
    """Returns what is wrong with an amount sent by a caller; `least` in cents."""
    if len(amount.currency_code) != 3 or not amount.currency_code.isupper():
        return Violation(f"{field}.currency_code", "must be an ISO 4217 code such as EUR")
    if amount.nanos % CENT_NANOS or abs(amount.nanos) > 999_999_999:
        return Violation(f"{field}.nanos", "must be whole cents, a multiple of 10000000 below a unit")
    if amount.units * amount.nanos < 0:
        return Violation(f"{field}.nanos", "must have the sign of units")
    if abs(amount.units) > MAX_CENTS // 100:
        return Violation(f"{field}.units", "is too large")
    if cents_of(amount) < least:
        return Violation(field, "must be more than zero" if least == 1 else f"must be at least {least} cents")
    return None


def checked_cents(field: str, amount: money_pb2.Money, currency: str, *, least: int = 1) -> int:
    """Returns cents; raises Refusal(INVALID_ARGUMENT) for an amount that is none, too small or not in cents,
    CURRENCY_MISMATCH for another currency than `currency`."""
    violation = amount_violation(field, amount, least=least)
    if violation is not None:
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    if amount.currency_code != currency:
        violation = Violation(f"{field}.currency_code", f"must be {currency}")
        raise Refusal(reason_pb2.REASON_CURRENCY_MISMATCH, violations=[violation])
    return cents_of(amount)
