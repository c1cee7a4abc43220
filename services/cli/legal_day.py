"""The day on which a command is given, as the services count days."""

from __future__ import annotations

from datetime import UTC, date, datetime

from services.platform.days import day_in
from services.platform.settings import time_zone


def legal_day() -> date:
    """Returns the legal day by this machine's clock; raises SettingsError where WAYMARK_TIME_ZONE is none."""
    return day_in(datetime.now(UTC), time_zone())
