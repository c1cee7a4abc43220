"""How often whose courses were shown: counted in each process, kept as one object a process and day.

An object holds all that a process has counted of a day, so writing it again adds nothing, and processes never
wait for each other; the answer adds the objects up. No search touches the store or the database for it.
"""

from __future__ import annotations

import io
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog
from waymark.catalogue.v1.search_pb2 import CourseHit

from services.platform.db.ids import new_id
from services.platform.errors import Refusal

if TYPE_CHECKING:
    from services.catalogue.app import CatalogueApp
    from services.platform.objects.store import Objects

BUCKET = "exposures"
EVERY = 15.0  # seconds between writes
FIRST = 3  # places of an answer that count as its first
KEPT_DAYS = 2  # that a process holds: of an earlier one it counts nothing any more
log = structlog.get_logger("search")


class Key(NamedTuple):
    """Whose courses, for what kind of question (Exposure.Kind)."""

    organisation: str
    kind: int


class Shown(NamedTuple):
    """Hits shown, and those of them among the first."""

    hits: int = 0
    first: int = 0

    def plus(self, other: Shown) -> Shown:
        """Adds up."""
        return Shown(self.hits + other.hits, self.first + other.first)


NONE = Shown()
Counts = dict[Key, Shown]


class Exposures:
    """What one process has shown, by day."""

    def __init__(self) -> None:
        self._name = new_id()
        self._lock = threading.Lock()
        self._days: defaultdict[date, Counts] = defaultdict(dict)
        self._changed: set[date] = set()

    def add(self, day: date, kind: int, hits: Iterable[CourseHit], offset: int = 0) -> None:
        """Counts the hits of an answer that begins at place `offset`."""
        shown = [hit.organisation for hit in hits]
        first = Counter(shown[: max(FIRST - offset, 0)])
        with self._lock:
            counts = self._days[day]
            for organisation, number in Counter(shown).items():
                key = Key(organisation, kind)
                counts[key] = counts.get(key, NONE).plus(Shown(number, first[organisation]))
                self._changed.add(day)

    def write(self, objects: Objects) -> None:
        """Keeps what changed since the last time; raises Refusal(UNAVAILABLE), and keeps it the next time."""
        with self._lock:
            changed = {day: _encoded(self._days[day]) for day in self._changed}
        for day, data in changed.items():
            objects.put(BUCKET, f"{day}/{self._name}", io.BytesIO(data), size=len(data))
        with self._lock:
            self._changed = {day for day in self._changed if _encoded(self._days[day]) != changed.get(day)}
            for day in set(self._days) - self._changed:
                if day <= max(self._days) - timedelta(days=KEPT_DAYS):
                    del self._days[day]


def keep(app: CatalogueApp, stop: threading.Event) -> None:
    """Writes every EVERY seconds, and once more at the end."""
    while True:
        ended = stop.wait(EVERY)
        try:
            app.exposures.write(app.objects)
        except Refusal:
            log.warning("exposures_not_kept")
        if ended:
            return


def read(objects: Objects, first: date, last: date) -> Counts:
    """Returns what all processes have kept of the days from `first` to `last`."""
    total: Counts = {}
    for number in range((last - first).days + 1):
        for name in objects.keys(BUCKET, f"{first + timedelta(days=number)}/"):
            with objects.open(BUCKET, name) as stream:
                rows = json.loads(b"".join(stream))
            for organisation, kind, hits, of_first in rows:
                key = Key(organisation, kind)
                total[key] = total.get(key, Shown()).plus(Shown(hits, of_first))
    return total


def _encoded(counts: Counts) -> bytes:
    return json.dumps([[*key, *shown] for key, shown in sorted(counts.items())]).encode()
