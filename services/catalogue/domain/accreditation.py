"""Accreditation: who may take vouchers, and on which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation


@dataclass(frozen=True, slots=True)
class Accreditation:
    """Leave for the days from `valid_from` to `valid_to`, both inclusive;

    A withdrawal (UTC) ends it at once.
    """

    id: str
    valid_from: date
    valid_to: date
    scheme: str
    withdraw_time: datetime | None

    def in_force(self, day: date) -> bool:
        """True when vouchers may be taken on this day."""
        if not self.valid_from <= day <= self.valid_to:
            return False
        return self.withdraw_time is None or day < self.withdraw_time.date()


def current(accreditations: Sequence[Accreditation], today: date) -> Accreditation | None:
    """Returns the one in force, else the one that started last, else None."""
    by_start = sorted(accreditations, key=lambda a: (a.in_force(today), a.valid_from))
    return by_start[-1] if by_start else None


def check_grant(
    accreditations: Sequence[Accreditation], valid_from: date, valid_to: date, organisation: str
) -> None:
    """Raises Refusal when the days are in the wrong order or taken by another accreditation."""
    if valid_to < valid_from:
        violation = Violation("valid_to", "must not be before valid_from")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    for other in accreditations:
        if other.withdraw_time is None and other.valid_from <= valid_to and valid_from <= other.valid_to:
            name = f"{organisation}/accreditations/{other.id}"
            raise Refusal(reason_pb2.REASON_ACCREDITATION_OVERLAPS, metadata={"accreditation": name})


def check_withdrawal(accreditation: Accreditation, today: date) -> None:
    """Raises Refusal when there is nothing left to withdraw."""
    if accreditation.withdraw_time is not None or accreditation.valid_to < today:
        state = "WITHDRAWN" if accreditation.withdraw_time else "EXPIRED"
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": state, "needed": "IN_FORCE"})
