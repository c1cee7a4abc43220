"""What occupations need, kept in the process and read again when a file of it was imported or another version
taken in use."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from services.catalogue.domain.skill_map import Needs, SkillMap
from services.catalogue.store import occupation_skills
from services.catalogue.store.occupation_skills import NeededRow
from services.platform.db.transaction import transaction
from services.platform.gathering import aside

if TYPE_CHECKING:
    from services.platform.app import App

LOOK_AGAIN = 0.5  # seconds


class SkillBook:
    """One per process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._state: str | None = None
        self._map = SkillMap([])

    def map(self) -> SkillMap:
        """Returns what is known, as of at most LOOK_AGAIN seconds ago."""
        if time.monotonic() >= self._next_look:
            aside(self._renew)
        return self._map

    def _renew(self) -> None:
        with self._lock:
            if time.monotonic() < self._next_look:
                return
            with transaction(self._app, read_only=True) as tx:
                state = occupation_skills.state(tx.connection)
                if state != self._state:
                    self._map = SkillMap(map(_needs, occupation_skills.all_needs(tx.connection)))
                    self._state = state
            self._next_look = time.monotonic() + LOOK_AGAIN


def _needs(row: NeededRow) -> Needs:
    version = f"taxonomies/{row.scheme}/versions/{row.version}"
    return Needs(row.uri, row.isco_code, version, sorted(row.essential), sorted(row.optional))
