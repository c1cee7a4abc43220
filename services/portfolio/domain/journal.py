"""The journal: on which day an entry is."""

from __future__ import annotations

from datetime import datetime

from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry

from services.platform.days import day_of
from services.portfolio.domain.dates import from_date, moment


def dated(entry: JournalEntry, now: datetime) -> None:
    """Gives an entry that has no day that of its moment, or of `now`; raises Refusal(INVALID_ARGUMENT)
    for a moment that does not exist."""
    if entry.HasField("entry_date"):
        return
    at = moment("journal_entry.entry_time", entry.entry_time) if entry.HasField("entry_time") else now
    entry.entry_date.CopyFrom(from_date(day_of(at)))
