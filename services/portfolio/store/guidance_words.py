"""What counsellors write in a case: the contact log and notes. Never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, or_
from waymark.portfolio.v1.contact_record_pb2 import ContactRecord
from waymark.portfolio.v1.guidance_note_pb2 import GuidanceNote

from services.portfolio.domain.guidance import Reader
from services.portfolio.store import guidance_tables as tables
from services.portfolio.store.collection import Collection


def _by(message: Any, row: Row[Any], _now: Any) -> None:
    message.counsellor, message.organisation = row.counsellor, row.organisation


CONTACT_RECORDS = Collection(tables.contact_records, "contactRecords", ContactRecord, _by)
GUIDANCE_NOTES = Collection(tables.guidance_notes, "guidanceNotes", GuidanceNote, _by)


def notes_seen_by(reader: Reader) -> tuple[ColumnElement[bool], ...]:
    """Returns the conditions of the notes that somebody reads."""
    note = GUIDANCE_NOTES.table.c
    shared = note.visibility == int(GuidanceNote.VISIBILITY_SHARED)
    if reader.is_holder:
        return (shared,)
    return () if reader.leads else (or_(shared, note.organisation == reader.organisation),)
