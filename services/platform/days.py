"""The legal day: which day an instant falls on where the deployment's law counts days.

Instants are UTC wherever they are kept or told. A day is made of one here and nowhere else, so that every
decision by a day goes by the zone of `WAYMARK_TIME_ZONE`. In statements `current_date`, casts, `date_trunc`
and intervals go by it too: sessions of the database run in it (`db/engine.py`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# Ahead of all others: where each day begins before it does anywhere else.
EARLIEST = timezone(timedelta(hours=14))
UNLESS_TOLD = ZoneInfo("UTC")
_zones = [UNLESS_TOLD]  # that of this process


def live_in(zone: ZoneInfo) -> None:
    """Makes `zone` the one in which this process counts days, from the next connection to the database on."""
    _zones[0] = zone


def zone() -> ZoneInfo:
    """Returns the zone in which this process counts days."""
    return _zones[0]


def day_of(moment: datetime) -> date:
    """Returns the legal day of an aware moment."""
    return day_in(moment, zone())


def day_in(moment: datetime, where: tzinfo) -> date:
    """Returns the day of an aware moment in a zone of its own: of a person, of a partner."""
    if moment.tzinfo is None:
        raise ValueError("A moment without a zone falls on no day.")
    try:
        return moment.astimezone(where).date()
    except OverflowError:  # at either end of the calendar there is no other day
        return moment.date()


def begin(day: date) -> datetime:
    """Returns the moment (UTC) with which a legal day begins: the first that there is of it."""
    moment = datetime.combine(day, time.min, zone())
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first day of the calendar
        return moment.replace(tzinfo=UTC)
