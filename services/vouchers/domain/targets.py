"""Targets: what is measured, when they are to be reviewed."""

from __future__ import annotations

from enum import IntEnum

REVIEW_MONTHS = 12  # from one review to the next


class Measure(IntEnum):
    """What is measured, with the same numbers as in the contract."""

    VOUCHERS_ISSUED = 1
    VOUCHERS_REDEEMED = 2
    PAID_CENTS = 3
    PLACED_BASIS_POINTS = 4
    SERVICE_POINTS = 5

    @property
    def of_programme(self) -> bool:
        """True where it can be measured of one programme."""
        return self <= Measure.PAID_CENTS
