"""Days in commands, as the services count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from services.platform.days import day_in
from services.platform.settings import time_zone


def legal_day() -> date:
    """Returns the legal day by this machine's clock; raises SettingsError where WAYMARK_TIME_ZONE is none."""
    return day_in(datetime.now(UTC), time_zone())


def last_second(day: date) -> datetime:
    """Returns the last second of a legal day, UTC; raises SettingsError as `legal_day` does."""
    return datetime.combine(day, time(23, 59, 59), time_zone()).astimezone(UTC)
