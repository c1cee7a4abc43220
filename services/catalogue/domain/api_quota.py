"""Quotas of API plans: calendar windows, and the shares of them that server processes take at a time.

Pure: what the database gave is told by `Allowance.given`, and times are seconds of the caller's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from services.platform import days
from services.platform.goals import months_after

SHARES = 100  # of a quota; so many times a window do processes ask the database for more, all together


class Window(IntEnum):
    """What a quota is counted in; days and months are those of the law."""

    MINUTE = 1
    DAY = 2
    MONTH = 3

    def begin(self, now: datetime) -> datetime:
        """Returns when (UTC) the window that holds `now` began."""
        if self is Window.MINUTE:
            return now.replace(second=0, microsecond=0)
        day = days.day_of(now)
        return days.begin(day.replace(day=1) if self is Window.MONTH else day)

    def end(self, now: datetime) -> datetime:
        """Returns when (UTC) the window that holds `now` is over."""
        if self is Window.MINUTE:
            return self.begin(now) + timedelta(minutes=1)
        day = days.day_of(now)
        following = months_after(day.replace(day=1), 1) if self is Window.MONTH else day + timedelta(days=1)
        return days.begin(following)


def share(quota: int) -> int:
    """Returns how many calls of a quota a process takes at a time."""
    return max(1, quota // SHARES)


class Share(NamedTuple):
    """What a process has of a window: calls left, until when (seconds), and whether there is more to ask
    for."""

    left: int
    ends: float
    more: bool


@dataclass
class Allowance:
    """What a process may still let through of one grant. `quotas`: window → most calls in it."""

    quotas: Mapping[Window, int]
    shares: dict[Window, Share] = field(default_factory=dict)

    def wanting(self, clock: float) -> list[Window]:
        """Returns the windows of which a share is to be asked for before the next call."""
        return [window for window in self.quotas if not self._settled(window, clock)]

    def _settled(self, window: Window, clock: float) -> bool:
        held = self.shares.get(window)
        return held is not None and clock < held.ends and (held.left > 0 or not held.more)

    def given(self, window: Window, calls: int, ends: float) -> None:
        """Notes a share that was asked for; none: the quota is used up until `ends`."""
        self.shares[window] = Share(calls, ends, more=calls > 0)

    def take(self, clock: float) -> tuple[Window, float] | None:
        """Takes one call of every window, or none: then returns the window that is used up longest, and how
        many seconds until it is over."""
        used_up = [
            (self.shares[window].ends - clock, window) for window in self.quotas if not self._has(window)
        ]
        if used_up:
            seconds, window = max(used_up)
            return window, max(seconds, 0.0)
        for window in self.quotas:
            held = self.shares[window]
            self.shares[window] = held._replace(left=held.left - 1)
        return None

    def _has(self, window: Window) -> bool:
        return self.shares[window].left > 0
