"""When a feed is fetched: so long after the last time, or at times of the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.platform.days import day_in


@dataclass(frozen=True)
class PullSchedule:
    """`seconds` between two times, or 0: at `times` (HH:MM) of `weekdays` (1 Monday to 7 Sunday; none: each)
    in a time `zone` of the IANA database."""

    seconds: int = 0
    times: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    zone: str = "UTC"

    def kept(self) -> dict[str, Any]:
        """Returns it as it is kept, see `kept_schedule`."""
        return asdict(self)

    def next_after(self, moment: datetime) -> datetime:
        """Returns the first time after `moment` (aware), UTC."""
        if self.seconds:
            return moment + timedelta(seconds=self.seconds)
        zone = ZoneInfo(self.zone)
        today = day_in(moment, zone)
        days = [today + timedelta(days=count) for count in range(-1, 9)]
        return min(found for found in self._on(days, zone) if found > moment)

    def _on(self, days: list[date], zone: ZoneInfo) -> list[datetime]:
        # fold=0, the default: of a time that comes twice the first; one that never comes is so much later.
        return [
            datetime.combine(day, time.fromisoformat(said), zone).astimezone(UTC)
            for day in days
            if not self.weekdays or day.isoweekday() in self.weekdays
            for said in self.times
        ]


def kept_schedule(kept: Mapping[str, Any]) -> PullSchedule:
    """Returns the schedule that `kept` tells of."""
    lists = {name: tuple(kept[name]) for name in ("times", "weekdays")}
    return PullSchedule(seconds=kept["seconds"], zone=kept["zone"], **lists)
