"""What is to be reached by a day: how far it has come, what a straight line plans, months of a report."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

WHOLE = 10_000
MOST_MONTHS = 120  # of a report


@dataclass(frozen=True)
class Goal:
    """From where (`baseline`) to where (`value`), from when to when."""

    baseline: int
    value: int
    start: date
    due: date

    def progress(self, current: int) -> int:
        """Returns how far it has come, in ten-thousandths rounded down; below zero when it went back."""
        way, gone = self.value - self.baseline, current - self.baseline
        return gone * WHOLE // way if way > 0 else -gone * WHOLE // -way

    def reached(self, current: int) -> bool:
        """True when the value is reached; a goal below its baseline is to come down."""
        return current >= self.value if self.value > self.baseline else current <= self.value

    def planned(self, day: date) -> int:
        """Returns the value on a straight line from the baseline on the first day to the value on the due
        date, rounded down."""
        if day >= self.due:
            return self.value
        if day <= self.start:
            return self.baseline
        gone, whole = (day - self.start).days, (self.due - self.start).days
        return self.baseline + (self.value - self.baseline) * gone // whole

    def months(self, today: date) -> Iterator[date]:
        """Yields the last day of each month from the first day to the due date or `today`, earliest first,
        at most MOST_MONTHS."""
        until = min(self.due, today)
        first, last = self.start.year * 12 + self.start.month - 1, until.year * 12 + until.month - 1
        for number in range(max(first, last - MOST_MONTHS + 1), last + 1):
            year, month = number // 12, number % 12 + 1
            yield date(year, month, calendar.monthrange(year, month)[1])


def months_after(day: date, months: int) -> date:
    """Returns the same day so many months later, or the last of that month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
