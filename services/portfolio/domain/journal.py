"""The journal: on which day an entry is."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry

from services.portfolio.domain.dates import from_date


def dated(entry: JournalEntry, now: datetime) -> None:
    """Gives an entry that has no day that of its moment, or of `now`, UTC."""
    if entry.HasField("entry_date"):
        return
    day = now.date()
    if entry.HasField("entry_time"):
        with suppress(ValueError, OverflowError):  # one that does not exist is refused as such
            day = entry.entry_time.ToDatetime(tzinfo=UTC).date()
    entry.entry_date.CopyFrom(from_date(day))
