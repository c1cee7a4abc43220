"""What training did for learners: when they are asked, and which sums may be told."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime, timedelta

from services.vouchers.domain.suppression import SMALLEST

CHANGEABLE = timedelta(days=30)  # feedback, from when it was first given
MONTHS = 6  # from acceptance until the learner is asked


def due(accepted: datetime) -> datetime:
    """Returns when (UTC) a learner is asked where they are; the last day of a month that has no such day."""
    months = accepted.month - 1 + MONTHS
    year, month = accepted.year + months // 12, months % 12 + 1
    return accepted.replace(year=year, month=month, day=min(accepted.day, monthrange(year, month)[1]))


def hidden(groups: Iterable[tuple[str, int]]) -> set[str]:
    """Returns the groups (name, how many learners) of which nothing is told: those that are too small, and
    beside a single one the smallest other, or the sum of all would tell the one."""
    sizes = [(count, name) for name, count in groups if count]
    small = {name for count, name in sizes if count < SMALLEST}
    others = sorted((count, name) for count, name in sizes if name not in small)
    if len(small) == 1 and others:
        small.add(others[0][1])
    return small
