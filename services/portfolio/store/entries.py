"""Entries."""

from __future__ import annotations

from waymark.portfolio.v1.entry_pb2 import Entry

from services.portfolio.store import tables
from services.portfolio.store.collection import Collection

ENTRIES = Collection(tables.entries, "entries", Entry)
